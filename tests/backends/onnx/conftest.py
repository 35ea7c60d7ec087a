"""Stages exported into folders of their own, and opened."""

from pathlib import Path
from typing import Any

import pytest

from alrakis.backends.onnx.gpt import OnnxCausalGPT
from alrakis.export.build import build_stage
from alrakis.spec import Stage
from tests.backends.aligned import Aligned
from tests.backends.onnx.exported import HEADS, PROVIDERS, SLOTS, Make
from tests.backends.tiny import SHAPES, stage_weights


@pytest.fixture
def folder_of(tmp_path: Path) -> Make:
    """Exports a stage into a folder of its own."""

    def make(stage: Stage, precision: str = "fp32", **options: Any) -> Path:
        folder = tmp_path / f"{stage}-{precision}-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        build_stage(stage_weights(stage), HEADS[stage], precision, folder, **options)
        return folder

    return make


@pytest.fixture
def gpt_of(folder_of: Make) -> Make:
    """Exports a stage, and opens it."""

    def make(stage: Stage, precision: str = "fp32", **options: Any) -> Aligned:
        folder = folder_of(stage, precision, **options)
        return Aligned(OnnxCausalGPT(folder, SHAPES[stage], stage, HEADS[stage], 1, PROVIDERS, SLOTS))

    return make
