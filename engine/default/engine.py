"""The default engine, which the drop-in functions share."""

import json
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alrakis.auto import resolve_config
from alrakis.config import Config, load_config
from alrakis.engine import Engine
from alrakis.errors import InputError
from alrakis.hardware import env_flag
from alrakis.spec import PARTS, Stage
from alrakis.weights.locate import REMOTE_MODEL_PATHS
from alrakis.weights.types import Weights

Where = str | os.PathLike[str]

_ENVIRONMENT = (
    "SUNO_USE_SMALL_MODELS",
    "SUNO_OFFLOAD_CPU",
    "SUNO_ENABLE_MPS",
    "ALRAKIS_SUNO_CACHE",
    "XDG_CACHE_HOME",
)


@dataclass
class _Default:
    engine: Engine
    asked: tuple[Any, ...]


_default: _Default | None = None
_elsewhere: _Default | None = None  # of the process that this one was forked from
_lock = threading.RLock()


def _begin_anew() -> None:
    """In a process that was forked: threads stayed behind, perhaps with the lock in their hands.

    The engine is theirs too. It is kept: freeing it would wait for them for ever.
    """
    global _lock, _default, _elsewhere
    _lock = threading.RLock()
    _elsewhere, _default = _default or _elsewhere, None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)


def default_engine(
    weights: Where | Weights | None = None,
    config: Where | Config | None = None,
    *,
    sizes: Mapping[Stage, str] | None = None,
    cpu_parts: Sequence[str] = (),
    reload: bool = False,
) -> Engine:
    """The default engine, made on the first call.

    It is replaced when weights or config differ from the last call's, when suno's settings have changed, or
    on `reload`. sizes and cpu_parts have an effect only when it is made.
    """
    global _default
    settings = tuple(os.environ.get(name) for name in _ENVIRONMENT)
    asked = (weights, config, settings, json.dumps(REMOTE_MODEL_PATHS, default=str))
    with _lock:
        before = _default
        if before is None or reload or before.asked != asked:
            close_default_engine()
            engine = Engine(weights or "bark", _with_settings(config, cpu_parts), sizes=sizes)
            _default = _Default(engine, asked)
            return engine
        return before.engine


def engine_for(
    engine: Engine | None,
    config: Where | Config | None,
    weights: Where | Weights | None,
) -> Engine:
    """The engine of a drop-in call: its own, or the default one. Raises InputError for both."""
    if engine is None:
        return default_engine(weights, config)
    if config is not None or weights is not None:
        raise InputError("give either engine, or config and weights for the default one, not both")
    return engine


def current_engine() -> Engine | None:
    """The default engine, or None if it was not made yet or was given up."""
    default = _default
    return default.engine if default else None


def close_default_engine() -> None:
    """Give up the default engine and free its memory; the next drop-in call makes a new one.

    What is under way is waited for. A call that another thread has begun and not submitted yet loads what it
    needs again: so the engine is emptied and not closed.
    """
    global _default
    with _lock:
        given_up, _default = _default, None
    if given_up is not None:
        given_up.engine.unload()


def _with_settings(config: Where | Config | None, cpu_parts: Sequence[str]) -> Where | Config:
    """The config given; or `auto`'s, changed by suno's settings and the flags of preload_models."""
    if config is not None:
        return config
    chosen = resolve_config("auto", {})
    if chosen.backend != "torch":
        return chosen
    overrides: dict[str, Any] = {"cpu_parts": tuple(part for part in PARTS if part in cpu_parts)}
    if env_flag("SUNO_OFFLOAD_CPU"):
        overrides["offload"] = True
        overrides["cuda_graphs"] = False  # graphs hold addresses; offloaded parameters move
    return load_config(chosen, overrides)
