"""The Engine as its users meet it: lists, seeds, voices, results, threads, closing."""

import gc
import logging
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alrakis import Config, Engine
from alrakis.audio_tags import read_tags
from alrakis.errors import BackendError, ConfigError, GenerationError, InputError, VoiceError

SHORT = {"max_gen_duration_s": 0.3, "silent": True}


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine("synthetic-tiny", "torch-fp32") as made:
        yield made


def same(a: Any, b: Any) -> bool:
    """Whether two results hold the same tokens, and audio equal up to rounding."""
    tokens = ("semantic_tokens", "coarse_tokens", "fine_tokens")
    equal = all(np.array_equal(getattr(a, name), getattr(b, name)) for name in tokens)
    return equal and np.allclose(a.audio, b.audio, atol=1e-5)


def test_one_text_gives_one_result_and_a_list_a_list(engine: Engine) -> None:
    one = engine.generate("hello", seed=5, **SHORT)
    (listed,) = engine.generate(["hello"], seed=5, **SHORT)
    assert engine.generate([], seed=5, **SHORT) == []
    assert same(one, listed)
    frames = one.coarse_tokens.shape[1]
    assert one.audio.dtype == np.float32
    assert one.audio.shape == (320 * frames,)
    assert one.fine_tokens.shape == (8, frames)
    assert one.sample_rate == 24_000
    assert one.duration_s == pytest.approx(frames / 75)
    assert one.seed == 5


def test_rows_of_a_list_are_what_they_are_alone(engine: Engine) -> None:
    texts = ["one", "two words", "and a third row", "four"]
    together = engine.generate(texts, seed=20, max_gen_duration_s=1.0, min_eos_p=0.001, silent=True)
    assert [result.seed for result in together] == [20, 21, 22, 23]
    for text, row in zip(texts, together, strict=True):
        alone = engine.generate(text, seed=row.seed, max_gen_duration_s=1.0, min_eos_p=0.001, silent=True)
        assert same(alone, row)


def test_batches_larger_than_max_batch_are_cut(engine: Engine) -> None:
    texts = [f"row {i}" for i in range(5)]
    whole = engine.generate(texts, seed=1, **SHORT)
    with Engine("synthetic-tiny", "torch-fp32", max_batch=2) as small:
        assert all(same(a, b) for a, b in zip(small.generate(texts, seed=1, **SHORT), whole, strict=True))


def test_without_a_seed_a_fresh_one_is_reported(engine: Engine) -> None:
    first, second = (engine.generate("hello", **SHORT) for _ in range(2))
    assert first.seed != second.seed
    assert same(engine.generate("hello", seed=first.seed, **SHORT), first)


def test_a_result_is_a_voice(engine: Engine, tmp_path: Path) -> None:
    result = engine.generate("hello", seed=1, **SHORT)
    path = result.save_voice(tmp_path / "mine.npz")
    spoken = [engine.generate("again", voice, seed=2, **SHORT) for voice in (result, path, str(path))]
    assert same(spoken[0], spoken[1])
    assert same(spoken[0], spoken[2])
    assert not same(spoken[0], engine.generate("again", seed=2, **SHORT))
    mixed = engine.generate(["again", "again"], [result, None], seed=[2, 2], **SHORT)
    assert same(mixed[0], spoken[0])
    assert not same(mixed[1], spoken[0])


def test_saved_audio_carries_what_makes_it_again(engine: Engine, tmp_path: Path) -> None:
    result = engine.generate("hello \u201cquoted\u201d", seed=77, **SHORT)
    tags = read_tags(result.save(tmp_path / "x.wav"))
    assert tags["text"] == "hello \u201cquoted\u201d"
    assert (tags["seed"], tags["weights"], tags["config"]) == ("77", "synthetic-tiny", "torch-fp32")


def test_no_speech_is_an_empty_result_with_a_warning(
    engine: Engine, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    with caplog.at_level(logging.WARNING, "alrakis"):
        empty = engine.generate("hello", min_eos_p=0.0, seed=1, silent=True)
    assert "no audio" in caplog.text
    assert empty.audio.shape == (0,)
    assert empty.fine_tokens.shape == (8, 0)
    with pytest.raises(GenerationError, match="no speech"):
        empty.save(tmp_path / "x.wav")


def test_long_text_is_cut_with_a_warning(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "alrakis"):
        engine.generate("word " * 300, seed=1, **SHORT)
    assert "text too long" in caplog.text


def test_timings_add_up(engine: Engine) -> None:
    timings = engine.generate("hello", seed=5, **SHORT).timings
    parts = [timings.text_s, timings.coarse_s, timings.fine_s, timings.codec_s]
    assert all(part > 0 for part in parts)
    assert timings.total_s == pytest.approx(sum(parts) + timings.load_s)


def test_threads_take_turns(engine: Engine) -> None:
    alone = [engine.generate("hello", seed=seed, **SHORT) for seed in range(3)]
    results: dict[int, Any] = {}

    def work(seed: int) -> None:
        results[seed] = engine.generate("hello", seed=seed, **SHORT)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(same(results[seed], alone[seed]) for seed in range(3))


def test_engines_live_side_by_side(engine: Engine) -> None:
    before = engine.generate("hello", seed=5, **SHORT)
    with Engine("demo", "torch-fp32") as other:
        assert other.layout.semantic_vocab == 824
        assert len(other.generate("hello", seed=5, **SHORT).audio)
    assert same(engine.generate("hello", seed=5, **SHORT), before)


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


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"text": ""}, InputError),
        ({"text": "  \n"}, InputError),
        ({"text": 5}, InputError),
        ({"text": None}, InputError),
        ({"text": ["fine", ""]}, InputError),
        ({"text": b"bytes"}, InputError),
        ({"text": "x", "text_temp": float("nan")}, InputError),
        ({"text": "x", "waveform_temp": -0.1}, InputError),
        ({"text": "x", "fine_temp": "warm"}, InputError),
        ({"text": "x", "top_k": 0}, InputError),
        ({"text": "x", "seed": 2**64}, InputError),
        ({"text": "x", "seed": 1.5}, InputError),
        ({"text": ["x", "y"], "seed": [1]}, InputError),
        ({"text": "x", "max_gen_duration_s": -1}, InputError),
        ({"text": "x", "voice": "v2/en_speaker_61"}, VoiceError),
        ({"text": "x", "voice": ["v2/en_speaker_6"]}, InputError),
        ({"text": ["x", "y"], "voice": [None]}, InputError),
        ({"text": "x", "voice": {"semantic_prompt": np.arange(3)}}, VoiceError),
    ],
)
def test_bad_input_is_said(engine: Engine, arguments: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        engine.generate(**arguments)


def test_bad_configs_and_weights_are_said() -> None:
    with pytest.raises(ConfigError, match="max_batch"):
        Engine("synthetic-tiny", "torch-fp32", max_bach=2)
    with pytest.raises(InputError, match="synthetic-tiny"):
        Engine("synthetic-tin", "torch-fp32")
