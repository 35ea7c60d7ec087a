"""Commands are given the same texts as the jobs that they run."""

from tests.jobs.conftest import book, texts

__all__ = ["book", "texts"]
