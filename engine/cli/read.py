"""`alrakis read`: a long text into one audio file; a stopped run can be continued."""

import argparse
import contextlib
import logging
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from alrakis.cli.arguments import (
    add_job_options,
    add_json_option,
    add_listening_options,
    given,
    job_asked,
    set_listener,
    tell_note,
)
from alrakis.cli.book import (
    add_book_options,
    chapters_of,
    chapters_table,
    given_book,
    output_folder,
    outputs_of,
    subtitles_of,
    work_folder,
)
from alrakis.cli.clusters import add_cluster_options, cluster_size, open_cluster, speaks
from alrakis.cli.output import STDOUT, check_book_places, check_stdout, check_unwritten_places
from alrakis.cli.reports import book_report, manifest_report, read_report
from alrakis.cli.showing import MOST_TOLD, changes_line, show, show_json_line
from alrakis.cli.takes import parse_takes, takes_table
from alrakis.errors import GenerationError, InputError
from alrakis.files.printable import printable

if TYPE_CHECKING:
    from alrakis.books.book import Book
    from alrakis.cli.player import Player
    from alrakis.files.writing import Stamp
    from alrakis.jobs.reading import Reading
    from alrakis.jobs.reading_output import Output
    from alrakis.long.cues import Align

NAME = "read"
SUMMARY = "read a long text, such as a book, into an audio file"
DESCRIPTION = """\
Read a text of any length, or a book (txt, Markdown, HTML, EPUB), into one audio file or one for each chapter.
It is said in chunks of a few sentences, several at once. Each chunk is kept in a folder beside the output
(book.flac.work), so that the same command goes on where it was stopped. The folder is for you to remove."""
EXAMPLES = """\
examples:
  alrakis read book.txt -o book.flac --voice v2/en_speaker_6
  alrakis read book.txt -o book.flac --list                 (the chunks, and how far they are)
  alrakis read book.txt -o book.flac --redo 7               (chunk 7 anew, with another seed)
  alrakis read book.txt -o book.flac --take 7=1             (its first take again)
  alrakis read book.epub --list                             (its chapters)
  alrakis read book.epub -o "book/{chapter:02} {title}.mp3"
  alrakis read book.epub -o book.m4b --chapters 3-5
  alrakis read play.txt -o play.mp3 --cast MAN=v2/en_speaker_6 --cast WOMAN=v2/en_speaker_9
  alrakis read letter.txt --stream | aplay                  (hear the beginning while the rest is made)

What it was begun with (weights, config, voice, cast, seed, ...) need not be given again. When the text was
corrected, the chunks that changed are made, and the others kept.

Without a voice, the first chunk's becomes that of all. Pauses, trimmed silence, fades and loudness are config
keys: --set pause_sentence_s=0.5 --set trim_silence_db=0 --set fade_s=0.02 --set loudness_lufs=-20. They may
be changed later: the chunks are joined anew."""

DOUBTFUL = 0.3  # an error from which on a chunk is named, without --until

logger = logging.getLogger("alrakis")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", type=given, metavar="FILE", help="txt, md, html or epub; - reads standard input"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=given,
        metavar="AUDIO",
        help="wav, flac, ogg, mp3 or m4b; with {chapter} or {title} in its name a file for each chapter",
    )
    parser.add_argument(
        "--work",
        type=given,
        metavar="DIR",
        help="the folder of work (default: the output's name + .work)",
    )
    parser.add_argument(
        "--stream",
        nargs="?",
        const="wav",
        choices=("wav", "pcm"),
        help="write to standard output what is ready: wav, or pcm (16 bits, little-endian, mono)",
    )
    _add_looks(parser)
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress bar and no closing line")
    parser.add_argument(
        "--subtitles",
        type=given,
        metavar="FILE",
        help="also write when what is said: srt, vtt or json, by the extension",
    )
    add_json_option(parser)
    add_listening_options(parser, words=True)
    add_book_options(parser)
    add_cluster_options(parser)
    add_job_options(parser).add_argument(
        "--steady",
        choices=("voice", "chain"),
        help="voice: all chunks in the same voice, several at once (default); "
        "chain: each goes on from the one before, one at a time",
    )


def _add_looks(parser: argparse.ArgumentParser) -> None:
    """Add what looks into a folder of work, and changes what is heard."""
    parser.add_argument("--list", action="store_true", help="show the chunks of the folder of work, and end")
    parser.add_argument(
        "--redo",
        type=int,
        metavar="N",
        action="append",
        default=[],
        help="make chunk N anew, with another seed",
    )
    parser.add_argument(
        "--take",
        metavar="N=K",
        action="append",
        default=[],
        help="let the K-th take of chunk N be heard (--list shows them)",
    )


