"""The output files of commands: checking their paths before any work, and writing them."""

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from alrakis.errors import InputError, OutputError

if TYPE_CHECKING:
    from alrakis.result import Result

logger = logging.getLogger("alrakis")


def audio_path(path: str) -> Path:
    """The absolute path for audio. Raises InputError for an unknown extension or an unwritable place."""
    from alrakis.audio import check_output

    try:
        return check_output(path)
    except OutputError as error:
        raise InputError(str(error)) from None


def voice_path(path: str) -> Path:
    """The absolute path for a voice. Raises InputError unless it ends in .npz and can be written."""
    from alrakis.files import check_writable

    if os.path.splitext(path)[1] != ".npz":
        raise InputError(f"a voice is saved as .npz, not {path!r}")
    try:
        return check_writable(path)
    except OutputError as error:
        raise InputError(str(error)) from None


def save_result(result: "Result", wall_s: float, audio: str, voice: str | None = None) -> None:
    """Write the audio of a result, and the result as a voice, and log a line about it.

    wall_s: how long it took, loading included. Raises OutputError, which says how to make the same audio
    again, and GenerationError if there is no audio.
    """
    existed = os.path.exists(audio)
    try:
        result.save(audio)
        if voice is not None:
            result.save_voice(voice)
    except OutputError as error:
        raise OutputError(f"{error}; --seed {result.seed} makes the same audio again") from error
    also = f" and {voice}" if voice is not None else ""
    logger.info("%s %s%s: %s", "replaced" if existed else "wrote", audio, also, _figures(result, wall_s))


def _figures(result: "Result", wall_s: float) -> str:
    load_s = result.timings.load_s
    loading = f" after {load_s:.1f} s of loading" if load_s >= 0.05 else ""
    made_s = wall_s - load_s
    return (
        f"{result.duration_s:.2f} s of audio in {made_s:.2f} s{loading} "
        f"(real-time factor {made_s / result.duration_s:.2f}), seed {result.seed}"
    )
