"""Checkpoints that several tests read, written once; caches and the hub are kept away."""

from pathlib import Path

import pytest

from tests.checkpoints import write_encodec, write_suno_checkpoints, write_vocab


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    """Every cache is an empty folder of the test's own, and the hub is offline."""
    from huggingface_hub import constants

    folder = tmp_path / "home"
    for variable in ("TORCH_HOME", "SUNO_USE_SMALL_MODELS"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    monkeypatch.setenv("ALRAKIS_CACHE", str(folder / "alrakis"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return folder


@pytest.fixture(scope="session")
def small_folder(tmp_path_factory) -> Path:
    """Small checkpoints, EnCodec and a vocabulary, as suno's names have them."""
    folder = tmp_path_factory.mktemp("small")
    write_suno_checkpoints(folder, seed=1)
    write_encodec(folder, seed=1)
    write_vocab(folder)
    return folder
