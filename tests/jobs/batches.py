"""Texts that are said as a batch in tests, and a look into its folder."""

import json
from pathlib import Path
from typing import Any

import soundfile

DEMO = ["--weights", "demo", "--config", "cpu-fp32", "--set", "threads=1"]
QUICK = [*DEMO, "--seed", "7", "--max-duration", "0.4"]
TEXTS = [f"This is text number {word}." for word in ("one", "two", "three", "four", "five", "six")]


def manifest(folder: Path) -> list[Any]:
    """The lines of the manifest in `out`: its settings, and the items that are finished."""
    return [json.loads(line) for line in (folder / "out" / "manifest.jsonl").read_text().splitlines()]


def states(folder: Path) -> dict[str, str]:
    """The state of each finished item, by its id."""
    return {item["id"]: item["state"] for item in manifest(folder)[1:]}


def samples(path: Path) -> Any:
    return soundfile.read(path, dtype="int16")[0]


def write_items(folder: Path, *items: dict[str, Any]) -> None:
    (folder / "t.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
