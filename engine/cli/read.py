"""`alrakis read`: a long text into one audio file; a stopped run can be continued."""

import argparse
import contextlib
import logging
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from alrakis.cli.arguments import add_job_options, given, job_asked, read_text, tell_note
from alrakis.cli.output import STDOUT, check_places, check_stdout, check_unwritten_places
from alrakis.cli.showing import MOST_TOLD, changes_line, show
from alrakis.cli.takes import parse_takes, takes_table
from alrakis.errors import GenerationError, InputError
from alrakis.files.printable import printable

if TYPE_CHECKING:
    from alrakis.cli.player import Player
    from alrakis.files.writing import Stamp
    from alrakis.jobs.reading import Reading

NAME = "read"
SUMMARY = "read a long text, such as a book, into an audio file"
DESCRIPTION = """\
Read a text of any length into one audio file. It is said in chunks of a few sentences, several at once. Each
chunk is kept in a folder beside the output (book.flac.work), so that the same command goes on where it was
stopped. The folder is for you to remove."""
EXAMPLES = """\
examples:
  alrakis read book.txt -o book.flac --voice v2/en_speaker_6
  alrakis read book.txt -o book.flac --list                 (the chunks, and how far they are)
  alrakis read book.txt -o book.flac --redo 7               (chunk 7 anew, with another seed)
  alrakis read book.txt -o book.flac --take 7=1             (its first take again)
  alrakis read play.txt -o play.mp3 --cast MAN=v2/en_speaker_6 --cast WOMAN=v2/en_speaker_9
  alrakis read letter.txt --stream | aplay                  (hear the beginning while the rest is made)

What it was begun with (weights, config, voice, cast, seed, ...) need not be given again. When the text was
corrected, the chunks that changed are made, and the others kept.

Without a voice, the first chunk's becomes that of all. Pauses, trimmed silence, fades and loudness are config
keys: --set pause_sentence_s=0.5 --set trim_silence_db=0 --set fade_s=0.02 --set loudness_lufs=-20. They may
be changed later: the chunks are joined anew."""

logger = logging.getLogger("alrakis")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=given, metavar="FILE", help="a UTF-8 text; - reads standard input")
    parser.add_argument("-o", "--output", type=given, metavar="AUDIO", help="a wav, flac, ogg or mp3 file")
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
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress bar and no closing line")
    add_job_options(parser).add_argument(
        "--steady",
        choices=("voice", "chain"),
        help="voice: all chunks in the same voice, several at once (default); "
        "chain: each goes on from the one before, one at a time",
    )


def run(args: argparse.Namespace) -> None:
    from alrakis.progress import working

    if args.quiet:
        logger.setLevel(logging.WARNING)
    if args.output is None and args.stream is None and not (args.list and args.work):
        raise InputError("give an output, as in -o book.flac, or --stream")
    if args.list:
        _show(_work_folder(args))
        return
    if args.stream:
        check_stdout()
    if args.output == STDOUT:
        raise InputError("--stream writes to standard output, as the audio comes; leave -o - out")
    there = {} if args.output is None else check_places(args.output)
    with contextlib.ExitStack() as stack:
        if args.output is None and args.work is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="alrakis-")))
        else:
            folder = _work_folder(args)
        text = _text(args)
        stack.enter_context(working("starting", args.quiet))
        _read(args, text, folder, there)


def _text(args: argparse.Namespace) -> str:
    text = read_text(["-"] if args.file == "-" else [], None if args.file == "-" else args.file)
    if not text.strip():
        raise InputError(f"{args.file} is empty: there is nothing to read")
    return text


def _work_folder(args: argparse.Namespace) -> Path:
    return Path(args.work if args.work is not None else f"{args.output}.work")


def _show(folder: Path) -> None:
    """Print the manifest as a table."""
    from alrakis.progress import working

    with working("starting"):
        from alrakis.jobs.reading_manifest import load_manifest

        manifest = load_manifest(folder)
    if manifest is None:
        raise InputError(f"nothing has been read in {folder} yet: there is no manifest")
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in map(printable, takes_table(manifest.chunks)):
        show(line if columns is None or len(line) <= columns else f"{line[: columns - 1]}…")
    done = len(manifest.chunks) - len(manifest.unfinished)
    audio_s = sum(chunk.chosen.seconds for chunk in manifest.chunks)
    show(f"{done} of {len(manifest.chunks)} chunks, {audio_s:.1f} s of audio")


def _read(args: argparse.Namespace, text: str, folder: Path, there: "dict[Path, Stamp]") -> None:
    from alrakis.cli.player import Player
    from alrakis.jobs.reading import Reading
    from alrakis.jobs.reading_folder import ReadingFolder
    from alrakis.jobs.reading_manifest import load_manifest
    from alrakis.jobs.settings import open_job_engine
    from alrakis.text.speakers import check_cast

    takes, asked, before = parse_takes(args.take), job_asked(args), load_manifest(folder)
    check_cast(asked.cast, [text])
    work = ReadingFolder(folder)
    with open_job_engine(asked, before.settings if before else None) as engine, work.hold():
        reading = Reading(engine, text, asked, work)
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
            if args.output is not None and reading.speaks:
                check_unwritten_places(there)
                total_s = reading.join(args.output)
                logger.info("wrote %s: %.2f s of audio, %s", args.output, total_s, _figures(made_s, began))
            player.end()
        _tell_unsaid(reading)


def _tell_plan(reading: "Reading") -> None:
    """Log what is made of a text that was corrected."""
    plan = reading.revision
    if plan is not None and (plan.changed or plan.gone):
        logger.info("%s", changes_line("chunks", plan.changed, len(reading.chunks), plan.gone))


def _tell_stop(reading: "Reading", folder: Path) -> None:
    count = len(reading.manifest.chunks)
    done = count - len(reading.manifest.unfinished)
    logger.info("%d of %d chunks are in %s; the same command goes on from there", done, count, folder)


def _tell_unsaid(reading: "Reading") -> None:
    """Raises GenerationError if a chunk could not be said, or none has a sound."""
    chunks, failed = reading.manifest.chunks, reading.manifest.failed
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

    expected_s = [chunk.seconds for chunk in reading.chunks]
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
