"""Books for `alrakis read`: opening the file, listing its chapters, and where the audio goes."""

import argparse
import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alrakis.cli.arguments import read_bytes
from alrakis.errors import InputError

if TYPE_CHECKING:
    from alrakis.books.book import Book
    from alrakis.jobs.reading_output import Output

MOST_NAMED = 10  # of what is not read aloud

logger = logging.getLogger("alrakis")


def add_book_options(parser: argparse.ArgumentParser) -> None:
    """Add what to read of a book, for `given_book`."""
    group = parser.add_argument_group("what is read of a book")
    group.add_argument("--chapters", metavar="N-M", help="only these chapters, as in 3, 3-5 or 3-")
    group.add_argument("--code", action="store_true", help="read code blocks, too")
    group.add_argument(
        "--tables",
        choices=("rows", "skip"),
        default="rows",
        help="tables: row by row (default), or not at all",
    )


def given_book(args: argparse.Namespace) -> "Book":
    """The book in the file that was given. Raises InputError."""
    from alrakis.books.book import Choices
    from alrakis.books.opening import open_book

    where = "standard input" if args.file == "-" else args.file
    book = open_book(read_bytes(args.file), where, Choices(args.code, args.tables))
    for named in book.left_out[:MOST_NAMED]:
        logger.info("not read aloud: %s", named)
    if len(book.left_out) > MOST_NAMED:
        logger.info("not read aloud: %d more such places", len(book.left_out) - MOST_NAMED)
    return book


def outputs_of(args: argparse.Namespace, book: "Book") -> "list[Output]":
    """The files that the book goes into. Raises InputError."""
    from alrakis.books.book import parse_chapters
    from alrakis.jobs.reading_output import plan_outputs

    titles = [chapter.title for chapter in book.chapters]
    chapters = parse_chapters(args.chapters, len(titles))
    if args.output is None:
        return []
    return plan_outputs(args.output, titles, chapters, book=book.title, author=book.author)


@contextlib.contextmanager
def output_folder(output: str | None) -> Iterator[None]:
    """Make the folder of a pattern; one in which nothing was made is removed. Raises InputError."""
    from alrakis.jobs.reading_output import folder_of, is_pattern

    if output is None or not (is_pattern(output) and folder_of(output)):
        yield
        return
    folder = Path(folder_of(output))
    new = not folder.exists()
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {folder}: {error.strerror}") from None
    try:
        yield
    finally:
        if new:
            with contextlib.suppress(OSError):  # something is in it
                folder.rmdir()


def subtitles_of(args: argparse.Namespace, book: "Book", outputs: "list[Output]") -> list[str | None]:
    """Where the subtitles of each output go. Raises InputError."""
    from alrakis.jobs.reading_output import plan_subtitles
    from alrakis.marks.subtitles import check_subtitles

    if args.subtitles is None:
        return [None] * len(outputs)
    titles = [chapter.title for chapter in book.chapters]
    paths = plan_subtitles(args.subtitles, outputs, titles, book=book.title, author=book.author)
    return [str(check_subtitles(path)) for path in paths]


def work_folder(args: argparse.Namespace) -> Path:
    """The folder of work: the one given, or beside the output."""
    from alrakis.jobs.reading_output import folder_of, is_pattern

    if args.work is not None:
        return Path(args.work)
    if is_pattern(args.output):
        name = "book" if args.file == "-" else Path(args.file).name
        return Path(str(Path(folder_of(args.output)) / f"{name}.work"))
    return Path(f"{args.output}.work")


def chapters_of(book: "Book") -> list[dict[str, Any]]:
    """The chapters of a book that is not begun: number, title, characters, expected seconds."""
    from alrakis.text.pace import CHARS_A_SECOND, expected_s, language_of

    facts = []
    for number, chapter in enumerate(book.chapters, 1):
        language = book.language if book.language in CHARS_A_SECOND else language_of(chapter.text)
        seconds = round(expected_s(chapter.text, language), 1)
        facts.append(
            {
                "chapter": number,
                "title": chapter.title,
                "characters": len(chapter.text),
                "expected_seconds": seconds,
            }
        )
    return facts


def chapters_table(chapters: list[dict[str, Any]]) -> Iterator[str]:
    """A line for each chapter."""
    width = len(str(len(chapters)))
    for facts in chapters:
        minutes, seconds = divmod(round(facts["expected_seconds"]), 60)
        yield f"{facts['chapter']:>{width}}  about {minutes:>3}:{seconds:02}  {facts['title']}"
