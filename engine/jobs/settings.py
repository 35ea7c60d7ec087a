"""What a job was asked for: written into its manifest, compared and filled in when it goes on."""

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict

from alrakis.config import MATHEMATICS, Config
from alrakis.engine import Engine
from alrakis.files.path_text import PathText
from alrakis.long.text import Planning
from alrakis.long.voices import Steady, check_steady
from alrakis.sampling import Options, fresh_seed, seeds_for
from alrakis.weights import WEIGHTS_NAMES

DEFAULT_WEIGHTS, DEFAULT_CONFIG = "bark", "auto"


class JobSettings(BaseModel):
    """All that a job is made with. Its seed is the first chunk's or row's."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, ser_json_inf_nan="constants")

    weights: PathText
    config: Config
    options: Options
    voice: PathText | None
    cast: dict[str, PathText]
    lang: str | None
    steady: Steady
    seed: int
    format: str = ""  # of a batch's files that no row names

    @property
    def sound(self) -> dict[str, Any]:
        """What decides how it sounds, by the names that people know."""
        config = {key: getattr(self.config, key) for key in ("backend", *MATHEMATICS)}
        own = self.model_dump(exclude={"config", "options"})
        return {**own, **config, **asdict(self.options)}


@dataclass(frozen=True)
class Asked:
    """What a person asks of a job. What is None or left out is as the job was begun, or else the default."""

    weights: str | None = None
    config: str | os.PathLike[str] | Config | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    voice: Any = None
    cast: Mapping[str, Any] = field(default_factory=dict)
    lang: str | None = None
    steady: Steady | None = None
    seed: int | None = None
    format: str | None = None


def open_job_engine(asked: Asked, before: JobSettings | None, make: Any = Engine) -> Any:
    """The engine of a job. make: `Engine`, or what takes its place.

    Raises ConfigError, WeightsError or BackendError.
    """
    weights = asked.weights or (before.weights if before else DEFAULT_WEIGHTS)
    config = asked.config or (before.config if before else DEFAULT_CONFIG)
    return make(weights, config, **asked.overrides)


def job_settings(
    engine: Planning, asked: Asked, before: JobSettings | None, voice: str | None, cast: Mapping[str, str]
) -> JobSettings:
    """The settings of a job that runs on this engine; voice and cast are the names of those asked for.

    Raises InputError for options and seeds that nothing can be said with.
    """
    steady = asked.steady or (before.steady if before else "voice")
    check_steady(steady)
    return JobSettings(
        weights=_weights_name(engine),
        config=engine.config,
        options=Options(**{**(asdict(before.options) if before else {}), **asked.options}),
        voice=voice or (before.voice if before else None),
        cast=dict(cast or (before.cast if before else {})),
        lang=asked.lang or (before.lang if before else None),
        steady=steady,
        seed=_seed(asked, before),
        format=asked.format or (before.format if before else ""),
    )


def setting_differences(before: JobSettings, now: JobSettings, but: Collection[str] = ()) -> Iterator[str]:
    """What a job was begun with, where that is not what is wanted now; `but` what may change."""
    then, wanted = before.sound, now.sound
    for key, value in wanted.items():
        if then[key] != value and key not in but:
            yield f"{key} was {then[key]!r}, now {value!r}"


def weights_difference(before: JobSettings, engine: Planning) -> list[str]:
    """As `setting_differences`, of the weights alone: they come first, as voices are of theirs."""
    return list(setting_differences(before, before.model_copy(update={"weights": _weights_name(engine)})))


def _weights_name(engine: Planning) -> str:
    """A name, or a folder's path from whatever folder the job goes on in."""
    name = engine.weights.name
    return os.path.abspath(name) if name not in WEIGHTS_NAMES and os.path.isdir(name) else name


def _seed(asked: Asked, before: JobSettings | None) -> int:
    if asked.seed is not None:
        return seeds_for(asked.seed, 1)[0]
    return before.seed if before else fresh_seed()
