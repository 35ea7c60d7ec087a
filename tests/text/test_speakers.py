"""Who speaks: labels in a text, and the cast."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis.errors import InputError
from alrakis.text.speakers import check_cast, speakers, split_turns
from alrakis.text.splitting import Chunk, split_text
from alrakis.weights import open_weights

ENCODER = open_weights("demo").tokenizer()


def split(text: str, **options: object) -> list[Chunk]:
    return split_text(text, ENCODER, **options)  # type: ignore[arg-type]


def without_space(text: str) -> str:
    return "".join(text.split())


TALK = "Once upon a time. WOMAN: Who is there? MAN: It's me.\nOLD KING: Come in!\nNote: not a speaker."


def test_turns_have_their_speakers() -> None:
    assert speakers([TALK]) == ["WOMAN", "MAN", "OLD KING"]
    assert [chunk.speaker for chunk in split(TALK)] == [None, "WOMAN", "MAN", "OLD KING"]
    assert without_space("".join(turn.label + turn.text for turn in split_turns(TALK))) == without_space(TALK)


def test_a_cast_of_nobody_is_an_error_that_lists_who_speaks() -> None:
    check_cast(["MAN"], [TALK])
    with pytest.raises(InputError, match=r"'BOY'.*WOMAN, MAN, OLD KING"):
        check_cast(["BOY"], [TALK])
    with pytest.raises(InputError, match="no labels"):
        check_cast(["BOY"], ["Nobody here."])


fragments = st.sampled_from(
    [
        "WOMAN:",
        "MAN: Hi",
        "OLD KING:",
        "\nOLD KING: yes",
        "Note:",
        "\nTIM： ja",
        "a",
        ".",
        "\n\n",
        " ",
        "IT:",
        "3:45",
    ]
)


@given(
    st.lists(fragments, max_size=12).map(" ".join) | st.text(), st.sets(st.sampled_from(["TIM", "IT", "a"]))
)
def test_turns_are_the_whole_text_and_none_is_empty(text: str, names: set[str]) -> None:
    turns = split_turns(text, names)
    assert all(turn.text.strip() for turn in turns)
    if text.strip():
        assert without_space("".join(turn.label + turn.text for turn in turns)) == without_space(text)
    for turn in turns:
        assert (turn.speaker is None) == (turn.label == "")
        assert turn.label.startswith(turn.speaker or "")
        assert turn.label == "" or turn.label.rstrip()[-1] in ":："
    assert all(turn.speaker is not None for turn in turns[1:])
    assert speakers([text], names) == list(dict.fromkeys(turn.speaker for turn in turns if turn.speaker))


@pytest.mark.parametrize(
    ("text", "names", "found"),
    [
        ("MAN: a WOMAN: b NARRATOR: c", [], ["MAN", "WOMAN", "NARRATOR"]),
        ("TIM: a\nTOM: b", [], ["TIM", "TOM"]),
        ("Tim: a. tim: b", [], []),
        ("Tim: a. tim: b", ["Tim"], ["Tim"]),
        ("He said TIM: a", [], []),
        ("He said TIM: a", ["TIM"], ["TIM"]),
        ("MAN:\nWOMAN: b", [], ["WOMAN"]),
        ("X: a letter is no name", [], []),
        ("THE TIME IS 3:45", [], []),
        ("HUMAN: a", [], ["HUMAN"]),
        ("a HUMAN: b", [], []),
        ("МИША： да", [], ["МИША"]),
    ],
)
def test_what_is_a_label(text: str, names: list[str], found: list[str]) -> None:
    assert speakers([text], names) == found
