"""The settings of a job: all that changes how it sounds, nothing else, and the same again from a manifest."""

import json
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis import Engine
from alrakis.config import MATHEMATICS
from alrakis.jobs.settings import job_seed, job_settings, setting_differences
from alrakis.sampling import MAX_SEED, Options

SOUND = {
    "precision": "bf16",
    "max_coarse_history": 300,
    "sliding_window_len": 50,
    "fine_window": "fitted",
    "fine_history_frames": 100,
}
OTHERS = {"threads": 2, "max_batch": 3, "pause_turn_s": 2.0, "fade_s": 0.1, "residency": "one-stage"}
OPTIONS = {
    "text_temp": 0.5,
    "waveform_temp": 0.5,
    "fine_temp": 0.4,
    "top_k": 9,
    "top_p": 0.9,
    "min_eos_p": None,
    "max_gen_duration_s": 3.0,
    "allow_early_stop": False,
}


def settings(options: Options | None = None, **config: Any) -> dict[str, Any]:
    with Engine("synthetic-tiny", "torch-fp32", **config) as engine:
        return job_settings(engine, options or Options(), voice=None, seed=3)


@pytest.mark.parametrize("key", SOUND)
def test_what_changes_numbers_is_told(key: str) -> None:
    (line,) = setting_differences(settings(), settings(**{key: SOUND[key]}))
    assert line.startswith(f"{key} was {MATHEMATICS[key]!r}, now {SOUND[key]!r}")


def test_the_other_keys_of_the_mathematics_are_in_it_too() -> None:
    assert MATHEMATICS.keys() - SOUND.keys() == {"kv_cache"}, "torch has one kind of cache"
    assert {"backend", "weights", *MATHEMATICS} <= settings().keys()


@pytest.mark.parametrize("key", OTHERS)
def test_what_changes_no_numbers_is_not(key: str) -> None:
    assert list(setting_differences(settings(), settings(**{key: OTHERS[key]}))) == []


@pytest.mark.parametrize("name", [field.name for field in fields(Options)])
def test_every_option_is_told(name: str) -> None:
    changed = replace(Options(), **{name: OPTIONS[name]})
    (line,) = setting_differences(settings(), settings(changed))
    assert line == f"{name} was {getattr(Options(), name)!r}, now {OPTIONS[name]!r}"


def test_settings_come_back_from_a_manifest_as_they_were() -> None:
    made = settings(Options(**OPTIONS))
    assert list(setting_differences(json.loads(json.dumps(made)), made)) == []


values = st.dictionaries(st.sampled_from("abcd"), st.none() | st.integers(0, 2))


@given(values, values)
def test_there_is_a_line_for_every_key_that_differs(before: dict[str, Any], now: dict[str, Any]) -> None:
    lines = list(setting_differences(before, now))
    differing = {key for key in "abcd" if before.get(key) != now.get(key)}
    assert {line.split()[0] for line in lines} == differing
    assert len(lines) == len(differing)


def test_the_seed_asked_for_comes_before_that_of_the_job() -> None:
    assert job_seed(5, {"seed": 7}) == 5
    assert job_seed(0, {"seed": 7}) == 0
    assert job_seed(None, {"seed": 7}) == 7
    for before in (None, {}, {"seed": "7"}):
        drawn = {job_seed(None, before) for _ in range(20)}
        assert len(drawn) > 18
        assert all(0 <= seed <= MAX_SEED for seed in drawn)


def test_a_manifest_of_before_a_key_had_barks_value() -> None:
    """`fine_history_frames` came later: work that was begun without it goes on under Bark's 512."""
    now = {**MATHEMATICS, "seed": 1}
    before = {key: value for key, value in now.items() if key != "fine_history_frames"}
    assert list(setting_differences(before, now)) == []
    changed = list(setting_differences(before, {**now, "fine_history_frames": 49}))
    assert changed == ["fine_history_frames was 512, now 49"]
