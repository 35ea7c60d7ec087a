"""The settings of a job: all that changes how it sounds, nothing else, and the same again from a manifest."""

import json
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import pytest

from alrakis import Engine
from alrakis.config import MATHEMATICS
from alrakis.errors import InputError
from alrakis.jobs.settings import Asked, JobSettings, job_settings, open_job_engine, setting_differences
from alrakis.sampling import MAX_SEED, Options
from tests.checkpoints import write_suno_checkpoints
from tests.jobs.books import job

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
    "lexicon": {"words": {"A": "B"}},
    "normalise": True,
    "takes": 3,
    "until": 0.1,
}


def settings(options: Options | None = None, **config: Any) -> JobSettings:
    with Engine("synthetic-tiny", "torch-fp32", **config) as engine:
        return job_settings(engine, Asked(options=asdict(options or Options()), seed=3), None, None, {})


@pytest.mark.parametrize("key", SOUND)
def test_what_changes_numbers_is_told(key: str) -> None:
    (line,) = setting_differences(settings(), settings(**{key: SOUND[key]}))
    assert line.startswith(f"{key} was {MATHEMATICS[key]!r}, now {SOUND[key]!r}")


def test_the_other_keys_of_the_mathematics_are_in_it_too() -> None:
    assert MATHEMATICS.keys() - SOUND.keys() == {"kv_cache"}, "torch has one kind of cache"
    assert {"backend", "weights", *MATHEMATICS} <= settings().sound.keys()


@pytest.mark.parametrize("key", OTHERS)
def test_what_changes_no_numbers_is_not(key: str) -> None:
    assert list(setting_differences(settings(), settings(**{key: OTHERS[key]}))) == []


@pytest.mark.parametrize("name", [field.name for field in fields(Options)])
def test_every_option_is_told(name: str) -> None:
    changed = replace(Options(), **{name: OPTIONS[name]})
    (line,) = setting_differences(settings(), settings(changed))
    assert line == f"{name} was {getattr(Options(), name)!r}, now {OPTIONS[name]!r}"


def test_settings_come_back_from_a_manifest_as_they_were() -> None:
    made = settings(Options(**OPTIONS), **SOUND, **OTHERS, cpu_parts=("text",))
    assert JobSettings.model_validate_json(made.model_dump_json()) == made


def test_there_is_a_line_for_every_setting_that_differs() -> None:
    changed = job(voice="v", cast={"MAN": "v"}, lang="de", steady="chain", seed=8, weights="bark")
    lines = list(setting_differences(job(), changed))
    assert [line.split()[0] for line in lines] == ["weights", "voice", "cast", "lang", "steady", "seed"]
    assert "voice was None, now 'v'" in lines
    but = list(setting_differences(job(), changed, but=["lang"]))
    assert but == [line for line in lines if not line.startswith("lang")]


def test_what_is_not_asked_for_is_as_it_was() -> None:
    options = {"text_temp": 0.3, "max_gen_duration_s": 4.0}
    begun = Asked("synthetic-tiny", "torch-fp32", {"pack_s": 3.0}, options, seed=5, lang="de", steady="chain")
    with open_job_engine(begun, None) as engine:
        before = job_settings(engine, begun, None, "a voice", {"MAN": "another"})
    with open_job_engine(Asked(), before) as engine:
        assert (engine.weights.name, engine.config) == ("synthetic-tiny", before.config)
        assert job_settings(engine, Asked(), before, None, {}) == before
    again = Asked(overrides={"threads": 2}, options={"fine_temp": 0.2}, seed=6)
    with open_job_engine(again, before) as engine:
        now = job_settings(engine, again, before, None, {})
    assert (now.config.pack_s, now.config.threads, now.seed) == (3.0, 2, 6)
    assert now.options == replace(before.options, fine_temp=0.2)


def test_a_folder_of_weights_is_known_from_any_other_folder(here: Path) -> None:
    (here / "tiny").mkdir()
    write_suno_checkpoints(here / "tiny")
    with open_job_engine(Asked("tiny", "torch-fp32"), None) as engine:
        assert job_settings(engine, Asked(), None, None, {}).weights == str(here / "tiny")


def test_without_a_seed_a_fresh_one_is_drawn() -> None:
    with Engine("synthetic-tiny", "torch-fp32") as engine:
        drawn = {job_settings(engine, Asked(), None, None, {}).seed for _ in range(20)}
        assert len(drawn) > 18
        assert all(0 <= seed <= MAX_SEED for seed in drawn)
        assert job_settings(engine, Asked(seed=0), job(), None, {}).seed == 0
        with pytest.raises(InputError, match="-1"):
            job_settings(engine, Asked(seed=-1), None, None, {})


def test_settings_of_before_a_key_had_barks_value() -> None:
    """`fine_history_frames` came later: work that was begun without it goes on under Bark's 512."""
    values = json.loads(job().model_dump_json())
    del values["config"]["fine_history_frames"]
    assert JobSettings.model_validate_json(json.dumps(values)) == job()
