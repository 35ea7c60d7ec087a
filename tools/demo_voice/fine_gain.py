"""What the fine stage is worth: log-mel distance to flite with it, without it, with the refiner's codes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from alrakis import Engine
from alrakis.sampling import Options
from alrakis.weights.demo.weights import DemoVoice
from demo_voice.codec import Codec, MelLoss, to_24k
from demo_voice.evaluate import SEED, sentences
from demo_voice.flite import Flite
from demo_voice.pack import packed_codec
from demo_voice.semantic import Ids

TEMPERATURE = 0.5  # Bark's own


def fine_gain(folder: Path, speakers: Sequence[str], limit: int) -> list[str]:
    """A line of a table for each speaker: distances over the true coarse codes of held-out sentences.

    The codec is the packed one with its encoder and refiner, which must be of one training with it.
    """
    codec, loss_of = Codec(Ids.read()).eval(), MelLoss()
    codec.restore(packed_codec(folder))
    lines = ["| speaker | two codebooks | with the fine stage | the refiner's codes |", "|---|---|---|---|"]
    with Engine(DemoVoice(folder), "cpu-fp32", threads=1) as engine, torch.no_grad():
        for speaker in speakers:
            flite, distances = Flite(speaker), []
            for text, _ in sentences("dev")[:limit]:
                samples = to_24k(flite.speak(text).samples)
                coarse = codec.coarse_codes(samples[None, None])
                (fine,) = engine.coarse_to_fine(
                    [coarse[0].numpy()], [None], [SEED], Options(fine_temp=TEMPERATURE), silent=True
                )
                made = (coarse, torch.from_numpy(fine)[None], codec.complete(coarse))
                decoded = [codec.decoder(codec.vectors(codes))[0, :, : len(samples)] for codes in made]
                distances.append([loss_of(one, samples[None])[0].item() for one in decoded])
            means = " | ".join(f"{mean:.3f}" for mean in np.mean(distances, 0))
            lines.append(f"| {speaker} | {means} |")
    return lines
