"""How long a text takes to say, and in which language it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis import Engine
from alrakis.text.pace import CHARS_A_SECOND, expected_s, language_of
from tests.original import original


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Hello", "en"),
        ("Привет", "ru"),
        ("こんにちは", "ja"),
        ("안녕하세요", "ko"),
        ("नमस्ते", "hi"),
        ("你好", "zh"),
    ],
)
def test_the_script_tells_the_language(text: str, language: str) -> None:
    assert language_of(text) == language


def test_a_tag_takes_the_time_of_a_tag() -> None:
    assert expected_s("[laughs]", "en") == expected_s("[clears throat]", "en")


def test_every_language_of_bark_has_a_pace() -> None:
    assert set(CHARS_A_SECOND) == {code for _, code in original("bark.generation").SUPPORTED_LANGS}


languages = st.sampled_from(sorted(CHARS_A_SECOND))


@given(st.text(), st.text(), languages)
def test_two_texts_take_as_long_as_both(first: str, second: str, language: str) -> None:
    """But for brackets, which may make a tag only when they meet."""
    together = first + second
    if "[" not in together:
        whole = expected_s(first, language) + expected_s(second, language)
        assert expected_s(together, language) == pytest.approx(whole)
    assert expected_s(together, language) >= 0


@pytest.mark.parametrize("language", sorted(CHARS_A_SECOND))
def test_digits_take_longer_than_letters_and_tags_are_not_read(language: str) -> None:
    assert expected_s("1234", language) > expected_s("abcd", language)
    tagged = expected_s("Well [a rather long tag here] yes", language) - expected_s("Well  yes", language)
    assert tagged == pytest.approx(expected_s("[laughs]", language))


def test_a_second_of_english_is_about_a_second_of_the_demo_voice() -> None:
    texts = ["The water in the lake is cold.", "Nobody knows where the keys are.", "We met on a train."]
    with Engine("demo", "cpu-fp32") as engine:
        said = engine.generate(texts, seed=1, silent=True)
    spoken_s = sum(result.duration_s for result in said)
    assert spoken_s == pytest.approx(sum(expected_s(text, "en") for text in texts), rel=0.3)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("漢字漢字漢字漢字の", "ja"),  # more than a tenth of kana
        ("漢字漢字漢字漢字漢字の", "zh"),
        ("日本 Привет мир", "ru"),
        ("123 !?", "en"),
        ("Größe", "en"),
    ],
)
def test_mixed_scripts_go_by_most_letters(text: str, language: str) -> None:
    assert language_of(text) == language
