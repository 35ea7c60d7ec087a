"""One key, one artifact: what else was exported, in which order and how it is run, changes no byte."""

import hashlib
from itertools import combinations, permutations
from pathlib import Path
from typing import Any

import pytest

from alrakis.config import Config
from alrakis.export.artifacts import Artifacts
from alrakis.export.store import MANIFEST
from alrakis.spec import STAGES, Stage
from tests.export.small import Small, config, outlying

FEW = [("text",), ("coarse",), ("fine",), ("fine", "coarse", "text")]
ALL = [order for n in (1, 2, 3) for subset in combinations(STAGES, n) for order in permutations(subset)]
Hashes = dict[str, str]  # by an artifact's name and a file's


class WithAnOutlier(Small):
    """Weights whose coarse stage has a layer that stays fp32."""

    name = "outlier"

    def __init__(self) -> None:
        super().__init__(arrays=outlying("coarse", "transformer.h.1.mlp.c_fc", "transformer.h.1.ln_2", 300.0))


def export(root: Path, chosen: Config, order: tuple[Stage, ...]) -> Hashes:
    """Export stages into a folder; returns the hashes of all their files but the manifests."""
    weights, found = WithAnOutlier(), {}
    artifacts = Artifacts(weights, chosen)
    for stage in order:
        folder = artifacts.export_into(root, weights.stage(stage)).folder
        for path in folder.iterdir():
            if path.name != MANIFEST:
                found[f"{folder.name}/{path.name}"] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def test_stages_alone_and_in_the_other_order_are_the_same(tmp_path: Path) -> None:
    _exports_are_the_same(config("int8", kv_cache="int8"), FEW, tmp_path)


@pytest.mark.faults
@pytest.mark.parametrize("kv_cache", ["full", "int8"])
@pytest.mark.parametrize("precision", ["int8", "int4"])
def test_every_order_and_subset_gives_the_same_bytes(precision: str, kv_cache: str, tmp_path: Path) -> None:
    _exports_are_the_same(config(precision, kv_cache=kv_cache), ALL, tmp_path)


def _exports_are_the_same(chosen: Config, orders: list[Any], folder: Path) -> None:
    whole = export(folder / "whole", chosen, STAGES)
    for order in orders:
        for name, digest in export(folder / "-".join(order), chosen, order).items():
            assert whole[name] == digest, (order, name)


def test_configs_that_share_an_artifact_make_the_same(tmp_path: Path) -> None:
    keys = {"kv_cache": "int8", "threads": 2, "verify_min_top1": 0.1}
    chosen = [config("int8"), config("int4", **keys)]
    first, second = (export(tmp_path / each.precision, each, STAGES) for each in chosen)
    shared = set(first) & set(second)
    assert {name.partition("-")[0] for name in shared} == {"fine"}
    assert all(first[name] == second[name] for name in shared)
