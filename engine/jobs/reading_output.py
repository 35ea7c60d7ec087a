"""Where a reading goes: one file, or a file for each chapter, named by a pattern."""

import re
import string
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from alrakis.errors import InputError, nearest

FIELDS = ("chapter", "title", "book", "author")
_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')
_LONGEST = 80  # characters of a title in a file's name


@dataclass(frozen=True)
class Output:
    """A file, and the chapters that it holds, from 1."""

    path: str
    chapters: range


def is_pattern(output: str) -> bool:
    """Whether a path is a pattern for one file a chapter."""
    return "{" in output or "}" in output


def plan_outputs(
    output: str, titles: Sequence[str], chapters: range, *, book: str = "", author: str = ""
) -> list[Output]:
    """The files that chapters go into. titles: of all chapters, the first first.

    Raises InputError for a pattern that is none, that leads out of its folder, or that gives one name twice.
    """
    if not is_pattern(output):
        return [Output(output, chapters)]
    _check_pattern(output)
    outputs: list[Output] = []
    seen: dict[str, int] = {}
    for number in chapters:
        values = {"title": titles[number - 1], "book": book, "author": author}
        path = output.format(chapter=number, **{key: file_name(value) for key, value in values.items()})
        before = seen.setdefault(path.casefold(), number)  # some systems know no case in names
        if before != number:
            raise InputError(
                f"{output!r} gives chapters {before} and {number} the same name, {path!r}: "
                'put {chapter} into it, as in -o "book/{chapter:02} {title}.mp3"'
            )
        outputs.append(Output(path, range(number, number + 1)))
    return outputs


def plan_subtitles(
    pattern: str, outputs: Sequence[Output], titles: Sequence[str], *, book: str = "", author: str = ""
) -> list[str]:
    """The subtitles' path for each output. Raises InputError where one path is given for several."""
    chapters = range(outputs[0].chapters.start, outputs[-1].chapters.stop)
    planned = plan_outputs(pattern, titles, chapters, book=book, author=author)
    if len(planned) != len(outputs):
        raise InputError(
            f"{len(outputs)} audio files need as many of subtitles, not {len(planned)}: give both with the "
            'same fields, as in --subtitles "book/{chapter:02} {title}.srt"'
        )
    return [subtitles.path for subtitles in planned]


def folder_of(output: str) -> str:
    """The folder that the files of a pattern are in, "" for the one at hand."""
    return str(PurePath(output).parent) if PurePath(output).parent != PurePath(".") else ""


def file_name(title: str) -> str:
    """A title as a part of a file's name, on every system."""
    plain = " ".join(_UNSAFE.sub(" ", title).split())
    return plain.encode()[:_LONGEST].decode("utf-8", "ignore").strip(". ") or "untitled"


def _check_pattern(output: str) -> None:
    try:
        parts = list(string.Formatter().parse(output))
        for _, field, form, change in parts:
            if field is not None and (field not in FIELDS or change or "{" in (form or "")):
                raise InputError(
                    f"{output!r} has the field {{{field}}}{nearest(field, list(FIELDS))}; "
                    f"a pattern may have {', '.join(f'{{{name}}}' for name in FIELDS)}"
                )
        output.format(chapter=1, title="", book="", author="")
    except (ValueError, IndexError, KeyError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{output!r} is no pattern for files: {error}") from None
    folder, _, name = output.replace("\\", "/").rpartition("/")
    if is_pattern(folder):
        raise InputError(f"{output!r} has a field in its folder: fields belong into the file's name")
    if ".." in name.split("/") or name.startswith("."):
        raise InputError(f"{output!r} leads out of its folder: a file's name does not begin with a period")
