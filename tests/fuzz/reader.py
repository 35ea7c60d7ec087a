"""What a fuzzer of a reader is: how its files are damaged, and how they are read."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from alrakis.errors import AlrakisError
from alrakis.export.store import DamagedError
from tests.fuzz.mutate import Mutate

REFUSALS = (AlrakisError, DamagedError)  # what a reader may raise


@dataclass(frozen=True)
class Reader:
    """name: of its seeds' folder too. mutate: by the end of a file's name. read: takes a case's folder.

    share: how often it is tried; the quick and the dangerous are tried more often. prepare: what a process
    that reads does once, before it is watched.
    """

    name: str
    mutate: dict[str, Mutate]
    read: Callable[[Path], object]
    share: int = 1
    prepare: Callable[[], object] = lambda: None

    def damage(self, path: Path) -> Mutate | None:
        """How a file is damaged, None if it is left as it is."""
        return next((damage for end, damage in self.mutate.items() if path.name.endswith(end)), None)


def only(folder: Path) -> Path:
    """The one file of a case."""
    (path,) = (path for path in folder.iterdir() if path.is_file())
    return path


def attempt(*reads: Callable[[], object]) -> None:
    """All of some reads, also those after one that is refused; then the last refusal is raised."""
    refused = None
    for read in reads:
        try:
            read()
        except REFUSALS as error:
            refused = error
    if refused:
        raise refused
