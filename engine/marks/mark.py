"""A chapter's place in an audio file."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Mark:
    """A chapter from one second of a file to another."""

    title: str
    begin_s: float
    end_s: float


def marks_at(begins: Sequence[int], titles: Sequence[str], end: int, rate_hz: int) -> list[Mark]:
    """Marks of chapters that begin at these samples; each ends where the next begins, the last at `end`."""
    ends = [*begins[1:], end][: len(begins)]
    return [
        Mark(title, begin / rate_hz, last / rate_hz)
        for title, begin, last in zip(titles, begins, ends, strict=True)
    ]


def vorbis_comments(marks: Sequence[Mark]) -> list[str]:
    """Marks as ogg and flac have them (xiph.org, "Chapter Extension"); three digits count 999 chapters."""
    comments = []
    for number, mark in enumerate(marks[:999], 1):
        minutes, seconds = divmod(mark.begin_s, 60)
        hours, minutes = divmod(int(minutes), 60)
        comments.append(f"CHAPTER{number:03}={hours:02}:{minutes:02}:{seconds:06.3f}")
        comments.append(f"CHAPTER{number:03}NAME={mark.title}")
    return comments
