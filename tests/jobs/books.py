"""A small book that is read in tests, and a look into its folder of work."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

TEXT = """\
Good morning. This is a small book. It has some chapters, and each of them is short.

The first day was cold. We walked to the river and back. Nobody said a word. The old man sat by the fire.

The second day was warm. We ate bread and cheese. A dog came to the door. It went away again. Then it rained.
"""
DEMO = ["--weights", "demo", "--seed", "7", "--set", "pack_s=3", "--set", "threads=1"]
QUICK = [*DEMO, "--max-duration", "0.5"]
READ = ["read", "book.txt", "-o", "book.flac"]


def manifest(folder: Path) -> Any:
    """The manifest of `book.flac` as it stands in the file."""
    return json.loads((folder / "book.flac.work" / "manifest.json").read_text())


def edit(folder: Path, change: Callable[[Any], None]) -> None:
    """Change the manifest by hand."""
    values = manifest(folder)
    change(values)
    (folder / "book.flac.work" / "manifest.json").write_text(json.dumps(values))


def states(folder: Path) -> list[str]:
    """How far each chunk is."""
    try:
        return [chunk["state"] for chunk in manifest(folder)["chunks"]]
    except FileNotFoundError:
        return []
