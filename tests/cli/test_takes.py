"""The table of takes, and choosing among them."""

import pytest

from alrakis.cli.takes import parse_takes, takes_table
from alrakis.errors import InputError
from alrakis.jobs.reading_manifest import ChunkState, TakeState


def test_takes_are_named_by_chunk_and_place() -> None:
    assert parse_takes([]) == {}
    assert parse_takes(["7=2", " 3 = 1 "]) == {7: 2, 3: 1}


@pytest.mark.parametrize(
    "wrong", ["", "3", "3=", "=1", "3=x", "x=3", "-1=2", "1=2=3", "1.5=2", f"1={'9' * 5000}"]
)
def test_what_names_no_take_is_refused(wrong: str) -> None:
    with pytest.raises(InputError, match="--take takes N=K, as in --take 7=2"):
        parse_takes([wrong])


def test_a_chunk_has_one_take_that_is_heard() -> None:
    with pytest.raises(InputError, match="names chunk 3 twice"):
        parse_takes(["3=1", "3=2"])


def take(text: str, seed: int, **facts: object) -> TakeState:
    return TakeState(text=text, speaker=None, seed=seed, **facts)  # type: ignore[arg-type]


def test_the_table_has_a_line_for_every_take() -> None:
    first = ChunkState(
        chunk=1, text="One.", pause="end", speaker=None, take=1,
        takes=[take("One.", 7, state="done", seconds=1.5, voice="demo/rms")],
    )  # fmt: skip
    cast = TakeState(text="Two!", speaker="MAN", seed=99, state="failed", error="no word for it")
    second = ChunkState(
        chunk=2, text="Two!", pause="end", speaker="MAN", take=2, takes=[take("Two.", 8), cast]
    )
    assert list(takes_table([first, second])) == [
        "chunk  take  state    seconds  seed  voice     text",
        "    1  1     done        1.50  7     demo/rms  One.",
        "    2  1     waiting           8               Two.",
        "       2*    failed            99              MAN: Two! (no word for it)",
    ]


def test_a_label_that_is_said_is_not_shown_twice() -> None:
    said = TakeState(text="MAN: Two!", speaker="MAN", seed=9)
    chunk = ChunkState(chunk=1, text="MAN: Two!", pause="end", speaker="MAN", take=1, takes=[said])
    assert list(takes_table([chunk]))[1].endswith("  MAN: Two!")
