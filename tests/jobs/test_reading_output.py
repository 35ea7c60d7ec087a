"""Patterns for a file a chapter: no name twice, none outside the folder."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis.errors import InputError
from alrakis.jobs.reading_output import file_name, folder_of, is_pattern, plan_outputs

TITLES = ["One", "Two: what/ever?", "One"]
ALL = range(1, 4)


def paths(pattern: str, titles: list[str] = TITLES) -> list[str]:
    return [
        output.path
        for output in plan_outputs(pattern, titles, range(1, len(titles) + 1), book="B", author="A")
    ]


def test_one_file_or_one_for_each_chapter() -> None:
    assert [(output.path, output.chapters) for output in plan_outputs("b.flac", TITLES, ALL)] == [
        ("b.flac", ALL)
    ]
    assert paths("b/{chapter:02} {title}.mp3") == ["b/01 One.mp3", "b/02 Two what ever.mp3", "b/03 One.mp3"]
    assert paths("{author} - {book} {chapter}.ogg")[2] == "A - B 3.ogg"
    assert folder_of("b/{title}.mp3") == "b"
    assert folder_of("{title}.mp3") == ""
    assert not is_pattern("b.mp3")


def test_a_name_twice_is_refused() -> None:
    with pytest.raises(InputError, match=r"chapters 1 and 3 the same name, 'One\.mp3'"):
        paths("{title}.mp3")
    with pytest.raises(InputError, match="the same name"):
        paths("{title}.mp3", ["one", "ONE"])


@pytest.mark.parametrize(
    "pattern",
    [
        "{titel}.mp3",
        "{0}.mp3",
        "{}.mp3",
        "{title",
        "title}.mp3",
        "{title.__class__}.mp3",
        "{title!r}.mp3",
        "{chapter:{title}}.mp3",
        "{chapter:zz}.mp3",
        "{title}/x.mp3",
        "{title}/../../x.mp3",
        "b/../{title}\\..\\x.mp3",
        "..{title}.mp3",
    ],
)
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(InputError):
        paths(pattern)


@given(st.text(max_size=200))
def test_a_title_never_leaves_the_folder(title: str) -> None:
    name = file_name(title)
    assert name
    assert not set('/\\:*?"<>|\0\n') & set(name)
    assert name not in (".", "..")
    assert len(name.encode()) <= 80
    assert name[0] not in ". "
