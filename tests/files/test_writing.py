"""Files are there whole or not at all, whatever happens while they are written."""

import fcntl
import os
import secrets
import signal
import stat
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis.errors import OutputError
from alrakis.files.writing import (
    check_unwritten,
    check_writable,
    file_stamp,
    remove_temporary,
    replace_file,
    replacing,
)
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
        with replacing(path) as file:
            file.write(before)
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
    with replacing(path) as file:
        file.write(b"half")
        raise error


def test_what_killed_processes_leave_is_removed_and_what_is_being_written_is_not(tmp_path: Path) -> None:
    for _ in range(3):
        process = run_python(
            """
            import os, signal
            from pathlib import Path
            from alrakis.files.writing import remove_temporary, replacing
            remove_temporary(Path())
            with replacing("x") as file:
                file.write(b"half")
                os.kill(os.getpid(), signal.SIGKILL)
            """,
            tmp_path,
        )
        assert process.wait() == -signal.SIGKILL
        assert len(list(tmp_path.iterdir())) == 1
    (tmp_path / "mine.part").touch()
    with replacing(tmp_path / "y"):
        assert len(list(tmp_path.iterdir())) == 3
        remove_temporary(tmp_path)
        assert len(list(tmp_path.iterdir())) == 2
    assert {path.name for path in tmp_path.iterdir()} == {"mine.part", "y"}


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_a_file_is_private_until_it_is_whole(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        with replacing(tmp_path / "x"):
            (temporary,) = tmp_path.iterdir()
            assert stat.S_IMODE(temporary.stat().st_mode) == 0o600
        assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o666 & ~mask
    finally:
        os.umask(before)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755, 0o666])
def test_what_is_replaced_keeps_its_permissions(tmp_path: Path, mode: int) -> None:
    (tmp_path / "x").touch()
    (tmp_path / "x").chmod(mode)
    replace_file(tmp_path / "x", b"new")
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == mode


def test_temporary_names_cannot_be_guessed_and_links_there_are_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = set()
    for _ in range(50):
        with replacing(tmp_path / "x"):
            names |= {path.name for path in tmp_path.glob(".*")}
    assert len(names) == 50
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    monkeypatch.setattr(secrets, "token_hex", lambda count: "guessed")
    (tmp_path / ".alrakis-guessed.part").symlink_to(victim)
    for write in (check_writable, lambda path: replace_file(path, b"new")):
        with pytest.raises(OutputError, match="File exists"):
            write(tmp_path / "y")
    assert victim.read_bytes() == b"precious"
    assert (tmp_path / ".alrakis-guessed.part").is_symlink()


def test_of_two_writers_one_wins_whole_and_the_other_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x"
    for there in (False, True):
        with pytest.raises(OutputError, match="another process has written"):
            _write_while_another_does(path)
        assert path.read_bytes() == b"first"
        assert list(tmp_path.iterdir()) == [path], there


def _write_while_another_does(path: Path) -> None:
    with replacing(path) as file:
        file.write(b"second")
        replace_file(path, b"first")


def test_of_many_writers_at_once_each_is_told_or_wins(tmp_path: Path) -> None:
    program = """
        from alrakis.errors import OutputError
        from alrakis.files.writing import replacing
        import sys
        won = 0
        for i in range(100):
            try:
                with replacing("x") as file:
                    file.write(b"%d" % i * 10_000)
                won += 1
            except OutputError as error:
                assert "another process has written" in str(error), error
        print(won)
        """
    processes = [run_python(program, tmp_path) for _ in range(3)]
    for process in processes:
        out, err = process.communicate()
        assert process.returncode == 0, err
        assert int(out) > 0
    assert len(set((tmp_path / "x").read_bytes())) <= 2
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_file_written_since_a_stamp_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x"
    before = file_stamp(path)
    check_unwritten(path, before)
    replace_file(path, b"1")
    with pytest.raises(OutputError, match="left as that one made it"):
        check_unwritten(path, before)
    before = file_stamp(path)
    path.unlink()
    check_unwritten(path, before)


def test_a_folder_that_is_locked_does_not_hold_us(tmp_path: Path) -> None:
    """Whoever can read a folder can lock it."""
    descriptor = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    replace_file(tmp_path / "x", b"1")
    os.close(descriptor)
    assert (tmp_path / "x").read_bytes() == b"1"


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


def test_interruption_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C while a temporary file is being written."""
    process = run_python(
        """
        from alrakis.files.writing import replace_file
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
        import itertools, os
        from alrakis.files.writing import replace_file
        for i in itertools.count():
            replace_file("x.bin", b"%d" % (i % 10) * 100_000)
            if os.path.exists("enough"):
                break
        """,
        tmp_path,
    )
    seen = set()
    for _ in range(1000):
        content = path.read_bytes()
        assert len(content) == 100_000
        assert len(set(content)) == 1
        seen.add(content[:1])
    while len(seen) < 2 and process.poll() is None:
        seen.add(path.read_bytes()[:1])
    (tmp_path / "enough").touch()
    _, err = process.communicate()
    assert process.returncode == 0, err
    assert len(seen) > 1
    assert sorted(tmp_path.iterdir()) == [tmp_path / "enough", path]
