"""Scores as manifests have them, and the seeds of takes."""

import json

from hypothesis import given
from hypothesis import strategies as st

from alrakis.listening.score import Score, ScoredTake, take_seed
from alrakis.sampling import MAX_SEED


def test_facts_are_json() -> None:
    facts = ScoredTake(7, Score(0.12345, 1.0, True, 0.1, 0.0, -20.0, 0.1, "heard")).facts()
    assert json.loads(json.dumps(facts)) == facts
    assert (facts["seed"], facts["error"], facts["heard"]) == (7, 0.1235, "heard")


@given(st.integers(0, MAX_SEED), st.integers(0, 99), st.integers(0, 99), st.integers(0, 100_000))
def test_no_take_has_the_seed_of_another_chunks_take(seed: int, take: int, other: int, chunk: int) -> None:
    assert take_seed(seed, 0) == seed
    assert 0 <= take_seed(seed, take) <= MAX_SEED
    if chunk or take != other:
        assert take_seed(seed, take) != take_seed((seed + chunk) & MAX_SEED, other)
