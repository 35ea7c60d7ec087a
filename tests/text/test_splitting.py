"""Splitting: nothing is lost, every chunk fits, and what belongs together stays together."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alrakis.errors import InputError
from alrakis.spec import TEXT_TOKENS
from alrakis.text.encoder import TextEncoder
from alrakis.text.pace import CHARS_A_SECOND, expected_s, language_of
from alrakis.text.splitting import Chunk, split_text
from alrakis.weights import open_weights

ENCODER = open_weights("demo").tokenizer()


BARK = open_weights("synthetic-tiny").tokenizer()


def split(text: str, encoder: TextEncoder = ENCODER, **options: object) -> list[Chunk]:
    return split_text(text, encoder, **options)  # type: ignore[arg-type]


def said(text: str, encoder: TextEncoder = ENCODER, **options: object) -> list[str]:
    return [chunk.text for chunk in split(text, encoder, **options)]


def without_space(text: str) -> str:
    return "".join(text.split())


def letters(text: str) -> str:
    """What is said for certain: signs may be left out where they stand alone."""
    return "".join(filter(str.isalnum, text))


@settings(max_examples=300)
@given(
    st.text().filter(str.strip)
    | st.lists(
        st.sampled_from(["Dr. No", "MAN:", "[laughs]", "♪", "…", "3.14", "“Hi!”", "\n\n", "。", "क्या।"])
    )
    .map(" ".join)
    .filter(str.strip),
    st.sampled_from([None, *CHARS_A_SECOND]),
    st.sampled_from([0.5, 3.0, 13.0]),
)
@example("WOMAN: MAN:", None, 13.0)
@example("a" * 10_000, "en", 13.0)
def test_nothing_of_a_text_is_dropped(text: str, language: str | None, max_s: float) -> None:
    try:
        chunks = split(text, language=language, max_s=max_s)
    except InputError:
        return
    assert letters("".join(chunk.text for chunk in chunks)) == letters(text)
    assert all(letters(chunk.text) for chunk in chunks)
    assert [chunk.pause for chunk in chunks].index("end") == len(chunks) - 1


@settings(max_examples=200)
@given(st.lists(st.sampled_from(["One, two.", "(He!)", "♪ la ♪", "...", "3.14", "a\nb", "WOMAN: yes"])))
def test_signs_among_words_are_not_dropped(parts: list[str]) -> None:
    text = " ".join(["Well.", *parts])
    assert without_space("".join(said(text, encoder=BARK))) == without_space(text)


BREAKS = ["* * *", "***", "-----", "====", "~~~", "⁂", "• • •", "}", ")", "[", "🙂", "—", "?!", "#", "_ _ _"]


@pytest.mark.parametrize("encoder", ["demo", "bark"])
@pytest.mark.parametrize("line", BREAKS)
@pytest.mark.parametrize("around", ["\n", "\n\n", "\r\n", " \n\t", "\f"])
def test_a_line_with_nothing_to_say_is_a_pause(line: str, encoder: str, around: str) -> None:
    encoders = {"demo": ENCODER, "bark": BARK}
    text = around.join(["", line, "Call me Ishmael.", line, line, "It was the best of times.", line, ""])
    chunks = split(text, encoder=encoders[encoder])
    assert [(chunk.text, chunk.pause) for chunk in chunks] == [
        ("Call me Ishmael.", "scene"),
        ("It was the best of times.", "end"),
    ]
    with pytest.raises(InputError, match="nothing to say in"):
        split(f"{line}{around}{line}", encoder=encoders[encoder])


@pytest.mark.parametrize("line", ["♪", "♫", "...", "…", "♪♪♪", "?!... ..."])
def test_signs_that_mean_something_to_bark_are_said_by_it_alone(line: str) -> None:
    text = f"Before it.\n\n{line}\n\nBehind it."
    assert said(text, encoder=BARK) == ["Before it.", line, "Behind it."]
    assert said(text) == ["Before it.", "Behind it."]


def test_a_cut_that_leaves_signs_alone_is_a_pause() -> None:
    dashes = "-" * 400
    chunks = split(f"Before it {dashes} behind it. (!!!) 🙂", encoder=BARK)
    assert [chunk.text.strip("- ") for chunk in chunks] == ["Before it", "behind it. (!!!) 🙂"]


def test_a_break_between_turns_is_one() -> None:
    chunks = split("Once upon a time.\n\n* * *\n\nMAN: Hello.\nWOMAN: Hello.\n-----\nMAN: Bye.", cast={"MAN"})
    assert [chunk.pause for chunk in chunks] == ["scene", "turn", "scene", "end"]


@settings(max_examples=50)
@given(st.text(st.characters(codec="utf-8"), min_size=200).filter(str.strip))
def test_every_chunk_fits(text: str) -> None:
    try:
        chunks = split(text, max_s=5.0)
    except InputError:
        return
    language = language_of(text)
    for chunk in chunks:
        assert len(ENCODER.encode(chunk.text)) <= TEXT_TOKENS
        assert chunk.seconds == expected_s(chunk.text, language)
        assert chunk.seconds <= 5.0


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        ("de", ["Das kostet z. B. 3,50 Euro.", "Herr Dr. Weber kam am 3. Mai an."]),
        ("en", ["Dr. Smith paid $3.14 for it.", "It was, e.g., 1,000 U.S. dollars."]),
        ("es", ["¿Cómo está el Sr. López?", "¡Muy bien, gracias!"]),
        ("fr", ["M. Dupont est parti.", "Où va-t-il ?"]),
        ("hi", ["यह एक घर है।", "वह कहाँ है?"]),
        ("it", ["Il sig. Rossi è qui.", "Dove vai?"]),
        ("ja", ["今日は良い天気です。", "公園に行きましょう！"]),
        ("ko", ["오늘은 날씨가 좋습니다.", "공원에 갑시다!"]),
        ("pl", ["To jest dom, np. duży.", "Gdzie idziesz?"]),
        ("pt", ["O Sr. Silva chegou.", "Onde está ele?"]),
        ("ru", ["Это дом.", "Куда вы идёте?"]),
        ("tr", ["Bu bir ev.", "Nereye gidiyorsun?"]),
        ("zh", ["今天天气很好。", "我们去公园吧！"]),
    ],
)
def test_chunks_end_with_sentences_in_all_of_barks_languages(language: str, sentences: list[str]) -> None:
    space = "" if language in ("ja", "zh") else " "
    longest = max(expected_s(sentence, language) for sentence in sentences)
    assert said(space.join(sentences), language=language, max_s=longest + 0.2) == sentences


@pytest.mark.parametrize(
    "whole",
    [
        "[clears throat]",
        "♪ In the jungle, the mighty jungle. The lion sleeps tonight. ♪",
        "“Is it true? I think so,” she said.",
        "3.14159",
        "1,000,000",
    ],
)
def test_what_belongs_together_stays_together(whole: str) -> None:
    text = f"One sentence comes before it. {whole} Another sentence comes after it."
    limit = expected_s(whole, "en") + 1.0
    assert any(whole in chunk for chunk in said(text, max_s=limit))


def test_a_word_that_is_too_long_is_cut() -> None:
    chunks = split("x" * 10_000)
    assert max(chunk.seconds for chunk in chunks) <= 13
    assert "".join(chunk.text for chunk in chunks) == "x" * 10_000


@pytest.mark.parametrize("text", ["[laughs]", "[laughs] [sighs]"])
def test_tags_alone_are_one_chunk(text: str) -> None:
    assert said(text) == [text]


def test_pauses_follow_the_text() -> None:
    pauses = [chunk.pause for chunk in split("One.\n\nTwo.\nMAN: Three, four, five. Six.", max_s=1.2)]
    assert pauses[0] == "paragraph"
    assert "turn" in pauses
    assert pauses[-1] == "end"


TALK = "Once upon a time. WOMAN: Who is there? MAN: It's me.\nOLD KING: Come in!\nNote: not a speaker."


def test_only_the_labels_of_a_cast_are_left_unsaid() -> None:
    texts = said(TALK, cast={"MAN"})
    assert "It's me." in texts
    assert "WOMAN: Who is there?" in texts


def test_a_sentence_fits_that_takes_exactly_as_long_as_allowed() -> None:
    sentence = "This sentence is as long as it may be."
    assert said(f"{sentence} {sentence}", max_s=expected_s(sentence, "en")) == [sentence, sentence]


def test_short_sentences_are_packed_no_longer_than_asked() -> None:
    text = " ".join(["Here is a sentence."] * 12)
    assert all(chunk.seconds <= 4 for chunk in split(text, pack_s=4.0))
    long = "This one is a single sentence that takes a good deal longer than all of the others do."
    assert said(f"{long} Short.", pack_s=2.0) == [long, "Short."]


def test_sentences_are_not_broken_where_that_is_not_needed() -> None:
    text = "One, two, three, four, five, six. " * 20
    assert all(part.endswith("six.") for part in said(text, max_s=5.0))


def test_a_long_quote_is_cut_at_its_sentences_before_any_clause() -> None:
    sentence = "I came, I saw, and I won."
    quote = f"He said: “{' '.join([sentence] * 12)}” Then he left."
    assert all(part.rstrip("”").endswith(".") for part in said(quote, max_s=6.0))


def test_a_long_clause_is_cut_between_words() -> None:
    text = "word " * 200
    assert {word for part in said(text) for word in part.split()} == {"word"}


@pytest.mark.parametrize("joined", ["e\u0301" * 500, "क्षि" * 500, "x\u200dy" * 500])
def test_a_forced_cut_keeps_what_is_shown_as_one_character(joined: str) -> None:
    first = joined[: next(i for i in range(1, len(joined)) if joined[i] == joined[0])]
    assert all(part.startswith(first[0]) for part in said(joined))


def test_a_language_that_bark_does_not_speak_is_told() -> None:
    with pytest.raises(InputError, match=r"'xx'.*de \(German\)"):
        split("Hello", language="xx")
