"""Checkpoints of suno's kind, and arrays that count how often they are read."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from alrakis.spec import Layout, Stage
from alrakis.weights.suno import read_checkpoint
from alrakis.weights.types import Array, StageWeights
from tests.checkpoints import gpt_state, model_args


class Counted(dict[str, Array]):
    """Arrays that count how often they are read."""

    reads = 0

    def __getitem__(self, name: str) -> Array:
        self.reads += 1
        return super().__getitem__(name)


def checkpoint(stage: str) -> dict[str, Any]:
    """What a file of suno's holds."""
    return {"model_args": model_args(stage), "model": gpt_state(stage), "best_val_loss": np.float32(2.0)}


def read(tmp_path: Path, stage: Stage, content: object, name: str = "made.pt") -> StageWeights:
    """A file of this content, read as a stage."""
    torch.save(content, tmp_path / name)
    return read_checkpoint(tmp_path / name, stage, Layout())
