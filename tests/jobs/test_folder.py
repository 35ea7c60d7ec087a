"""A folder of work: one process at a time, and clean when it begins."""

from pathlib import Path

import filelock
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis.errors import InputError
from alrakis.jobs.folder import JobFolder
from tests.cli.programs import Run, alrakis_process, refused
from tests.jobs.books import QUICK, READ


def test_two_processes_do_not_share_a_folder(book: Path, run: Run) -> None:
    (book / "book.flac.work").mkdir()
    with filelock.FileLock(book / "book.flac.work" / ".lock"):
        ended = alrakis_process(*READ, *QUICK, folder=book)
    refused(ended, "another process is at work in book.flac.work")


def test_two_processes_do_not_work_in_one_folder(texts: Path, run: Run) -> None:
    (texts / "out").mkdir()
    with filelock.FileLock(texts / "out" / ".lock"):
        refused(run("batch", "t.txt", "-o", "out", *QUICK), "another process is at work in out")


class Shelf(JobFolder):
    """A folder of some kind of work."""

    MANIFEST = "shelf.txt"
    ELSEWHERE = "take another shelf"


def test_it_is_made_and_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "new")
    with shelf.hold():
        assert shelf.folder.is_dir()
        (shelf.folder / ".alrakis-0123.part").touch()
        (shelf.folder / "mine.part").touch()
    with shelf.hold():
        assert sorted(path.name for path in shelf.folder.iterdir()) == [".lock", "mine.part"]


def test_it_is_free_again_whatever_ends_the_work(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        _stopped_in(tmp_path)
    with Shelf(tmp_path).hold():
        pass


def _stopped_in(folder: Path) -> None:
    with Shelf(folder).hold():
        with pytest.raises(InputError, match=r"at work in .*; wait for it, or take another shelf"):
            Shelf(folder).hold().__enter__()
        raise KeyboardInterrupt


def test_what_cannot_be_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "full" / "shelf.txt").mkdir(parents=True)
    for name, told in {
        "file": f"cannot make the folder {tmp_path / 'file'}",
        "no/where": f"there is no folder {tmp_path / 'no'} to make where in; make it first",
        "full": "shelf.txt is a folder",
    }.items():
        with pytest.raises(InputError, match=told):
            Shelf(tmp_path / name).hold().__enter__()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "full"]


@given(st.lists(st.text("ab", min_size=1), max_size=15))
def test_differences_are_told_ten_at_most_with_what_to_do(differences: list[str]) -> None:
    shelf = Shelf(Path("shelf"))
    if not differences:
        shelf.refuse(differences)
        return
    with pytest.raises(InputError) as error:
        shelf.refuse(differences)
    first, *lines, last = str(error.value).splitlines()
    assert first == "shelf belongs to something else:"
    assert lines == [f"  - {line}" for line in differences[:10]]
    assert "take another shelf, or remove the folder" in last
