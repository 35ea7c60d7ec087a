"""What was computed from files is computed again when, and only when, one of them has changed."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from alrakis.files.memo import remembered, stamps_of
from alrakis.places.folders import own_cache


class Counted:
    """Computes something, and counts how often."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> str:
        self.times += 1
        return f"value {self.times}"


def ask(path: Path, compute: Callable[[], str], what: str = "x") -> str:
    return remembered(what, stamps_of([path]), compute)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "a").write_bytes(b"1234")
    return tmp_path / "a"


def test_it_is_computed_once(path: Path) -> None:
    compute = Counted()
    assert ask(path, compute) == ask(path, compute) == "value 1"
    assert ask(path, compute, "another question") == "value 2"


def imitate(path: Path, before: os.stat_result) -> None:
    """Give a file the size and times of another, as far as a program can."""
    assert path.stat().st_size == before.st_size
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def written_in_place(path: Path) -> None:
    with open(path, "rb+") as file:
        file.write(b"x")


def replaced(path: Path) -> None:
    path.with_name("b").write_bytes(b"x234")
    path.with_name("b").rename(path)


def made_anew(path: Path) -> None:
    path.unlink()
    path.write_bytes(b"x234")


@pytest.mark.parametrize("change", [written_in_place, replaced, made_anew])
def test_a_file_that_looks_like_the_one_before_is_seen(path: Path, change: Callable[[Path], None]) -> None:
    """Same path, size and time; written at once after it was read."""
    for question in "abcde":
        compute = Counted()
        ask(path, compute, question)
        before = path.stat()
        change(path)
        imitate(path, before)
        ask(path, compute, question)
        assert compute.times == 2


def test_what_changes_while_it_is_computed_is_not_remembered(path: Path) -> None:
    counted = Counted()

    def compute() -> str:
        written_in_place(path)
        return counted()

    stamps = stamps_of([path])
    assert remembered("x", stamps, compute) == "value 1"
    assert remembered("x", stamps, counted) == "value 2"


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"x": 1}', "[" * 10_000, '{"a": "\\ud800"}', "9" * 5000, "\xff", "{}" * 9_000_000],
)
def test_a_damaged_memory_is_made_anew(path: Path, content: str) -> None:
    memory = own_cache() / "identities.json"
    memory.parent.mkdir(parents=True, exist_ok=True)
    memory.write_text(content, "latin-1")
    compute = Counted()
    assert ask(path, compute) == ask(path, compute) == "value 1"
    assert json.loads(memory.read_text())


def test_memory_does_not_grow_for_ever(path: Path) -> None:
    memory = own_cache() / "identities.json"
    memory.parent.mkdir(parents=True, exist_ok=True)
    memory.write_text(json.dumps({str(number): "" for number in range(5000)}))
    ask(path, Counted())
    assert len(json.loads(memory.read_text())) == 2000


def test_what_a_killed_process_left_beside_it_is_removed(path: Path) -> None:
    left = own_cache() / ".alrakis-0123456789abcdef.part"
    left.parent.mkdir(parents=True, exist_ok=True)
    left.write_bytes(b"{")
    ask(path, Counted())
    assert not left.exists()


def test_a_cache_that_cannot_be_written_is_no_reason_to_fail(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALRAKIS_CACHE", str(path / "cache"))
    assert ask(path, Counted()) == "value 1"
