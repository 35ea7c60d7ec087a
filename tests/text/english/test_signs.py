"""Kind: signs of sums, comparisons and powers."""

import pytest

from alrakis.text.english.saying import say_in_words


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("2 + 2 = 4", "two plus two equals four"),
        ("3 * 4 = 12", "three times four equals twelve"),
        ("10/2 = 5", "ten divided by two equals five"),
        ("10 ÷ 2", "ten divided by two"),
        ("5 > 3 and x <= 5", "five is more than three and x is at most five"),
        ("in >5 cases", "in more than five cases"),
        ("<$5", "less than five dollars"),
        ("~50 people, ≈5", "about fifty people, about five"),
        ("±5 and 5±1", "plus or minus five and five plus or minus one"),
        ("x² + y³", "x squared plus y cubed"),
        ("10^6, 10⁶, 10^-3", "ten to the sixth, ten to the sixth, ten to the minus third"),
        ("6.02×10²³", "six point zero two times ten to the twenty-third"),
        ("1.5e-3", "one point five times ten to the minus third"),
        ("√2, π, ∞", "the square root of two, pi, infinity"),
        ("§ 5, №5, © 2020", "section five, number five, copyright twenty twenty"),
        ("snake_case", "snake case"),
        ("a -> b, c > d", "a -> b, c > d"),
    ],
)
def test_readings(written: str, said: str) -> None:
    assert say_in_words(written) == said