def run(args: argparse.Namespace) -> None:
    if args.quiet:
        logger.setLevel(logging.WARNING)
    if args.list:
        _list(args)
        return
    cluster_size(args)
    if args.output is None and args.stream is None:
        raise InputError("give an output, as in -o book.flac, or --stream")
    if args.stream:
        check_stdout()
        if args.json:
            raise InputError("--json and --stream both write to standard output: leave one of them out")
    if args.output == STDOUT:
        raise InputError("--stream writes to standard output, as the audio comes; leave -o - out")
    there = check_book_places(args.output)
    book = given_book(args)
    if args.subtitles is not None and args.output is None:
        raise InputError("--subtitles belong to a file: give it with -o; --stream alone has none")
    outputs = outputs_of(args, book)
    with contextlib.ExitStack() as stack:
        stack.enter_context(output_folder(args.output))
        subtitles = subtitles_of(args, book, outputs)
        for output in outputs:
            there |= check_book_places(output.path)
        if args.output is None and args.work is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="alrakis-")))
        else:
            folder = work_folder(args)
        _read(args, book, folder, dict(zip(outputs, subtitles, strict=True)), there)


def _list(args: argparse.Namespace) -> None:
    """Show the chunks that are there, or the chapters of a book that is not begun."""
    if args.output is not None or args.work is not None:
        _show(work_folder(args), args.json)
        return
    book = given_book(args)
    chapters = chapters_of(book)
    if args.json:
        show_json_line(book_report(book, chapters))
        return
    for line in map(printable, chapters_table(chapters)):
        show(line)


def _show(folder: Path, as_json: bool) -> None:
    """Print the manifest as a table."""
    from alrakis.jobs.reading_manifest import load_manifest

    manifest = load_manifest(folder)
    if manifest is None:
        raise InputError(f"nothing has been read in {folder} yet: there is no manifest")
    if as_json:
        show_json_line(manifest_report(manifest))
        return
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in map(printable, takes_table(manifest.chunks)):
        show(line if columns is None or len(line) <= columns else f"{line[: columns - 1]}…")
    done = len(manifest.chunks) - len(manifest.unfinished)
    audio_s = sum(chunk.chosen.seconds for chunk in manifest.chunks)
    for number, title in enumerate(manifest.chapters if len(manifest.chapters) > 1 else [], 1):
        own = [chunk for chunk in manifest.chunks if chunk.chapter == number]
        there = sum(chunk.chosen.finished for chunk in own)
        show(printable(f"chapter {number}, {title}: {there} of chunks {own[0].chunk} to {own[-1].chunk}"))
    show(f"{done} of {len(manifest.chunks)} chunks, {audio_s:.1f} s of audio")


def _read(
    args: argparse.Namespace,
    book: "Book",
    folder: Path,
    outputs: "dict[Output, str | None]",
    there: "dict[Path, Stamp]",
) -> None:
    from alrakis.cli.player import Player
    from alrakis.jobs.reading import Reading
    from alrakis.jobs.reading_folder import ReadingFolder
    from alrakis.jobs.reading_manifest import load_manifest
    from alrakis.jobs.settings import open_job_engine
    from alrakis.text.pace import CHARS_A_SECOND, language_of
    from alrakis.text.speakers import check_cast

    takes, asked, before = parse_takes(args.take), job_asked(args), load_manifest(folder)
    check_cast(asked.cast, [chapter.text for chapter in book.chapters])
    if before is None and asked.lang is None and book.language in CHARS_A_SECOND:
        asked = replace(asked, lang=book.language)
    work, settings = ReadingFolder(folder), before.settings if before else None
    with contextlib.ExitStack() as stack:
        engine = stack.enter_context(open_job_engine(asked, settings, speaks(args)))
        stack.enter_context(work.hold())
        lang = asked.lang or (settings.lang if settings else None)
        lang = lang or language_of(book.chapters[0].text)
        aligning = set_listener(engine, args, [lang])
        cluster = stack.enter_context(open_cluster(args, [lang]))
        speaker = cluster.speaker if cluster else None
        reading = Reading(engine, book, asked, work, args.chapters, speaker)
        reading.choose(takes)
        reading.redo(args.redo)
        tell_note(engine)
        _tell_plan(reading)
        began = time.perf_counter()
        with Player(reading, args.stream) as player:
            try:
                made_s = _make(args, reading, player)
            except BaseException:
                if args.output is not None or args.work is not None:
                    _tell_stop(reading, folder)
                raise
            seconds: dict[str, float] = {}
            if reading.speaks:
                check_unwritten_places(there)
                seconds = _join(reading, outputs, _figures(made_s, began), aligning and aligning(lang))
            player.end()
        if args.json:
            show_json_line(read_report(reading, outputs, seconds, made_s, _bound(args)))
        _tell_doubtful(reading, _bound(args))
        _tell_unsaid(reading)


