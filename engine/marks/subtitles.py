"""Subtitles: what is said when, as SubRip (srt), WebVTT (vtt) or JSON."""

import html
import json
import os
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from alrakis.errors import InputError, OutputError
from alrakis.files.writing import check_writable, replace_file
from alrakis.places.given import given_path

FORMATS = (".srt", ".vtt", ".json")
_LINE = 42  # characters, as subtitles have them
_MOST = 84  # of a cue whose words have times


@dataclass(frozen=True)
class Word:
    """A word of a text, and when it is said."""

    text: str
    begin_s: float
    end_s: float


@dataclass(frozen=True, repr=False)
class Cue:
    """A part of a text, and from when to when it is heard. words: with their own times, where known."""

    text: str
    begin_s: float
    end_s: float
    speaker: str | None = None
    words: tuple[Word, ...] = ()

    def __repr__(self) -> str:
        words = f", {len(self.words)} words" if self.words else ""
        return f"<Cue {self.text!r:.60}: {self.begin_s:.3f} to {self.end_s:.3f} s{words}>"

    @property
    def unlabelled(self) -> str | None:
        """The speaker, if the text does not begin with his label."""
        return None if self.speaker is None or self.text.startswith(f"{self.speaker}:") else self.speaker

    def faster(self, speed: float) -> "Cue":
        """The same cue, of audio that is so many times as fast."""
        words = [replace(word, begin_s=word.begin_s / speed, end_s=word.end_s / speed) for word in self.words]
        return replace(self, begin_s=self.begin_s / speed, end_s=self.end_s / speed, words=tuple(words))

    def later(self, seconds: float) -> "Cue":
        """The same cue, so many seconds later."""
        words = [
            replace(word, begin_s=word.begin_s + seconds, end_s=word.end_s + seconds) for word in self.words
        ]
        return replace(self, begin_s=self.begin_s + seconds, end_s=self.end_s + seconds, words=tuple(words))


def check_subtitles(path: str | os.PathLike[str]) -> Path:
    """The absolute path, if subtitles can be written there. Raises InputError."""
    if given_path(path).suffix.lower() not in FORMATS:
        raise InputError(
            f"{os.fspath(path)} must end in {', '.join(FORMATS)}: that tells how subtitles are written"
        )
    try:
        return check_writable(path)
    except OutputError as error:
        raise InputError(str(error)) from None


def save_subtitles(path: str | os.PathLike[str], cues: Sequence[Cue]) -> Path:
    """Write subtitles by the path's extension. Raises InputError for another extension, OutputError."""
    place = check_subtitles(path)
    return replace_file(place, subtitles(cues, place.suffix.lower()).encode())


def subtitles(cues: Sequence[Cue], form: str) -> str:
    """Subtitles as text. form: `.srt`, `.vtt` or `.json`."""
    if form == ".json":
        return json.dumps({"cues": [_as_json(cue) for cue in cues]}, ensure_ascii=False, indent=1) + "\n"
    short = [part for cue in cues for part in _short(cue)]
    if form == ".srt":
        return "".join(f"{number}\n{_srt(cue)}\n" for number, cue in enumerate(short, 1))
    return "WEBVTT\n\n" + "".join(f"{_vtt(cue)}\n" for cue in short)


def _short(cue: Cue) -> Iterator[Cue]:
    """A cue in parts that fit on a screen, where its words have times; else as it is."""
    line: list[Word] = []
    for word in cue.words:
        if line and len(" ".join(own.text for own in [*line, word])) > _MOST:
            yield _of_words(cue, line)
            line = []
        line.append(word)
    yield _of_words(cue, line) if line else cue


def _of_words(cue: Cue, words: Sequence[Word]) -> Cue:
    text = " ".join(word.text for word in words)
    return Cue(text, words[0].begin_s, words[-1].end_s, cue.speaker, tuple(words))


def _srt(cue: Cue) -> str:
    text = " ".join(cue.text.replace("-->", "->").split())
    said = f"{cue.unlabelled}: {text}" if cue.unlabelled else text
    lines = textwrap.wrap(said, _LINE, break_long_words=False) or [""]
    return f"{_time(cue.begin_s, ',')} --> {_time(cue.end_s, ',')}\n" + "\n".join(lines) + "\n"


def _vtt(cue: Cue) -> str:
    if cue.words:
        first, *others = cue.words
        text = " ".join(
            [html.escape(first.text, quote=False)]
            + [f"<{_time(word.begin_s, '.')}>{html.escape(word.text, quote=False)}" for word in others]
        )
    else:
        plain = textwrap.wrap(" ".join(cue.text.split()), _LINE, break_long_words=False)
        text = "\n".join(html.escape(line, quote=False) for line in plain)
    speaker = f"<v {html.escape(cue.unlabelled, quote=False)}>" if cue.unlabelled else ""
    return f"{_time(cue.begin_s, '.')} --> {_time(cue.end_s, '.')}\n{speaker}{text}\n"


def _time(seconds: float, point: str) -> str:
    whole = round(seconds * 1000)
    minutes, milliseconds = divmod(whole, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{milliseconds // 1000:02}{point}{milliseconds % 1000:03}"


def _as_json(cue: Cue) -> dict[str, Any]:
    words = [
        {"word": word.text, "begin": round(word.begin_s, 3), "end": round(word.end_s, 3)}
        for word in cue.words
    ]
    return {
        "begin": round(cue.begin_s, 3),
        "end": round(cue.end_s, 3),
        "text": cue.text,
        "speaker": cue.speaker,
        **({"words": words} if words else {}),
    }
