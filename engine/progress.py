"""Progress bars by stage, in seconds of audio, on standard error."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

_KNOWN = "{desc:>7}: {percentage:3.0f}%|{bar:30}| {n:.1f}/{total:.1f} s of audio [{elapsed}<{remaining}]"
_UNKNOWN = "{desc:>7}: {n:.1f} s of audio [{elapsed}]"


@contextmanager
def progress_bar(stage: str, total_s: float | None, silent: bool) -> Iterator[Callable[[float], None]]:
    """A bar for one stage; gives a function that moves it on by some seconds of audio.

    total_s: seconds of audio to be made, None where nobody knows yet. Nothing is shown when silent or when
    standard error is no terminal.
    """
    bar = tqdm(
        total=total_s,
        desc=stage,
        disable=silent or not sys.stderr.isatty(),
        bar_format=_UNKNOWN if total_s is None else _KNOWN,
        leave=True,
    )
    try:
        yield lambda seconds: _move(bar, seconds)
    finally:
        bar.close()


def _move(bar: "tqdm[object]", seconds: float) -> None:
    bar.update(seconds)
