"""What can go wrong, written for the person who reads it.

Each message says what was given, what is allowed and what to do next. Everything that alrakis raises on
purpose is an `AlrakisError`; where Bark or Python would have raised a builtin error for the same mistake,
the class is that builtin too, so that existing `except ValueError` code keeps working.
"""

import difflib


def nearest(given: str, names: list[str]) -> str:
    """`; did you mean 'x'?` for the valid name nearest to what was given, or nothing."""
    close = difflib.get_close_matches(given, names, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


class AlrakisError(Exception):
    """Any error that alrakis raises on purpose."""


class InputError(AlrakisError, ValueError):
    """An argument is of the wrong type, shape or range."""


class VoiceError(InputError):
    """A voice (history prompt) is unknown, unreadable or not a voice."""


class ConfigError(InputError):
    """A config has unknown keys, wrong values, or asks for what this machine does not have."""


class WeightsError(AlrakisError):
    """Weights are missing, damaged, or not what they were said to be."""


class WeightsNotFoundError(WeightsError, FileNotFoundError):
    """Weights are not on this machine and cannot be fetched."""


class BackendError(AlrakisError, RuntimeError):
    """A backend is not installed, is too old, or failed while running."""


class ArtifactError(AlrakisError):
    """An exported artifact is damaged, foreign, or cannot be written."""


class OutputError(AlrakisError, OSError):
    """An output file cannot be written where it was asked for."""


class GenerationError(AlrakisError, RuntimeError):
    """The stages ran, but there is nothing to give back."""
