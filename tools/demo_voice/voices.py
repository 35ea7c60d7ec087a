"""Step `voices`: the voices that ship with the demo, made by the engine from its own weights."""

from pathlib import Path

import numpy as np
import torch

from alrakis import Engine
from alrakis.spec import N_COARSE_CODEBOOKS
from alrakis.weights.demo.weights import DemoVoice
from demo_voice.codec import Codec
from demo_voice.speech import Utterance, read_shard, shards

SAID = "The morning train was late again, and we waited for it in the rain."
SEED = 3
LENGTHS = range(150, 210)  # semantic tokens of the speech that a speaker is shown by: 3 to 4 s


def make_voices(data: Path, folder: Path, speakers: tuple[str, ...], codec: Codec) -> None:
    """Write `voices/<speaker>.npz` of a folder of packed weights.

    The first speaker needs no voice to speak; the others follow an utterance of the training data.
    """
    (folder / "voices").mkdir(exist_ok=True)
    with Engine(DemoVoice(folder), "cpu-fp32", threads=1) as engine:
        for number, speaker in enumerate(speakers):
            shown = _shown(data, speaker, codec) if number else None
            said = engine.generate(SAID, voice=shown, seed=SEED, text_temp=0.0, silent=True)
            said.save_voice(folder / "voices" / f"{speaker}.npz")


def _shown(data: Path, speaker: str, codec: Codec) -> dict[str, object]:
    """A training utterance as a voice."""
    spoken = read_shard(shards(data, speaker, encoded=True)[0])
    one: Utterance = next((one for one in spoken if len(one.semantic) in LENGTHS), spoken[0])
    coarse = one.codes[:N_COARSE_CODEBOOKS, : round(len(one.semantic) * 75 / 49.9)].astype(np.int64)
    with torch.no_grad():
        codes = codec.complete(torch.from_numpy(coarse)[None])[0].numpy()
    return {"semantic_prompt": one.semantic, "coarse_prompt": coarse, "fine_prompt": codes}
