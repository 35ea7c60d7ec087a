"""The demo voice's ids of a text, and what it says that it cannot say."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alrakis.errors import InputError
from alrakis.weights import open_weights
from alrakis.weights.demo.encoder import DemoEncoder, foreign_language


def test_tokenizer_spells_in_lower_case(tmp_path: Path) -> None:
    from transformers import BertTokenizer

    weights = open_weights("demo")
    (tmp_path / "vocab.txt").write_text("\n".join(weights._config["text_vocab"]))
    expected = BertTokenizer(vocab=str(tmp_path / "vocab.txt"), do_lower_case=True)
    text = "Hello, my name is Suno; it's me!"
    ids = weights.tokenizer().encode(text)
    assert ids == expected.encode(text, add_special_tokens=False)
    assert max(ids) + weights.layout.text_offset < weights.layout.text_pad


def test_tokenizer_writes_numbers_out_and_skips_what_it_has_no_sound_for() -> None:
    encoder = open_weights("demo").tokenizer()
    assert encoder.encode("It is 5.") == encoder.encode("It is five.")
    assert encoder.encode("na\u00efve \u266a stra\u00dfe") == encoder.encode("naive strae")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Good morning, how are you?", []),
        ("It costs $5 on May 3.", []),
        ("Music \u266a and more", ["no sound for \u266a: skipped"]),
        ("Das ist nicht die Antwort.", ["looks like German"]),
        ("Je ne sais pas o\u00f9 est la gare.", ["looks like French"]),
        ("one word after the other " * 10, ["takes about 17 s"]),
    ],
)
def test_what_it_cannot_say_is_said_before(text: str, said: list[str]) -> None:
    remarks = open_weights("demo").tokenizer().remarks(text)
    assert len(remarks) == len(said)
    for remark, part in zip(remarks, said, strict=True):
        assert part in remark


@pytest.mark.parametrize("text", ["\u3053\u308c\u306f", "...", "\U0001f600"])
def test_a_text_of_which_nothing_can_be_said_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="nothing of"):
        open_weights("demo").tokenizer().remarks(text)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("This is what I said to you.", None),
        ("Supercalifragilistic", None),
        ("Das ist nicht die Antwort, und ich bin der Mann.", "German"),
        ("Je ne sais pas pour qui est la lettre.", "French"),
        ("No sé por qué, pero yo no lo sé.", "Spanish"),
        ("Non so che cosa sono per lui.", "Italian"),
        ("Eu não sei o que é isso para mim.", "Portuguese"),
        ("Nie wiem, co to jest i jak się to robi.", "Polish"),
        ("Ben çok iyi bir doktor değil mi?", "Turkish"),
        ("Привет, как дела?", "a language in another script"),
        ("der and die or was", None),  # as many English words as others
        ("", None),
    ],
)
def test_a_language_is_told_by_its_script_or_its_words(text: str, language: str | None) -> None:
    assert foreign_language(text) == language


VOCAB = ["[UNK]", *"abcdefghijklmnopqrstuvwxyz.,", *(f"##{char}" for char in "abcdefghijklmnopqrstuvwxyz")]


@given(st.text(st.characters(codec="utf-8"), max_size=60))
@example("\u08ca")
@example("e\u0301\u08cab")
def test_no_text_has_an_unknown_id(text: str) -> None:
    """What the vocabulary has not is left out, and that is said once for each character."""
    encoder = DemoEncoder(VOCAB, longest_s=5.0)
    ids = encoder.encode(text)
    assert 0 not in ids
    try:
        remarks = encoder.remarks(text)
    except InputError:
        assert not {char for char in text.lower() if char in VOCAB[1:27]}
        return
    assert any(1 <= token <= 26 or token > 28 for token in ids)
    skipped = [remark for remark in remarks if "no sound for" in remark]
    assert len(skipped) <= 1


@given(st.integers(1, 200))
def test_a_long_text_is_told_when_it_is_longer_than_the_voice_can(words: int) -> None:
    encoder = DemoEncoder(VOCAB, longest_s=5.0)
    told = [remark for remark in encoder.remarks("abcd " * words) if "loses its way after 5 s" in remark]
    assert bool(told) == ((5 * words - 1) / 14.5 > 5.0)


@pytest.mark.parametrize("given", ["half \ud800", 5, None, b"text", ["text"]])
def test_what_is_not_text_is_refused(given: Any) -> None:
    encoder = open_weights("demo").tokenizer()
    for ask in (encoder.encode, encoder.remarks):
        with pytest.raises(InputError, match=r"surrogate|must be a str"):
            ask(given)
