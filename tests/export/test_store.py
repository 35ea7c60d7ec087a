"""The store: complete or not there, checked, made once, whatever happens to those who make it."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alrakis.export import store as store_module
from alrakis.export.store import (
    MANIFEST,
    Artifact,
    DamagedError,
    NoSpaceError,
    Store,
    artifact_name,
    write_notes,
)

FACTS = {"part": "text", "precision": "int8", "identity": "ab" * 32, "exporter": 1}
BIG = bytes(range(256)) * 8192  # 2 MiB: over what is hashed at once
SMALL = b"a small file"


def build(folder: Path) -> dict[str, Any]:
    (folder / "graph.onnx").write_bytes(SMALL)
    (folder / "tables").mkdir()
    (folder / "tables" / "weights.bin").write_bytes(BIG)
    return {"kept": ["h.1"]}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def artifact(store: Store) -> Artifact:
    return store.make(FACTS, build, 0)


def never(folder: Path) -> dict[str, Any]:
    raise AssertionError("built again without need")


def visible(store: Store) -> list[str]:
    """What is in the store, its locks left out."""
    return sorted(path.name for path in store.root.iterdir() if path.suffix != ".lock")


def test_what_was_made_is_found(store: Store, artifact: Artifact) -> None:
    assert artifact.folder == store.place(FACTS)
    assert artifact.size_bytes == len(SMALL) + len(BIG)
    assert artifact.notes == {"kept": ["h.1"]}
    assert (artifact.folder / "tables" / "weights.bin").read_bytes() == BIG
    assert store.find(FACTS, whole=True) == artifact
    assert Store(store.root).make(FACTS, never, 0) == artifact
    assert store.artifacts() == [artifact]
    assert visible(store) == [artifact_name(FACTS)]


@pytest.mark.parametrize("key", FACTS)
def test_every_fact_is_in_the_key(store: Store, artifact: Artifact, key: str) -> None:
    other = {**FACTS, key: "other"}
    assert store.place(other) != artifact.folder
    assert store.find(other) is None


def test_the_name_tells_a_person_what_it_is() -> None:
    assert artifact_name(FACTS).startswith("text-int8-")


def test_notes_can_be_replaced(store: Store, artifact: Artifact) -> None:
    assert write_notes(artifact, {"report": 1}).notes == {"report": 1}
    found = store.find(FACTS, whole=True)
    assert found
    assert found.notes == {"report": 1}


# damage


def test_a_missing_file_is_damage(store: Store, artifact: Artifact) -> None:
    (artifact.folder / "graph.onnx").unlink()
    with pytest.raises(DamagedError, match=r"graph\.onnx cannot be read"):
        store.find(FACTS)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_a_pipe_in_place_of_an_empty_file_is_damage(store: Store) -> None:
    """Reading it would wait for ever."""

    def with_empty(folder: Path) -> dict[str, Any]:
        (folder / "nothing").touch()
        return build(folder)

    artifact = store.make(FACTS, with_empty, 0)
    (artifact.folder / "nothing").unlink()
    os.mkfifo(artifact.folder / "nothing")
    with pytest.raises(DamagedError, match="nothing is no ordinary file"):
        store.find(FACTS)


def test_a_truncated_file_is_damage(store: Store, artifact: Artifact) -> None:
    os.truncate(artifact.folder / "tables" / "weights.bin", len(BIG) - 1)
    with pytest.raises(DamagedError, match=rf"weights\.bin has {len(BIG) - 1} bytes, not {len(BIG)}"):
        store.find(FACTS)


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def test_a_flipped_bit_in_a_small_file_is_seen_at_once(store: Store, artifact: Artifact) -> None:
    flip(artifact.folder / "graph.onnx", 3)
    with pytest.raises(DamagedError, match=r"graph\.onnx has been changed"):
        store.find(FACTS)


def test_a_flipped_bit_in_a_large_file_is_seen_at_once_whatever_its_time_says(
    store: Store, artifact: Artifact
) -> None:
    path = artifact.folder / "tables" / "weights.bin"
    assert store.find(FACTS) == store.find(FACTS) == artifact
    before = path.stat()
    flip(path, len(BIG) // 2)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    for _ in range(2):
        with pytest.raises(DamagedError, match=r"weights\.bin has been changed"):
            store.find(FACTS)
    flip(path, len(BIG) // 2)
    assert store.find(FACTS) == artifact


def test_bytes_are_read_once_until_they_change_and_each_time_when_all_are_asked_for(
    store: Store, artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    digest = store_module._sha256
    monkeypatch.setattr(store_module, "_sha256", lambda path: read.append(path.name) or digest(path))
    store.find(FACTS)
    assert sorted(read) == ["graph.onnx", "weights.bin"]
    store.find(FACTS)
    store.artifacts()
    assert len(read) == 2
    store.find(FACTS, whole=True)
    assert len(read) == 4


def test_what_is_read_only_is_checked_though_nothing_can_be_remembered(
    store: Store, artifact: Artifact, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ALRAKIS_CACHE", str(tmp_path / "file"))
    assert store.find(FACTS) == artifact
    flip(artifact.folder / "tables" / "weights.bin", 5)
    with pytest.raises(DamagedError, match="has been changed"):
        store.find(FACTS)


def test_a_path_that_is_no_text_is_kept_as_it_is_shown(store: Store) -> None:
    def odd(folder: Path) -> dict[str, Any]:
        return {**build(folder), "weights": "/x\udcff"}

    store.make(FACTS, odd, 0)
    found = store.find(FACTS)
    assert found
    assert found.notes["weights"] == "/x\\udcff"


def test_an_artifact_in_another_ones_place_is_damage(store: Store, artifact: Artifact) -> None:
    other = {**FACTS, "precision": "int4"}
    artifact.folder.rename(store.place(other))
    with pytest.raises(DamagedError, match="of another artifact: precision 'int8', not 'int4'"):
        store.find(other)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"format": 99, "facts": {}, "notes": {}, "files": {"a": {"bytes": 1, "sha256": ""}}}',
        b'{"format": 1, "facts": {}, "notes": {}, "files": {}}',
        b'{"format": 1, "facts": {}, "notes": {}, "files": {"a": 1}}',
        b'{"format": 1, "facts": {}, "notes": {}, "files": {"/etc/passwd": {"bytes": 1, "sha256": ""}}}',
        b'{"format": 1, "facts": {}, "notes": {}, "files": {"../x": {"bytes": 1, "sha256": ""}}}',
    ],
)
def test_a_foreign_manifest_is_damage(store: Store, artifact: Artifact, content: bytes) -> None:
    (artifact.folder / MANIFEST).write_bytes(content)
    with pytest.raises(DamagedError, match="manifest"):
        store.find(FACTS)
    assert store.artifacts() == []


@settings(max_examples=60)
@given(st.data())
def test_no_damage_to_the_manifest_goes_further_than_damaged(
    store: Store, artifact: Artifact, data: st.DataObject
) -> None:
    path = artifact.folder / MANIFEST
    whole = path.read_bytes()
    start = data.draw(st.integers(0, len(whole)))
    stop = data.draw(st.integers(start, len(whole)))
    path.write_bytes(whole[:start] + data.draw(st.binary(max_size=8)) + whole[stop:])
    try:
        found = store.find(FACTS, whole=True)
    except DamagedError:
        found = None
    path.write_bytes(whole)
    assert found is None or found.facts == FACTS


def test_a_damaged_artifact_is_replaced_as_a_whole(store: Store, artifact: Artifact) -> None:
    (artifact.folder / "graph.onnx").write_bytes(b"")
    (artifact.folder / "foreign").write_bytes(b"")
    assert store.make(FACTS, build, 0) == artifact
    assert not (artifact.folder / "foreign").exists()
    assert visible(store) == [artifact.folder.name]


@pytest.mark.parametrize("whole", [False, True])
def test_a_file_with_a_flipped_bit_is_made_again(store: Store, artifact: Artifact, whole: bool) -> None:
    flip(artifact.folder / "tables" / "weights.bin", 7)
    store.make(FACTS, build, 0, whole=whole)
    assert store.find(FACTS, whole=True) == artifact


# what goes wrong while building


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), ValueError()])
def test_a_failed_build_leaves_nothing(store: Store, error: BaseException) -> None:
    def fail(folder: Path) -> dict[str, Any]:
        build(folder)
        raise error

    with pytest.raises(type(error)):
        store.make(FACTS, fail, 0)
    assert visible(store) == []
    assert store.make(FACTS, build, 0)  # the lock is free


def test_a_failed_rebuild_leaves_what_was_there(store: Store, artifact: Artifact) -> None:
    (artifact.folder / "graph.onnx").write_bytes(b"")

    def fail(folder: Path) -> dict[str, Any]:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        store.make(FACTS, fail, 0)
    assert visible(store) == [artifact.folder.name]


def test_too_little_room_is_said_before_anything_is_built(store: Store) -> None:
    with pytest.raises(NoSpaceError, match=f"about .* MB are needed in {store.root}, and .* MB are free"):
        store.make(FACTS, never, 2**62)
    assert visible(store) == []


def test_a_place_that_is_no_folder_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NotADirectoryError):
        Store(tmp_path / "file" / "store").make(FACTS, never, 0)


# several at once

PROGRAM = """
import logging, sys, time
from pathlib import Path
from alrakis.export.store import Store
root, facts = Path(sys.argv[1]), eval(sys.argv[2])
def build(folder):
    (folder / "graph.onnx").write_bytes(b"half")
    print("building", flush=True)
    while not (root.parent / "go on").exists():
        time.sleep(0.01)
    with open(root.parent / "built", "a") as file:
        file.write("x")
    return {}
