"""What is read or said in the tests of jobs and of their commands."""

from pathlib import Path

import pytest

from tests.jobs.batches import TEXTS
from tests.jobs.books import TEXT


@pytest.fixture
def book(here: Path) -> Path:
    """The current folder, with `book.txt` in it."""
    (here / "book.txt").write_text(TEXT)
    return here


@pytest.fixture
def texts(here: Path) -> Path:
    """The current folder, with `t.txt` in it, a text a line."""
    (here / "t.txt").write_text("\n".join(TEXTS))
    return here