def _bound(args: argparse.Namespace) -> float:
    return DOUBTFUL if args.until is None else float(args.until)


def _tell_doubtful(reading: "Reading", bound: float) -> None:
    """Name the chunks whose best take is not good."""
    doubtful = list(reading.doubtful(bound))
    for chunk, score in doubtful[:MOST_TOLD]:
        heard = f", heard as {score['heard']!r:.80}" if score["heard"] else ""
        logger.warning("chunk %d: its best take has an error of %.2f%s", chunk.chunk, score["error"], heard)
    if len(doubtful) > MOST_TOLD:
        logger.warning("and %d more chunks with an error over %g", len(doubtful) - MOST_TOLD, bound)


def _join(
    reading: "Reading", outputs: "dict[Output, str | None]", figures: str, align: "Align | None"
) -> dict[str, float]:
    """Write the files; gives the seconds of each, by its path."""
    seconds = {}
    for output, subtitles in outputs.items():
        total_s = reading.join(output, subtitles, align)
        seconds[output.path] = total_s
        if total_s:
            logger.info("wrote %s: %.2f s of audio, %s", output.path, total_s, figures)
        else:
            logger.warning("%s is not written: nothing of its chapter has a sound", output.path)
    return seconds


def _tell_plan(reading: "Reading") -> None:
    """Log what is made of a text that was corrected."""
    plan = reading.revision
    if plan is not None and (plan.changed or plan.gone):
        logger.info("%s", changes_line("chunks", plan.changed, len(reading.chunks), plan.gone))


def _tell_stop(reading: "Reading", folder: Path) -> None:
    count = len(reading.wanted)
    done = sum(chunk.chosen.finished for chunk in reading.wanted)
    logger.info("%d of %d chunks are in %s; the same command goes on from there", done, count, folder)


def _tell_unsaid(reading: "Reading") -> None:
    """Raises GenerationError if a chunk could not be said, or none has a sound."""
    chunks = reading.wanted
    failed = [chunk for chunk in chunks if chunk.chosen.state == "failed"]
    if failed:
        reasons = "".join(f"\n  - chunk {chunk.chunk}: {chunk.chosen.error}" for chunk in failed[:MOST_TOLD])
        more = f"\n  - and {len(failed) - MOST_TOLD} more" if len(failed) > MOST_TOLD else ""
        raise GenerationError(
            f"{len(failed)} of {len(chunks)} chunks could not be said and are left out:{reasons}{more}\n"
            "the same command tries them again"
        )
    if not reading.speaks:
        raise GenerationError("no speech was made for any part of the text; try another --seed")
    silent = [str(chunk.chunk) for chunk in chunks if chunk.chosen.state == "silent"]
    if silent:
        logger.warning("silent: %s; --redo N tries chunk N with another seed", ", ".join(silent))


def _figures(made_s: float, began: float) -> str:
    wall_s = time.perf_counter() - began
    if made_s == 0:
        return "joined from chunks that were there"
    return f"{made_s:.2f} s of it made in {wall_s:.2f} s (real-time factor {wall_s / made_s:.2f})"


def _make(args: argparse.Namespace, reading: "Reading", player: "Player") -> float:
    """Make all chunks that are not done; returns how many seconds of audio were made."""
    from alrakis.progress import WholeProgress

    expected_s = [chunk.seconds if chunk.chapter in reading.chapters else 0.0 for chunk in reading.chunks]
    there_s = reading.finished_s()
    made_s = 0.0
    with WholeProgress(expected_s, there_s, args.quiet) as progress:

        def on_move(part: str, seconds: float) -> None:
            player.check()
            progress.move(part, seconds)

        for chunk in reading.make(on_move=on_move, begin=1 if args.stream else None):
            made_s += chunk.chosen.seconds
            progress.done(chunk.chunk - 1, chunk.chosen.seconds)
            player.ready(chunk.chunk)
    return made_s