print(Store(root).make(facts, build, 0).folder.name, flush=True)
"""


@pytest.fixture
def process(store: Store) -> Iterator[Any]:
    """Starts processes that build the artifact, and are not done before `go_on`."""
    started = []

    def start() -> "subprocess.Popen[str]":
        arguments = [sys.executable, "-c", PROGRAM, str(store.root), repr(FACTS)]
        started.append(subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for running in started:
        running.kill()
        running.communicate()


def go_on(store: Store) -> None:
    (store.root.parent / "go on").touch()


def built(store: Store) -> int:
    path = store.root.parent / "built"
    return len(path.read_text()) if path.exists() else 0


def test_of_two_processes_one_builds_and_the_other_waits(store: Store, process: Any) -> None:
    first = process()
    assert first.stdout.readline() == "building\n"
    second = process()
    assert "another process is exporting text-int8-" in second.stderr.readline()
    go_on(store)
    for each in (first, second):
        assert each.communicate()[0] == artifact_name(FACTS) + "\n"
    assert built(store) == 1


def test_threads_wait_for_each_other_too(store: Store) -> None:
    count = []

    def slow(folder: Path) -> dict[str, Any]:
        count.append(1)
        time.sleep(0.2)
        return build(folder)

    found = []
    threads = [threading.Thread(target=lambda: found.append(store.make(FACTS, slow, 0))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(count) == 1
    assert len(found) == 4


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_killed_build_is_swept_and_done_again(store: Store, process: Any) -> None:
    killed = process()
    assert killed.stdout.readline() == "building\n"
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    assert [name.endswith(".part") for name in visible(store)] == [True]
    assert store.find(FACTS) is None
    store.make(FACTS, build, 0)
    assert visible(store) == [artifact_name(FACTS)]


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_what_killed_processes_left_is_removed_what_others_build_is_not(store: Store, process: Any) -> None:
    dead = process()
    assert dead.stdout.readline() == "building\n"
    os.kill(dead.pid, signal.SIGKILL)
    dead.wait()
    living = process()
    assert living.stdout.readline() == "building\n"
    store.remove_unfinished()
    assert len(visible(store)) == 1, "the living one's folder stays; it has swept the dead one's itself"
    go_on(store)
    assert living.communicate()[0] == artifact_name(FACTS) + "\n"
    (store.root / ".coarse-int8-00.1234.part").mkdir()
    store.remove_unfinished()
    assert visible(store) == [artifact_name(FACTS)]


def test_removing_gives_back_the_space(store: Store, artifact: Artifact) -> None:
    manifest_bytes = (artifact.folder / MANIFEST).stat().st_size
    assert store.remove(artifact.folder) == artifact.size_bytes + manifest_bytes
    assert visible(store) == []


def test_the_manifest_is_for_people_too(artifact: Artifact) -> None:
    manifest = json.loads((artifact.folder / MANIFEST).read_text())
    assert manifest["facts"] == FACTS
    assert list(manifest["files"]) == ["graph.onnx", "tables/weights.bin"]
    assert time.strptime(manifest["created"], "%Y-%m-%dT%H:%M:%SZ")
