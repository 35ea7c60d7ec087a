"""Calibration: it depends on a stage alone, sees every linear, and its scales hold what speech needs."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from alrakis.export.accuracy.calibration import SEQUENCES, calibrate
from alrakis.export.accuracy.reference import ReferenceGPT
from alrakis.export.accuracy.report import outliers
from alrakis.export.accuracy.verifier import Verifier
from alrakis.export.artifacts import part_heads
from alrakis.export.build import build_stage
from alrakis.sampling import FloatArray
from alrakis.spec import STAGES, Stage
from alrakis.weights import open_weights
from alrakis.weights.types import Weights
from tests.export.small import Small, outlying

BROKEN = "transformer.h.1.mlp.c_fc"
NORM = "transformer.h.1.ln_2"


def build(weights: Weights, stage: Stage, folder: Path, scales: FloatArray | None = None) -> Path:
    part = weights.stage(stage)
    folder.mkdir()
    build_stage(part, part_heads(part, weights.layout), "int8", folder, cache_scales=scales)
    return folder


@pytest.mark.parametrize("stage", STAGES)
def test_every_quantized_linear_is_measured(stage: Stage, tmp_path: Path) -> None:
    part = Small().stage(stage)
    found = calibrate(part, part_heads(part, Small.layout), build(Small(), stage, tmp_path / "out"))
    names = {"attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"}
    linears = {f"transformer.h.{layer}.{name}" for layer in range(2) for name in names}
    for errors in found.errors.values():
        assert linears < set(errors)
        assert any("head" in name for name in errors)


@pytest.mark.parametrize("stage", STAGES)
def test_it_is_the_same_again_and_has_nothing_of_the_layout(stage: Stage, tmp_path: Path) -> None:
    """The layout's other ids are not in an artifact's key."""
    weights, other = Small(), Small()
    other.layout = dataclasses.replace(other.layout, text_pad=80, semantic_infer=81, coarse_infer=2109)
    folder = build(weights, stage, tmp_path / "out")
    found = [
        calibrate(w.stage(stage), part_heads(w.stage(stage), w.layout), folder) for w in (weights, other)
    ]
    assert found[0].errors == found[1].errors
    scales = [each.cache_scales for each in found]
    assert (scales[0] is None) == (stage == "fine")
    np.testing.assert_array_equal(*scales)


def test_scales_are_of_all_sequences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    passes: list[FloatArray] = []
    logits = ReferenceGPT.logits
    monkeypatch.setattr(ReferenceGPT, "logits", lambda *args: passes.append(args[1]) or logits(*args))
    part = Small().stage("coarse")
    calibrate(part, part_heads(part, Small.layout), build(Small(), "coarse", tmp_path / "out"))
    assert len(passes) == SEQUENCES == len({x.tobytes() for x in passes})


@pytest.mark.parametrize("factor", [1000.0, 0.001])
def test_a_layer_that_cannot_be_rounded_stands_out(factor: float, tmp_path: Path) -> None:
    weights = Small(arrays=outlying("coarse", BROKEN, NORM, factor))
    part = weights.stage("coarse")
    found = calibrate(part, part_heads(part, weights.layout), build(weights, "coarse", tmp_path / "out"))
    assert outliers(found.errors, 4.0) == (BROKEN,)


def test_random_ids_cost_the_demo_voice_hardly_more_than_a_full_cache(tmp_path: Path) -> None:
    """Divergence over what it says, with a cache of 8 bits whose scales come from random ids."""
    weights = open_weights("demo")
    full, small = Verifier(weights, 1), Verifier(weights, 1)
    for stage in ("text", "coarse"):
        part = weights.stage(stage)
        folder = build(weights, stage, tmp_path / stage)
        scales = calibrate(part, part_heads(part, weights.layout), folder).cache_scales
        cached = build(weights, stage, tmp_path / f"{stage}-cache", scales)
        costs = [full.measure(part, "int8", folder).kl_mean, small.measure(part, "int8", cached).kl_mean]
        assert costs[1] < costs[0] + 0.0008, stage


SCALES = """
import hashlib, pathlib, sys
from alrakis.export.accuracy.calibration import calibrate
from alrakis.export.artifacts import part_heads
from alrakis.weights import open_weights
weights = open_weights("demo")
part = weights.stage("coarse")
found = calibrate(part, part_heads(part, weights.layout), pathlib.Path(sys.argv[1]))
print(hashlib.sha256(found.cache_scales).hexdigest())
"""


def test_scales_do_not_depend_on_threads(tmp_path: Path) -> None:
    found = set()
    command = [sys.executable, "-c", SCALES, str(tmp_path)]  # a folder without graphs: only scales
    for threads in ("1", "2"):
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        env = {**os.environ, **dict.fromkeys(names, threads)}
        found.add(subprocess.run(command, env=env, capture_output=True, check=True).stdout)
    assert len(found) == 1
