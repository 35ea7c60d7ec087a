"""The default engine, which the drop-in functions share."""

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alrakis.auto import choose_config
from alrakis.config import Config, load_config
from alrakis.engine import Engine
from alrakis.hardware import env_flag
from alrakis.spec import PARTS, Stage
from alrakis.weights.types import Weights

_ENVIRONMENT = ("SUNO_USE_SMALL_MODELS", "SUNO_OFFLOAD_CPU", "SUNO_ENABLE_MPS", "XDG_CACHE_HOME")


@dataclass
class _Default:
    engine: Engine
    asked: tuple[Any, ...]


_default: _Default | None = None
_lock = threading.RLock()


def default_engine(
    weights: "str | os.PathLike[str] | Weights | None" = None,
    config: "str | os.PathLike[str] | Config | None" = None,
    *,
    sizes: Mapping[Stage, str] | None = None,
    cpu_parts: Sequence[str] = (),
    reload: bool = False,
) -> Engine:
    """The default engine, made on the first call.

    It is closed and replaced when weights or config differ from the last call's, when suno's environment
    variables have changed, or on `reload`. sizes and cpu_parts have an effect only when it is made.
    """
    global _default
    environment = tuple(os.environ.get(name) for name in _ENVIRONMENT)
    asked = (weights, config, environment)
    with _lock:
        if _default is not None and (reload or _default.asked != asked):
            close_default_engine()
        if _default is None:
            engine = Engine(weights or "bark", _with_environment(config, cpu_parts), sizes=sizes)
            _default = _Default(engine, asked)
        return _default.engine


def current_engine() -> Engine | None:
    """The default engine, or None if it was not made yet or was closed."""
    return _default.engine if _default else None


def close_default_engine() -> None:
    """Close the default engine and free its memory; the next drop-in call makes a new one."""
    global _default
    with _lock:
        if _default is not None:
            _default.engine.close()
        _default = None


def _with_environment(
    config: "str | os.PathLike[str] | Config | None", cpu_parts: Sequence[str]
) -> "str | os.PathLike[str] | Config":
    """The config given; or `auto`'s, changed by suno's variables and the flags of preload_models."""
    if config is not None:
        return config
    chosen = load_config(choose_config()[0])
    if chosen.backend != "torch":
        return chosen
    overrides: dict[str, Any] = {"cpu_parts": tuple(part for part in PARTS if part in cpu_parts)}
    if env_flag("SUNO_OFFLOAD_CPU"):
        overrides["offload"] = True
        overrides["cuda_graphs"] = False  # graphs hold addresses; offloaded parameters move
    return load_config(chosen, overrides)
