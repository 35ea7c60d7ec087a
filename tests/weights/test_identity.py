"""Equal parameters have one identity; files are hashed once, and losing that memory is harmless."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alrakis.places.folders import own_cache
from alrakis.weights import open_weights
from alrakis.weights.identity import identity_of
from tests.weights.parts import Counted


@pytest.fixture
def made(tmp_path: Path) -> tuple[Counted, Path]:
    path = tmp_path / "made.bin"
    path.write_bytes(b"1")
    return Counted(weight=np.arange(6.0, dtype=np.float32)), path


def test_a_file_is_hashed_once(made: tuple[Counted, Path]) -> None:
    arrays, path = made
    first = identity_of("text", arrays, [path])()
    assert arrays.reads == 1
    assert identity_of("text", arrays, [path])() == first
    assert arrays.reads == 1
    assert identity_of("coarse", arrays, [path])() != first


def test_a_changed_file_is_hashed_again(made: tuple[Counted, Path]) -> None:
    arrays, path = made
    first = identity_of("text", arrays, [path])()
    os.utime(path, ns=(1, 1))
    assert identity_of("text", Counted(weight=np.zeros(6, np.float32)), [path])() != first


@pytest.mark.parametrize(
    "other",
    [
        {"weight": np.arange(6.0, dtype=np.float64)},
        {"weight": np.arange(6.0, dtype=np.float32).reshape(2, 3)},
        {"other": np.arange(6.0, dtype=np.float32)},
        {"weight": np.arange(6.0, dtype=np.float32) + 1},
        {"weight": np.arange(6.0, dtype=np.float32), "more": np.ones(0, np.float32)},
    ],
)
def test_whatever_differs_changes_it(
    made: tuple[Counted, Path], tmp_path: Path, other: dict[str, Any]
) -> None:
    arrays, path = made
    copy = tmp_path / "copy.bin"
    copy.write_bytes(b"1")
    assert identity_of("text", other, [copy])() != identity_of("text", arrays, [path])()


def test_a_view_has_the_identity_of_its_numbers(tmp_path: Path) -> None:
    path = tmp_path / "view.bin"
    path.write_bytes(b"1")
    base = np.arange(12.0, dtype=np.float32).reshape(3, 4)
    views = [{"w": base.T}, {"w": base.T.copy()}]
    found = set()
    for number, arrays in enumerate(views):
        os.utime(path, ns=(number, number))
        found.add(identity_of("text", arrays, [path])())
    assert len(found) == 1


@pytest.mark.parametrize("content", ["", "{", "[]", '"x"', "\x00"])
def test_a_damaged_memory_is_forgotten(made: tuple[Counted, Path], content: str) -> None:
    arrays, path = made
    first = identity_of("text", arrays, [path])()
    memory = own_cache() / "identities.json"
    memory.write_text(content)
    assert identity_of("text", arrays, [path])() == first
    assert json.loads(memory.read_text())


def test_a_cache_that_cannot_be_written(
    made: tuple[Counted, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("ALRAKIS_CACHE", str(tmp_path / "file" / "cache"))
    arrays, path = made
    assert len(identity_of("text", arrays, [path])()) == 64


def test_the_number_of_heads_counts(small_folder: Path, tmp_path: Path) -> None:
    """It is in no array, and makes another model."""
    import torch

    content = torch.load(small_folder / "fine.pt", weights_only=False)
    content["model_args"]["n_head"] = 4
    for stage in ("text", "coarse"):
        (tmp_path / f"{stage}.pt").symlink_to(small_folder / f"{stage}.pt")
    torch.save(content, tmp_path / "fine.pt")
    first, second = open_weights(small_folder), open_weights(tmp_path)
    assert first.stage("fine").identity != second.stage("fine").identity
    assert first.stage("coarse").identity == second.stage("coarse").identity
