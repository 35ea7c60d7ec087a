"""The stages of one set of weights: loaded when needed, run in batches, freed and closed."""

import gc
import logging
import weakref
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from alrakis import Config, Engine
from alrakis.config import load_config
from alrakis.errors import BackendError, ConfigError, InputError
from alrakis.flight.journey import Known, Manner, manners
from alrakis.flight.sequence import Caller
from alrakis.sampling import Options
from alrakis.timings import Clock
from tests.results import same

SHORT = {"max_gen_duration_s": 0.3, "silent": True}


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine("synthetic-tiny", "torch-fp32") as made:
        yield made


def test_batches_larger_than_max_batch_are_cut(engine: Engine) -> None:
    texts = [f"text {i}" for i in range(5)]
    whole = engine.generate(texts, seed=1, **SHORT)
    with Engine("synthetic-tiny", "torch-fp32", max_batch=2) as small:
        assert all(same(a, b) for a, b in zip(small.generate(texts, seed=1, **SHORT), whole, strict=True))


def test_windows_change_and_nothing_is_loaded_anew() -> None:
    windows = {"sliding_window_len": 90, "fine_window": "fitted", "trades": "a test"}
    with Engine("synthetic-tiny", "torch-fp32", **windows) as engine:
        expected = engine.generate("Hello.", seed=1, **SHORT)
    with Engine("synthetic-tiny", "torch-fp32") as engine:
        before = engine.generate("Hello.", seed=1, **SHORT)
        assert not same(before, expected)
        coarse = engine.backend.coarse()
        engine.change_windows(load_config("torch-fp32", windows))
        assert engine.backend.coarse() is coarse
        assert engine.config.sliding_window_len == 90
        assert same(engine.generate("Hello.", seed=1, **SHORT), expected)
        for more in ({"precision": "bf16"}, {"max_batch": 3}, {"threads": 7}):
            with pytest.raises(ConfigError, match="make an engine for it"):
                engine.change_windows(load_config("torch-fp32", {**windows, **more}))


def test_long_text_is_cut_with_a_warning(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "alrakis"):
        engine.generate("word " * 300, seed=1, **SHORT)
    assert "text too long" in caplog.text


def test_closing_frees_and_a_closed_engine_says_so() -> None:
    engine = Engine("synthetic-tiny", "torch-fp32")
    engine.preload()
    assert engine.loaded == ["text", "coarse", "fine", "codec"]
    running = weakref.ref(engine.backend.text())
    engine.unload(["fine"])
    assert engine.loaded == ["text", "coarse", "codec"]
    engine.close()
    engine.close()
    gc.collect()
    assert running() is None
    with pytest.raises(BackendError, match="closed"):
        engine.generate("hello")


def test_residency_one_stage_keeps_one_stage_and_changes_nothing(engine: Engine) -> None:
    with Engine("synthetic-tiny", "torch-fp32", residency="one-stage") as frugal:
        result = frugal.generate("hello", seed=5, **SHORT)
        assert same(result, engine.generate("hello", seed=5, **SHORT))


def test_configs_come_by_name_path_or_object(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('backend = "torch"\nmax_batch = 3\n')
    for config in (path, str(path), Config(backend="torch", max_batch=3)):
        with Engine("synthetic-tiny", config, threads=1) as engine:
            assert (engine.config.max_batch, engine.config.threads, engine.config.exact) == (3, 1, True)


def test_bad_configs_and_weights_are_said() -> None:
    with pytest.raises(ConfigError, match="max_batch"):
        Engine("synthetic-tiny", "torch-fp32", max_bach=2)
    with pytest.raises(InputError, match="synthetic-tiny"):
        Engine("synthetic-tin", "torch-fp32")


def test_the_stages_one_by_one_make_what_generate_makes(engine: Engine) -> None:
    """Each stage over a batch, texts of several voices in it."""
    texts, options = ["hello", "and a longer text", "x"], Options(max_gen_duration_s=0.4, text_temp=0.6)
    voice = engine.load_voice(engine.generate("a voice", seed=3, **SHORT))
    voices, seeds = [voice, None, voice], [5, 6, 7]
    whole = engine.generate(texts, voices, seed=seeds, options=options, silent=True)
    semantics = engine.text_to_semantic(texts, voices, seeds, options, silent=True)
    coarse = engine.semantic_to_coarse(semantics, voices, seeds, options, silent=True)
    fine = engine.coarse_to_fine(coarse, voices, seeds, options, silent=True)
    audio = engine.codes_to_audio(fine, silent=True)
    for i, result in enumerate(whole):
        np.testing.assert_array_equal(semantics[i], result.semantic_tokens)
        np.testing.assert_array_equal(coarse[i], result.coarse_tokens)
        np.testing.assert_array_equal(fine[i], result.fine_tokens)
        np.testing.assert_allclose(audio[i], result.audio, atol=1e-6)
        assert (result.voice, result.seed) == ("of an earlier result" if voices[i] else None, seeds[i])


@pytest.mark.parametrize("count", [1, 3])
def test_whoever_watches_is_told_of_all_the_audio(engine: Engine, count: int) -> None:
    told: dict[str, float] = defaultdict(float)

    def watch(part: str, seconds: float) -> None:
        told[part] += seconds

    options = Options(max_gen_duration_s=0.4)
    texts, seeds, nobody = ["hello"] * count, list(range(count)), [None] * count
    semantics = engine.text_to_semantic(texts, nobody, seeds, options, clock=Clock(watch), silent=True)
    caller = Caller(watch)
    handles = [
        engine.said("hello", manner, caller, known=Known(tokens))
        for tokens, manner in zip(semantics, manners(nobody, seeds, options), strict=True)
    ]
    made_s = sum(handle.result().duration_s for handle in handles)
    assert {part: told[part] for part in ("coarse", "fine", "codec")} == pytest.approx(
        {"coarse": made_s, "fine": made_s, "codec": made_s}
    )
    spoken = sum(map(len, semantics))
    assert told["text"] == pytest.approx(spoken / engine.layout.semantic_rate_hz, abs=0.03 * count)


def test_a_text_that_says_nothing_is_passed_over_by_the_other_stages(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    semantics = [np.empty(0, np.int64), np.arange(20)]
    caller = Caller()
    handles = [
        engine.said(text, Manner(None, seed, Options()), caller, known=Known(tokens))
        for text, seed, tokens in zip(["nothing", "something"], [1, 2], semantics, strict=True)
    ]
    results = [handle.result() for handle in handles]
    assert [len(result.audio) > 0 for result in results] == [False, True]
    assert "no audio for 'nothing'" in caplog.text
    alone = engine.semantic_to_coarse([semantics[1]], [None], [2], Options(), silent=True)[0]
    np.testing.assert_array_equal(results[1].coarse_tokens, alone)


def test_a_part_that_there_is_not_is_told(engine: Engine) -> None:
    for call in (engine.preload, engine.unload):
        with pytest.raises(InputError, match="no part 'voice'; parts are text, coarse, fine, codec"):
            call(["voice"])
