"""The configs that `tune` tries."""

from typing import Any

import pytest

from alrakis.bench.tune.candidates import list_candidates, thread_counts
from alrakis.config import load_config
from alrakis.evidence.fastest import CLOSE


@pytest.mark.parametrize("gpu", [False, True])
@pytest.mark.parametrize("low_memory", [False, True])
def test_candidates_are_configs_that_say_what_they_trade(gpu: bool, low_memory: bool) -> None:
    every = list(list_candidates(exact=False, gpu=gpu, threads=[4, 2], low_memory=low_memory))
    exact = list(list_candidates(exact=True, gpu=gpu, threads=[4, 2], low_memory=low_memory))
    configs = [candidate.config() for candidate in every]
    assert len(set(every)) == len(every)
    assert {config.threads for config in configs} == {4, 2}
    assert {config.residency for config in configs} == ({"all", "one-stage"} if low_memory else {"all"})
    assert {config.fine_window for config in configs} == {"full", "fitted"}
    assert {config.backend for config in configs} == ({"torch"} if gpu else {"torch", "onnx"})
    assert exact
    assert set(exact) < set(every)
    assert all(candidate.config().exact for candidate in exact)
    for config in configs:
        if config.fine_window == "fitted":
            assert f"sliding_window_len {config.sliding_window_len}" in config.trades
            assert config.warnings == []


def test_close_ones_are_no_further_from_fp32_than_auto_goes_unasked() -> None:
    def labels(**options: Any) -> set[str]:
        found = list_candidates(exact=False, gpu=False, threads=[2], low_memory=False, close=True, **options)
        return {f"{one.preset} {one.config().precision}" for one in found}

    plain = {f"{name} {load_config(name).precision}" for name in CLOSE}
    assert labels() == plain
    assert labels(features=["AMX BF16"]) == plain | {"torch-fp32 bf16"}
    assert labels(features=["AVX2"]) == plain


def test_presets_for_gpus_are_tried_with_one_number_of_threads() -> None:
    every = [c.preset for c in list_candidates(exact=False, gpu=True, threads=[2, 1, 4], low_memory=False)]
    assert every.count("torch-fp32") == 3 * every.count("gpu-bf16") == 6
    assert every.count("gpu-fp16") == 2


def test_threads_worth_a_trial() -> None:
    assert thread_counts(1, 1) == [1]
    assert thread_counts(2, 2) == [2, 1]
    assert thread_counts(8, 16) == [8, 4, 16]
