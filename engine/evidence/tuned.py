"""What `alrakis-bench tune --quick` found on this machine, and `auto` uses: one small file in alrakis' cache.

It is kept by processor and by how many of its cores may be used, so a laptop's home folder on a server, or a
container with fewer cores, has none. To be rid of it: `alrakis-bench tune --forget`, or remove the file.
"""

import hashlib
import logging
import re
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from alrakis.config import Config, load_config
from alrakis.errors import ConfigError, OutputError
from alrakis.files.parsing import LimitError, parse_model, read_file, reason
from alrakis.files.writing import check_writable, replace_file
from alrakis.hardware import CPU, cpu, gpus
from alrakis.places.folders import own_cache
from alrakis.version import __version__

logger = logging.getLogger("alrakis")
_MOST_BYTES = 64 << 10


class Tuned(BaseModel):
    """preset, changes: the config. gpu: the GPU that it ran on; empty for a CPU. goal: what it is best at."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["alrakis-tuned"] = "alrakis-tuned"
    processor: str
    usable_cores: int
    gpu: str
    preset: str
    changes: dict[str, Any]
    goal: str
    rtf: float = Field(gt=0)
    work: str
    day: str
    alrakis: str

    def config(self) -> Config:
        """Raises ConfigError."""
        return load_config(self.preset, self.changes)

    @property
    def words(self) -> str:
        """How it was found, in a sentence."""
        on = self.gpu or f"{self.processor}, {self.usable_cores} cores"
        return f"tuned for {self.goal} on {on}, {self.day}: RTF {self.rtf:.2f}, {self.work}"


def tuned_path(processor: CPU | None = None) -> Path:
    """Where the file of a processor is, by default of this one."""
    of = processor or cpu()
    words = re.sub(r"[^a-z0-9]+", "-", of.model.lower()).strip("-")[:40]
    key = hashlib.sha256("|".join((of.model, *of.features)).encode()).hexdigest()[:8]
    return own_cache() / "tuned" / f"{words}-{of.usable_cores}-cores-{key}.json"


def tuned_here() -> Tuned | None:
    """What was found on this machine; None if nothing was, or it cannot be used, which is told."""
    path = tuned_path()
    try:
        found = parse_model(Tuned, read_file(path, _MOST_BYTES))
        found.config()
        _check_fits(found)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, LimitError, ValueError, ConfigError) as error:
        logger.warning("%s cannot be used: %s; tune again, or remove it", path, reason(error))
        return None
    return found


def _check_fits(found: Tuned) -> None:
    """Raises ValueError for what was found by another alrakis, whose configs may differ, or elsewhere."""
    here = cpu()
    if found.alrakis != __version__:
        raise ValueError(f"it is of alrakis {found.alrakis}, and this is {__version__}")
    if (found.processor, found.usable_cores) != (here.model, here.usable_cores):
        raise ValueError(f"it is of another machine ({found.processor}, {found.usable_cores} cores)")
    if found.gpu and found.gpu not in [gpu.name for gpu in gpus()]:
        raise ValueError(f"it is of a GPU that is not here ({found.gpu})")


def save_tuned(tuned: Tuned) -> Path:
    """Write what was found on this machine, replacing what was found before. Raises OutputError."""
    return replace_file(check_tunable(), (tuned.model_dump_json(indent=1) + "\n").encode())


def check_tunable() -> Path:
    """Where the file of this machine is, in a folder that is made. Raises OutputError if it cannot be."""
    path = tuned_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot write {path}: {reason(error)}; ALRAKIS_CACHE names another place"
        ) from None
    return check_writable(path)


def forget_tuned() -> Path | None:
    """Remove the file of this machine; its path, or None if there was none. Raises OSError."""
    path = tuned_path()
    try:
        path.unlink()
    except FileNotFoundError:
        return None
    return path
