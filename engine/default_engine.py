"""The one default engine behind the drop-in functions: the only state that lives in a module."""

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
    """The default engine, made when first asked for.

    It is made anew (and the old one closed) when other weights or another config are asked for, when suno's
    environment variables have changed, or on `reload`. sizes and cpu_parts count only when it is made.
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
    """The default engine if there is one now."""
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
    """The config asked for or `auto`, with what suno's variables and preload_models' flags add."""
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
