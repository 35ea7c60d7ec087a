"""What a person sees while something is made, on standard error: bars, and lines worth knowing."""

import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from types import TracebackType

from tqdm import tqdm

logger = logging.getLogger("alrakis")

_KNOWN = "{desc:>7}: {percentage:3.0f}%|{bar:30}| {n:.1f}/{total:.1f} s of audio [{elapsed}<{remaining}]"
_WHOLE = _KNOWN + " {postfix}"
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


def _move(bar: "tqdm[object]", amount: float) -> None:
    """Move a bar on, not beyond its total: tqdm warns of that, and rounding alone can bring it there."""
    bar.update(amount if bar.total is None else min(amount, bar.total - bar.n))


@contextmanager
def rows_bar(total: int, there: int, silent: bool) -> Iterator[Callable[[int], None]]:
    """A bar for the rows of a batch, of which some are there already; gives a function that moves it on."""
    bar = tqdm(total=total, initial=there, desc="rows", disable=silent or not sys.stderr.isatty())
    try:
        yield lambda rows: _move(bar, rows)
    finally:
        bar.close()


# Each stage's share of the work on a second of audio; nobody knows before how long the text stage takes.
_SHARES = {"coarse": 0.65, "fine": 0.33, "codec": 0.02}


class WholeProgress:
    """A bar for a long text, in seconds of audio, with the time left.

    expected_s: the expected length of each chunk. there_s: the lengths of chunks that are there already, by
    number from 0. What is expected of the others is corrected by how long these have become.
    """

    def __init__(self, expected_s: Sequence[float], there_s: Mapping[int, float], silent: bool) -> None:
        self._expected_s = expected_s
        self._there_s = dict(there_s)
        self._begun_s = 0.0  # of what is in the stages now
        self._bar = tqdm(
            total=self._total_s(),
            initial=self._sum_s(),
            desc="reading",
            disable=silent or not sys.stderr.isatty(),
            bar_format=_WHOLE,
            smoothing=0,
        )

    def __enter__(self) -> "WholeProgress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._bar.close()

    def move(self, part: str, seconds: float) -> None:
        """A stage has moved on by some seconds of audio."""
        self._begun_s += seconds * _SHARES.get(part, 0.0)
        self._bar.set_postfix_str(part, refresh=False)
        self._show()

    def done(self, chunk: int, seconds: float) -> None:
        """A chunk is there."""
        self._there_s[chunk] = seconds
        self._begun_s = max(0.0, self._begun_s - seconds)
        self._bar.total = self._total_s()
        self._show()

    def _show(self) -> None:
        _move(self._bar, self._sum_s() + self._begun_s - self._bar.n)

    def _sum_s(self) -> float:
        return sum(self._there_s.values())

    def _total_s(self) -> float:
        expected_s = sum(self._expected_s[chunk] for chunk in self._there_s)
        ratio = self._sum_s() / expected_s if expected_s else 1.0
        return sum(
            self._there_s[chunk] if chunk in self._there_s else seconds * ratio
            for chunk, seconds in enumerate(self._expected_s)
        )


def tell(message: str) -> None:
    """Say something worth knowing: to the log, or on standard error where nobody has set up logging.

    An export takes its time and fills a disk: that is told without being asked, and is no warning.
    """
    if logger.hasHandlers():
        logger.info(message)
    else:
        print(f"alrakis: {message}", file=sys.stderr, flush=True)


@contextmanager
def export_bar(what: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
    """A bar over some units, counted up by the function it gives.

    Nothing is shown unless standard error is a terminal, nor where the log has been told to be quiet.
    """
    quiet = logger.level > logging.INFO  # as `alrakis say --quiet` sets it
    bar = tqdm(
        total=total,
        desc=what,
        disable=quiet or not sys.stderr.isatty(),
        unit=unit,
        unit_scale=True,
        leave=False,
    )
    try:
        yield lambda count: _move(bar, count)
    finally:
        bar.close()


class TextBars:
    """Bars for texts that go through all stages: one a stage for a single text, else one for all."""

    def __init__(self, texts: int, silent: bool) -> None:
        self._texts = texts
        self._silent = silent
        self._part: str | None = None
        self._spoken_s = 0.0
        self._open = ExitStack()
        self._move: Callable[[float], None] = lambda seconds: None

    def expect(self, seconds: float) -> None:
        """A text is so long, as its text stage has found."""
        self._spoken_s += seconds

    def move(self, part: str, seconds: float) -> None:
        """A stage has moved on by some seconds of audio."""
        if self._texts > 1:
            part, seconds = "speech", seconds if part == "codec" else 0.0
        if part != self._part:
            self._part = part
            self._open.close()
            total_s = self._spoken_s if self._texts == 1 and part != "text" else None
            self._move = self._open.enter_context(progress_bar(part, total_s, self._silent))
        self._move(seconds)

    def close(self) -> None:
        self._open.close()


@contextmanager
def text_bars(texts: int, silent: bool) -> Iterator[TextBars]:
    """Bars while some texts are made."""
    bars = TextBars(texts, silent)
    try:
        yield bars
    finally:
        bars.close()
