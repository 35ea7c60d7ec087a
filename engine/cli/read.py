"""`alrakis read`: a long text into one audio file; a stopped run can be continued."""

import argparse
import contextlib
import logging
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from alrakis.cli.arguments import (
    add_cast_option,
    add_engine_options,
    add_speech_options,
    open_engine,
    parse_cast,
    read_text,
    speech_options,
    tell_note,
)
from alrakis.cli.output import audio_path
from alrakis.errors import InputError

if TYPE_CHECKING:
    from alrakis.cli.player import Player
    from alrakis.engine import Engine
    from alrakis.jobs.reading import Reading, ReadingTask

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
  alrakis read play.txt -o play.mp3 --cast MAN=v2/en_speaker_6 --cast WOMAN=v2/en_speaker_9
  alrakis read letter.txt --stream | aplay                  (hear the beginning while the rest is made)

Without a voice, the first chunk's becomes that of all. Pauses, trimmed silence, fades and loudness are config
keys: --set pause_sentence_s=0.5 --set trim_silence_db=0 --set fade_s=0.02 --set loudness_lufs=-20. They may
be changed later: the chunks are joined anew."""

logger = logging.getLogger("alrakis")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a UTF-8 text; - reads standard input")
    parser.add_argument("-o", "--output", metavar="AUDIO", help="a wav, flac, ogg or mp3 file")
    parser.add_argument(
        "--work", metavar="DIR", help="the folder of work (default: the output's name + .work)"
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
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress bar and no closing line")
    add_engine_options(parser)
    group = add_speech_options(parser)
    add_cast_option(group)
    group.add_argument(
        "--steady",
        choices=("voice", "chain"),
        default="voice",
        help="voice: all chunks in the same voice, several at once (default); "
        "chain: each goes on from the one before, one at a time",
    )
    group.add_argument("--lang", metavar="CODE", help="the text's language (default: by its script)")


def run(args: argparse.Namespace) -> None:
    if args.quiet:
        logger.setLevel(logging.WARNING)
    if args.output is None and args.stream is None and not (args.list and args.work):
        raise InputError("give an output, as in -o book.flac, or --stream")
    if args.list:
        _show(_work_folder(args))
        return
    if args.stream and sys.stdout.isatty():
        raise InputError("--stream writes audio to standard output: pipe it into a player, as in `| aplay`")
    if args.output is not None:
        audio_path(args.output)
    task = _task(args)
    with contextlib.ExitStack() as stack:
        if args.output is None and args.work is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="alrakis-")))
        else:
            folder = _work_folder(args)
        _read(args, stack.enter_context(open_engine(args)), task, folder)


def _task(args: argparse.Namespace) -> "ReadingTask":
    from alrakis.jobs.reading import ReadingTask
    from alrakis.text.speakers import check_cast

    text = read_text(["-"] if args.file == "-" else [], None if args.file == "-" else args.file)
    if not text.strip():
        raise InputError(f"{args.file} is empty: there is nothing to read")
    cast = parse_cast(args.cast)
    check_cast(cast, [text])
    return ReadingTask(text, args.voice, cast, args.seed, args.steady, args.lang, speech_options(args))


def _work_folder(args: argparse.Namespace) -> Path:
    return Path(args.work if args.work is not None else f"{args.output}.work").expanduser()


def _show(folder: Path) -> None:
    """Print the manifest as a table."""
    from alrakis.jobs.reading_manifest import load_manifest

    manifest = load_manifest(folder)
    if manifest is None:
        raise InputError(f"nothing has been read in {folder} yet: there is no manifest")
    print("chunk  state    seconds  seed        voice         text")
    for chunk in manifest.chunks:
        seconds = f"{chunk.seconds:.2f}" if chunk.state == "done" else ""
        labelled = chunk.speaker is None or chunk.text.startswith(f"{chunk.speaker}:")
        speaker = "" if labelled else f"{chunk.speaker}: "
        made = f"{chunk.chunk:5}  {chunk.state:<7}  {seconds:>7}  {chunk.seed:<10}  {chunk.voice or '':<12}"
        print(f"{made}  {speaker}{chunk.text}")
    done = len(manifest.chunks) - len(manifest.unfinished)
    audio_s = sum(chunk.seconds for chunk in manifest.chunks)
    print(f"{done} of {len(manifest.chunks)} chunks, {audio_s:.1f} s of audio")


def _read(args: argparse.Namespace, engine: "Engine", task: "ReadingTask", folder: Path) -> None:
    from alrakis.cli.player import Player
    from alrakis.jobs.reading import Reading
    from alrakis.jobs.reading_folder import ReadingFolder

    work = ReadingFolder(folder)
    with work.hold():
        reading = Reading(engine, task, work)
        reading.redo(args.redo)
        tell_note(engine)
        began = time.perf_counter()
        with Player(reading, args.stream) as player:
            try:
                made_s = _make(args, reading, player)
            except BaseException:
                if args.output is not None or args.work is not None:
                    done = len(reading.manifest.chunks) - len(reading.manifest.unfinished)
                    logger.info(
                        "%d of %d chunks are in %s; the same command goes on from there",
                        done,
                        len(reading.manifest.chunks),
                        folder,
                    )
                raise
            if args.output is not None:
                total_s = reading.join(args.output)
                logger.info("wrote %s: %.2f s of audio, %s", args.output, total_s, _figures(made_s, began))
            player.end()


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

        for chunk in reading.make(on_move=on_move, batch=1 if args.stream else None):
            made_s += chunk.seconds
            progress.done(chunk.chunk - 1, chunk.seconds)
            player.ready(chunk.chunk)
    return made_s
