"""A result file for others to see: without the names of a host, a user or a folder."""

import contextlib
import getpass
import hashlib
import platform
import re
import socket
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from alrakis.bench.record.schema import Results
from alrakis.bench.record.words import machine_words
from alrakis.config import preset_names
from alrakis.errors import InputError
from alrakis.places.folders import home

HIDDEN = "…"
# Voices and weights whose names are Bark's or ours: they look like paths and are none.
_NAMES = re.compile(r"(?:v2|demo|suno|announcer)/[\w-]+")
_PATH = re.compile(r"(?<![\w.])(?:~|[A-Za-z]:|\.{1,2})?(?:[/\\]+[^\s/\\'\"`,;:)]+)+[/\\]*")
_UUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)  # such as a GPU's own
_SYSTEM = re.compile(r"x86_64|AMD64|aarch64|arm64|armv\d\w*|glibc[\d.]+|musl[\d.]*")
# Names that tell nobody who somebody is, and that stand in our own words.
_COMMON = {
    "root",
    "user",
    "users",
    "home",
    "admin",
    "ubuntu",
    "debian",
    "runner",
    "localhost",
    "bench",
    "cpu",
}
_LEAST_LETTERS = 3


def anonymised(results: Results) -> Results:
    """The results without paths, host and user names, kernel builds, and which cores were used.

    Raises InputError for what is of no use to others: a run that was stopped, or that timed nothing of Bark.
    """
    if not results.complete:
        raise InputError("this run was stopped before its end; measure it whole")
    if not results.samples:
        raise InputError("this run timed nothing; measure latency or voice")
    if any(workload.weights == "synthetic-tiny" for workload in results.workloads):
        raise InputError(
            "synthetic-tiny is a toy: measure synthetic-small, synthetic-large or Bark's weights"
        )
    used = [word for workload in results.workloads for word in (workload.weights, workload.voice or "")]
    artifacts = [str((target.config or {}).get("artifacts") or "") for target in results.targets]
    hide = _hider(_own_names(), [*results.command, *used, *artifacts])
    values = results.model_dump(mode="json")
    values["command"] = [hide(word) for word in results.command]
    values["notes"] = [hide(note) for note in results.notes]
    environment = values["environment"]
    environment["platform"] = _system(results.environment.platform)
    environment["affinity"] = None
    environment["versions"] = _hidden(environment["versions"], hide)
    environment["variables"] = {name: hide(value) for name, value in results.environment.variables.items()}
    for workload in values["workloads"]:
        workload["weights"], workload["text"] = hide(workload["weights"]), hide(workload["text"])
        workload["voice"] = workload["voice"] and hide(workload["voice"])
    for target in values["targets"]:
        target["error"] = target["error"] and hide(target["error"])
        target["config"] = _hidden(target["config"], hide)
    _rename(values, hide)
    return Results.model_validate(values)


def _rename(values: dict[str, Any], hide: Callable[[str], str]) -> None:
    """Hide what configs of a person's own are called, wherever their names stand."""
    names: dict[str, str] = {}
    for target in values["targets"]:
        known = target["kind"] == "peer" or target["name"] in preset_names()
        name = shown = target["name"] if known else hide(target["name"])
        count = 1
        while shown in names.values():
            count += 1
            shown = f"{name} {count}"
        names[target["name"]] = target["name"] = shown
    for measured in [*values["samples"], *values["accuracy"], *values["summaries"]]:
        measured["target"] = names[measured["target"]]


def submission_name(results: Results) -> str:
    """A file name that says which machine it is, and no two runs share."""
    words = re.sub(r"[^a-z0-9]+", "-", machine_words(results.environment).lower()).strip("-")
    content = hashlib.sha256(results.model_dump_json().encode()).hexdigest()
    return f"{words[:80].strip('-')}-{results.started[:10]}-{content[:6]}.json"


def _own_names() -> set[str]:
    """What this machine and this account are called."""
    own = home()
    found = {socket.gethostname(), platform.node(), own.name if own else ""}
    with contextlib.suppress(OSError, KeyError, ImportError):  # an account without a name
        found.add(getpass.getuser())
    found |= {name.partition(".")[0] for name in found}
    return {name for name in found if len(name) >= _LEAST_LETTERS and name.lower() not in _COMMON}


def _hider(names: set[str], paths: Iterable[str] = ()) -> Callable[[str], str]:
    """A function that takes names and the folders of paths out of a text. paths: those that are known."""
    words = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    own = re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE) if words else None
    known = sorted((path for path in paths if _is_path(path)), key=len, reverse=True)

    def hide(text: str) -> str:
        for path in known:
            text = text.replace(path, _last(path))
        text = _UUID.sub(HIDDEN, _PATH.sub(lambda one: _last(one[0]), text))
        return own.sub(HIDDEN, text) if own else text

    return hide


def _is_path(word: str) -> bool:
    """Whether a word that names a file, weights or a voice is a path."""
    return bool(re.search(r"[/\\]", word)) and "://" not in word and not _NAMES.fullmatch(word)


def _last(path: str) -> str:
    """The last part of a path of any system."""
    return re.split(r"[/\\]+", path.rstrip("/\\"))[-1] or HIDDEN


def _hidden(value: Any, hide: Callable[[str], str]) -> Any:
    """A value of a config with every text in it hidden."""
    if isinstance(value, dict):
        return {key: _hidden(inner, hide) for key, inner in value.items()}
    if isinstance(value, list):
        return [_hidden(inner, hide) for inner in value]
    return hide(value) if isinstance(value, str) else value


def _system(text: str) -> str:
    """The system's name, processor architecture and C library, without its kernel's build."""
    return ", ".join([re.split(r"[-_ ,]", text)[0], *_SYSTEM.findall(text)])


def results_in(folder: Path) -> list[Path]:
    """The result files in a folder, by name. Raises InputError if there are none."""
    found = sorted(folder.glob("*.json")) if folder.is_dir() else []
    if not found:
        raise InputError(f"there are no result files in {folder}")
    return found
