"""What decides how the audio of a job sounds: written into its manifest, compared when it goes on."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from alrakis.config import MATHEMATICS
from alrakis.engine import Engine
from alrakis.sampling import Options, fresh_seed


def job_settings(engine: Engine, options: Options, **own: Any) -> dict[str, Any]:
    """The settings of a job: weights, config and options, and what is the kind of job's own."""
    config = {key: getattr(engine.config, key) for key in ("backend", *MATHEMATICS)}
    return {"weights": engine.weights.name, **config, **own, **asdict(options)}


def setting_differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """What a job was begun with, where that is not what is wanted now.

    A key of the config that was not there yet had the value of Bark's mathematics.
    """
    for key in dict.fromkeys([*before, *now]):
        then = before.get(key, MATHEMATICS.get(key))
        if then != now.get(key):
            yield f"{key} was {then!r}, now {now.get(key)!r}"


def job_seed(asked: int | None, before: Mapping[str, Any] | None) -> int:
    """The seed asked for, else that of the settings that the job was begun with, else a fresh one."""
    if asked is not None:
        return asked
    found = (before or {}).get("seed")
    return found if isinstance(found, int) else fresh_seed()
