"""Files are there whole or not at all, whatever happens while they are written."""

import contextlib
import io
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis.errors import OutputError
from alrakis.files import cache_folder, check_writable, read_npy, remove_temporary, replace_file, replacing
from tests.processes import run_python


@given(
    st.binary(max_size=2000),
    st.binary(max_size=2000),
    st.sampled_from(["x", "x.wav", "naïve ♪", "." * 3 + "x"]),
)
def test_what_is_written_replaces_what_was_there_and_nothing_else_is_left(
    before: bytes, after: bytes, name: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(before)
        assert replace_file(path, after) == path.resolve()
        assert path.read_bytes() == after
        with replacing(path) as temporary:
            temporary.write_bytes(before)
            assert path.read_bytes() == after, "the name is given at the end"
        assert path.read_bytes() == before
        assert check_writable(path) == path.resolve()
        assert list(Path(folder).iterdir()) == [path]


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, OutputError])
def test_what_goes_wrong_in_the_block_leaves_the_old_file(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")
    with pytest.raises(error):
        _write_and_fail(path, error)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"old"


def _write_and_fail(path: Path, error: type[BaseException]) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(b"half")
        raise error


def test_a_block_that_writes_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="nothing was changed there"), replacing(tmp_path / "x"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_what_killed_processes_leave_does_not_grow_and_can_be_removed(tmp_path: Path) -> None:
    left = []
    for _ in range(3):
        process = run_python(
            """
            import os, signal
            from alrakis.files import replacing
            with replacing("x") as temporary:
                temporary.write_bytes(b"half")
                os.kill(os.getpid(), signal.SIGKILL)
            """,
            tmp_path,
        )
        assert process.wait() == -signal.SIGKILL
        left.append([path.name for path in tmp_path.iterdir()])
    assert left[0] == left[1] == left[2]
    assert len(left[0]) == 1
    (tmp_path / "mine.part").touch()
    remove_temporary(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.part"]


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for write in (
        check_writable,
        lambda path: replace_file(path, b""),
        lambda path: replacing(path).__enter__(),
    ):
        with pytest.raises(OutputError, match=r"is a folder; give the name of an ordinary file"):
            write(tmp_path / "folder")
        with pytest.raises(OutputError, match=r"there is no folder .*nowhere to write x in; make it first"):
            write(tmp_path / "nowhere" / "x")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_the_cache_is_where_the_variable_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ALRAKIS_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ALRAKIS_CACHE", "~/mine")
    assert cache_folder() == tmp_path / "mine"
    for unset in (
        lambda: monkeypatch.setenv("ALRAKIS_CACHE", ""),
        lambda: monkeypatch.delenv("ALRAKIS_CACHE"),
    ):
        unset()
        assert cache_folder() == Path(platformdirs.user_cache_dir("alrakis"))


def test_interruption_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C while a temporary file is being written."""
    process = run_python(
        """
        from alrakis.files import replace_file
        data = bytes(1 << 20)
        try:
            while True:
                replace_file("y.bin", data)
        except KeyboardInterrupt:
            print("interrupted")
        """,
        tmp_path,
    )
    while not list(tmp_path.glob(".alrakis-*")) and process.poll() is None:
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert out == "interrupted\n", err
    assert {entry.name for entry in tmp_path.iterdir()} <= {"y.bin"}


def test_readers_never_see_half_a_file(tmp_path: Path) -> None:
    """While one process writes again and again, every look finds a whole file."""
    path = tmp_path / "x.bin"
    replace_file(path, b"0" * 100_000)
    process = run_python(
        """
        from alrakis.files import replace_file
        for i in range(300):
            replace_file("x.bin", b"%d" % (i % 10) * 100_000)
        """,
        tmp_path,
    )
    seen = set()
    while process.poll() is None:
        content = path.read_bytes()
        assert len(content) == 100_000
        assert len(set(content)) == 1
        seen.add(content[:1])
    _, err = process.communicate()
    assert process.returncode == 0, err
    assert len(seen) > 1
    assert list(tmp_path.iterdir()) == [path]


@given(st.binary(max_size=400) | st.builds(lambda n: b"\x93NUMPY\x01\x00" + n, st.binary(max_size=200)))
def test_bytes_that_are_no_npy_are_refused(data: bytes) -> None:
    with contextlib.suppress(ValueError, EOFError):
        assert read_npy(data).nbytes <= len(data)


@pytest.mark.parametrize(
    "array", [np.arange(6), np.arange(6.0).reshape(2, 3), np.asfortranarray(np.eye(3)), np.array(5)]
)
def test_an_npy_is_read_as_numpy_reads_it(array: Any) -> None:
    file = io.BytesIO()
    np.save(file, array)
    np.testing.assert_array_equal(read_npy(file.getvalue()), array)
    with pytest.raises(ValueError, match="bytes"):
        read_npy(file.getvalue() + b"\0")


def test_a_header_that_says_more_than_is_there_allocates_nothing() -> None:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<i8", "fortran_order": False, "shape": (2**40,)})
    with pytest.raises(ValueError, match="bytes"):
        read_npy(file.getvalue())
