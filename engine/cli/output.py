"""The output files of commands: checking their paths before any work, and writing them."""

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from alrakis.cli.showing import to_stdout
from alrakis.errors import InputError, OutputError

if TYPE_CHECKING:
    from alrakis.files.writing import Stamp
    from alrakis.result import Result

STDOUT = "-"

logger = logging.getLogger("alrakis")


def audio_path(path: str) -> Path:
    """The absolute path for audio. Raises InputError for an unknown extension or an unwritable place."""
    from alrakis.audio import check_output

    try:
        return check_output(path)
    except OutputError as error:
        raise InputError(str(error)) from None


def check_book_places(output: str | None) -> "dict[Path, Stamp]":
    """Check where `alrakis read` is to write; returns what is there now. A pattern is left to its files."""
    from alrakis.audio import check_output
    from alrakis.files.writing import file_stamp, remove_temporary
    from alrakis.jobs.reading_output import is_pattern

    if output is None or is_pattern(output):
        return {}
    try:
        place = check_output(output, book=True)
    except OutputError as error:
        raise InputError(str(error)) from None
    remove_temporary(place.parent)
    return {place: file_stamp(place)}


def check_stdout() -> None:
    """Raises InputError if audio cannot go to standard output: a terminal would show it."""
    if sys.stdout is None or sys.stdout.isatty():
        raise InputError("audio is to go to standard output: pipe it into a player (`| aplay`) or a file")


def voice_path(path: str) -> Path:
    """The absolute path for a voice. Raises InputError unless it ends in .npz and can be written."""
    from alrakis.files.writing import check_writable

    if os.path.splitext(path)[1] != ".npz":
        raise InputError(f"a voice is saved as .npz, not {path!r}")
    try:
        return check_writable(path)
    except OutputError as error:
        raise InputError(str(error)) from None


def check_places(audio: str, voice: str | None = None) -> "dict[Path, Stamp]":
    """Check where a result is to be written, as the functions above do; returns what is there now."""
    from alrakis.files.writing import file_stamp, remove_temporary

    if audio == STDOUT:
        check_stdout()
    places = [] if audio == STDOUT else [audio_path(audio)]
    places += [] if voice is None else [voice_path(voice)]
    for place in places:
        remove_temporary(place.parent)
    return {place: file_stamp(place) for place in places}


def check_unwritten_places(there: "dict[Path, Stamp]") -> None:
    """Raises OutputError if another process has written one of these places since `check_places`."""
    from alrakis.files.writing import check_unwritten

    for place, stamp in there.items():
        check_unwritten(place, stamp)


def save_result(
    result: "Result",
    wall_s: float,
    audio: str,
    voice: str | None = None,
    there: "dict[Path, Stamp] | None" = None,
) -> None:
    """Write the audio of a result, and the result as a voice, and log a line about it.

    audio: a path, or STDOUT for a wav to standard output. wall_s: how long it took, loading included. there:
    what `check_places` found before. Raises OutputError, which says how to make the same audio again, and
    GenerationError if there is no audio.
    """
    existed = audio != STDOUT and os.path.exists(audio)
    try:
        check_unwritten_places(there or {})
        if audio == STDOUT:
            _write_wav(result)
        else:
            result.save(audio)
        if voice is not None:
            result.save_voice(voice)
    except OutputError as error:
        raise OutputError(f"{error}; --seed {result.seed} makes the same audio again") from error
    also = f" and {voice}" if voice is not None else ""
    where = "to standard output" if audio == STDOUT else audio
    logger.info("%s %s%s: %s", "replaced" if existed else "wrote", where, also, _figures(result, wall_s))


def _write_wav(result: "Result") -> None:
    from alrakis.audio import wav_bytes

    wav = wav_bytes(result.audio, result.sample_rate, result.tags)
    with to_stdout():
        sys.stdout.buffer.write(wav)
        sys.stdout.buffer.flush()


def _figures(result: "Result", wall_s: float) -> str:
    load_s = result.timings.load_s
    loading = f" after {load_s:.1f} s of loading" if load_s >= 0.05 else ""
    made_s = wall_s - load_s
    return (
        f"{result.duration_s:.2f} s of audio in {made_s:.2f} s{loading} "
        f"(real-time factor {made_s / result.duration_s:.2f}), seed {result.seed}"
    )
