"""`--json`: an object a line with the fields that docs/json.md names, and nothing else on standard output."""

import json
import re
from pathlib import Path
from typing import Any

from tests.cli.programs import Run, refused
from tests.jobs.books import QUICK, READ

PAGE = Path(__file__).parents[2] / "docs" / "json.md"


def named(section: str) -> set[str]:
    """The fields that a section of the page names."""
    text = PAGE.read_text("utf-8").split(f"\n## {section}\n")[1].split("\n## ")[0]
    return set(re.findall(r"`([a-z_]+)`", text))


def objects(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def fields(value: Any) -> set[str]:
    """The names of all fields within a value."""
    if isinstance(value, dict):
        return set(value).union(*map(fields, value.values()))
    return set().union(*map(fields, value)) if isinstance(value, list) else set()


def test_say(tmp_path: Path, run: Run) -> None:
    ended = run("say", "It is 5.", "--json", "--normalise", "--subtitles", "a.srt", "-o", "a.wav", *QUICK[:4])
    (said,) = objects(ended.out)
    assert (said["file"], said["text"], said["said"], said["seed"]) == ("a.wav", "It is 5.", "It is five.", 7)
    assert fields(said) == named("say")


def test_read_and_its_list(book: Path, run: Run) -> None:
    (listed,) = objects(run("read", "book.txt", "--list", "--json").out)
    (made,) = objects(run(*READ, *QUICK, "--json", "--chapters", "1").out)
    (begun,) = objects(run(*READ, "--list", "--json").out)
    assert made["files"][0]["file"] == "book.flac"
    assert made["files"][0]["seconds"] > 1
    assert made["chunks"] == len(begun["chunks"])
    assert fields(listed) | fields(made) | fields(begun) <= named("read")
    refused(run(*READ, "--stream", "--json"), "--json and --stream")


def test_batch(tmp_path: Path, run: Run) -> None:
    Path("texts.txt").write_text("Hello.\n中\n", "utf-8")
    ended = run("batch", "texts.txt", "-o", "out", "--json", *QUICK)
    rows = objects(ended.out)
    assert {row["state"] for row in rows} == {"done", "failed"}
    assert fields(rows) <= named("batch")
