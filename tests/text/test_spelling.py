"""What is said, chunk by chunk, beside how it was written."""

import functools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis.errors import InputError
from alrakis.sampling import Options
from alrakis.text.spelling import said_of, spell, spelled_chunks
from alrakis.text.splitting import Chunk, split_text
from alrakis.weights import open_weights

ENCODER = open_weights("demo").tokenizer()
LEXICON = {
    "words": {"Hermione": "her my oh nee", "Xi": "she. That is a name. And so on", "gone": ""},
    "speaker": {"MAN": {"words": {"tea": "tee"}}},
}
OPTIONS = Options(lexicon=LEXICON)


def chunks(
    text: str, options: Options = OPTIONS, max_s: float = 2.0, cast: tuple[str, ...] = ()
) -> list[Chunk]:
    split = functools.partial(split_text, encoder=ENCODER, language="en", max_s=max_s, cast=cast)
    return spelled_chunks(text, options, "en", cast, split)


def written(made: list[Chunk]) -> str:
    return " ".join(chunk.text if chunk.written is None else chunk.written for chunk in made)


def test_chunks_know_how_they_were_written() -> None:
    made = chunks("Hermione came. She ate bread. Then Hermione left.")
    assert made[0].text.startswith("her my oh nee came.")
    assert (
        " ".join(chunk.written or chunk.text for chunk in made)
        == "Hermione came. She ate bread. Then Hermione left."
    )
    assert chunks("She ate bread.")[0].written is None


def test_a_spelling_across_chunks_belongs_to_the_first() -> None:
    made = chunks("Then Xi came in.")
    assert len(made) > 1
    assert " ".join(
        filter(None, (chunk.text if chunk.written is None else chunk.written for chunk in made))
    ) == ("Then Xi came in.")


def test_speakers_have_their_own_spellings() -> None:
    made = chunks("MAN: tea please\nWOMAN: tea then", cast=("MAN", "WOMAN"))
    assert [(chunk.text, chunk.written) for chunk in made] == [
        ("tee please", "tea please"),
        ("tea then", None),
    ]


def test_numbers_are_normalised_when_asked_for() -> None:
    (made,) = chunks("It is $3M.", Options(normalise=True), 13.0)
    assert (made.text, made.written) == ("It is three million dollars.", "It is $3M.")
    assert chunks("It is $3M.", Options(), 13.0)[0].text == "It is $3M."
    assert said_of("5 Xi", Options(lexicon={"words": {"Xi": "7"}}, normalise=True)) == "five seven"
    assert said_of("5 Bier", Options(normalise=True), "de") == "5 Bier"


def test_what_is_no_lexicon_is_refused() -> None:
    for lexicon in ({"words": {"a": "b", "b": "a"}}, {"words": {"a": object()}}, [1]):
        with pytest.raises(InputError, match="lexicon"):
            spell("a", Options(lexicon=lexicon))  # type: ignore[arg-type]


WORDS = st.sampled_from(["Hermione", "a", "bread", "gone", "Xi", "came.", "then,", "tea", "\n\n", "3"])


@given(st.lists(WORDS, min_size=1, max_size=30))
def test_what_was_written_is_all_there(words: list[str]) -> None:
    text = " ".join(words)
    if not any(char.isalnum() for char in text.replace("gone", "")):
        return
    kept = [word for word in written(chunks(text)).split() if word != "gone"]
    assert kept == [word for word in text.split() if word != "gone"]
