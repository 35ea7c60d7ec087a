"""A small book that is read in tests, and a look into its folder of work."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alrakis import Config
from alrakis.jobs.reading_manifest import TakeState
from alrakis.jobs.settings import JobSettings
from alrakis.sampling import Options

TEXT = """\
Good morning. This is a small book. It has some chapters, and each of them is short.

The first day was cold. We walked to the river and back. Nobody said a word. The old man sat by the fire.

The second day was warm. We ate bread and cheese. A dog came to the door. It went away again. Then it rained.
"""
DEMO = ["--weights", "demo", "--seed", "7", "--set", "pack_s=3", "--set", "threads=1"]
QUICK = [*DEMO, "--max-duration", "0.5"]
READ = ["read", "book.txt", "-o", "book.flac"]


def job(**changes: Any) -> JobSettings:
    """Settings of a job that nothing runs."""
    plain = {"voice": None, "cast": {}, "lang": None, "steady": "voice", "seed": 7}
    made = {"weights": "demo", "config": Config(backend="torch"), "options": Options(), **plain}
    return JobSettings(**{**made, **changes})


def manifest(folder: Path) -> Any:
    """The manifest of `book.flac` as it stands in the file."""
    return json.loads((folder / "book.flac.work" / "manifest.json").read_text())


def edit(folder: Path, change: Callable[[Any], None]) -> None:
    """Change the manifest by hand."""
    values = manifest(folder)
    change(values)
    (folder / "book.flac.work" / "manifest.json").write_text(json.dumps(values))


def states(folder: Path) -> list[str]:
    """How far the take of each chunk is that is heard."""
    try:
        return [take["state"] for take in heard(folder)]
    except FileNotFoundError:
        return []


def heard(folder: Path) -> list[Any]:
    """The take of each chunk that is heard."""
    return [chunk["takes"][chunk["take"] - 1] for chunk in manifest(folder)["chunks"]]


def audio_of(folder: Path, chunk: int) -> Path:
    """A chunk's audio: what is heard of it."""
    take = TakeState.model_validate(heard(folder)[chunk - 1])
    return folder / "book.flac.work" / f"{take.file}.flac"
