"""Books of other people, and what is written around their audio: covers, chapter marks, subtitles."""

from pathlib import Path

import numpy as np
import soundfile

from alrakis.audio import save_pieces
from alrakis.books.book import Choices
from alrakis.books.opening import open_book
from alrakis.jobs.reading_output import plan_outputs
from alrakis.marks.subtitles import Cue, Word, subtitles
from tests.fuzz import mutate
from tests.fuzz.reader import Reader, attempt, only

RATE_HZ = 24_000
SOUND = [np.sin(np.arange(1200, dtype=np.float32)), np.zeros(600, np.float32)]


def read_book(folder: Path) -> None:
    path = only(folder)
    data = path.read_bytes()
    attempt(*(lambda own=own: open_book(data, path.name, own) for own in (Choices(), Choices(True, "skip"))))


def read_cover(folder: Path) -> None:
    """As a book's cover goes into its audio."""
    cover = only(folder).read_bytes()
    for kind in ("m4b", "mp3", "flac"):
        save_pieces(folder.parent / f"a.{kind}", SOUND, RATE_HZ, {"title": "T"}, [(0, "One")], cover)


def lines_of(folder: Path) -> list[str]:
    return only(folder).read_bytes().decode("utf-8", "replace").replace("\0", "").split("\n")


def read_marks(folder: Path) -> None:
    """Titles, as a book's are, in every format that has chapter marks; the audio is heard with them."""
    titles = lines_of(folder)
    chapters = [(number % 2, title) for number, title in enumerate(titles)]
    tags = dict(zip(("title", "artist", "album", "text"), [*titles, "", "", "", ""], strict=False))
    for kind in ("mp3", "flac", "ogg", "wav", "m4b"):
        path = save_pieces(folder.parent / f"a.{kind}", SOUND, RATE_HZ, tags, chapters)
        if kind != "m4b":
            heard, rate_hz = soundfile.read(path)
            if rate_hz != RATE_HZ or len(heard) < 1800:
                raise ValueError(f"{kind}: {len(heard)} samples at {rate_hz} Hz")
    for output in plan_outputs(
        str(folder / "{chapter:02} {title} {book}.mp3"), titles, range(1, len(titles) + 1), book=titles[0]
    ):
        if Path(output.path).parent != folder:
            raise ValueError(f"{output.path} is elsewhere")


def read_cues(folder: Path) -> None:
    lines = lines_of(folder)[:10_000]  # a cue takes 0.1 ms, in all formats
    words = tuple(Word(word, 0.1, 0.2) for word in " ".join(lines).split())
    cues = [Cue(line, 0.0, 1.0, lines[0] if number % 2 else None) for number, line in enumerate(lines)]
    for form in (".srt", ".vtt", ".json"):
        subtitles([*cues, Cue(" ".join(lines), 0.0, 2.0, None, words)], form).encode()


def in_epub(name: str) -> mutate.Mutate:
    """How a file in an EPUB is damaged."""
    return mutate.damage_bytes if name.endswith((".png", "mimetype")) else mutate.damage_markup


BOOK_READERS = [
    Reader("EPUB", {".epub": mutate.in_zip(in_epub)}, read_book, 3),
    Reader("HTML", {".html": mutate.damage_markup}, read_book, 4),
    Reader("Markdown", {".md": mutate.damage_text}, read_book, 3),
    Reader("plain text", {".txt": mutate.damage_text}, read_book, 3),
    Reader("cover", {"": mutate.damage_bytes}, read_cover, 2),
    Reader("marks", {"": mutate.damage_text}, read_marks, 1),
    Reader("subtitles", {"": mutate.damage_text}, read_cues, 2),
]
