"""What a person sees while something is made, on standard error: bars, and lines worth knowing."""

import importlib.util
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Any

from tqdm import tqdm
from tqdm.std import TqdmDefaultWriteLock

from alrakis.files.printable import printable_lines

logger = logging.getLogger("alrakis")

_TICK_S = 0.5
_COLUMNS = 78  # where a terminal does not say how many it has
_WIDE = 64  # columns that a line needs to have room for a bar
_AUDIO = ("{n:.1f}/{total:.1f} s of audio", "{n:.0f}/{total:.0f} s")  # wide, narrow
_ROWS = ("{n_fmt}/{total_fmt}", "{n_fmt}/{total_fmt}")


def _unlock() -> None:
    """In a process that was forked: tqdm's lock may be held by a thread that is not here, and no bar is."""
    TqdmDefaultWriteLock.th_lock = threading.RLock()
    tqdm.set_lock(TqdmDefaultWriteLock())
    tqdm._instances.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_unlock)


@contextmanager
def progress_bar(stage: str, total_s: float | None, silent: bool) -> Iterator[Callable[[float], None]]:
    """A bar for one stage; gives a function that moves it on by some seconds of audio.

    total_s: seconds of audio to be made, None where nobody knows yet. Nothing is shown when silent or when
    nobody looks.
    """
    form = "{desc}: {n:.1f} s of audio [{elapsed}]" if total_s is None else _form(_AUDIO)
    bar = _bar(f"{stage:>7}", total_s, form, silent)
    try:
        yield lambda seconds: _move(bar, seconds)
    finally:
        bar.close()


def _form(counted: tuple[str, str]) -> str:
    """A bar with what is counted and the time that is left; without the bar itself on a narrow terminal."""
    wide = in_notebook() or _columns() >= _WIDE
    time = "[{elapsed}<{remaining}]"
    if wide:
        return f"{{desc}}: {{percentage:3.0f}}%|{{bar}}| {counted[0]} {time}{{postfix}}"
    return f"{{desc}}: {{percentage:3.0f}}% {counted[1]} {time}"


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError, AttributeError):
        return 80


def in_notebook() -> bool:
    """Whether what is printed is seen in a notebook, where standard error is no terminal."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and "IPKernelApp" in getattr(shell, "config", {})


def _seen() -> bool:
    return sys.stderr is not None and (sys.stderr.isatty() or in_notebook())


class _Line(tqdm):  # type: ignore[misc]
    """A bar that leaves room for what a terminal writes at its end when somebody presses Ctrl-C."""

    monitor_interval = 0  # a thread of tqdm's that ours have no need of
    nrows: int | None

    @property
    def format_dict(self) -> MutableMapping[str, Any]:
        facts = super().format_dict
        columns = facts["ncols"]
        return {**facts, "ncols": columns and (max(1, columns - len("^C")) if columns > 0 else _COLUMNS)}

    def display(self, msg: str | None = None, pos: int | None = None) -> None:
        """As tqdm does, which shows nothing on a terminal without a size, such as a container's."""
        if self.nrows is not None and self.nrows < 0:
            self.nrows = None
        super().display(msg, pos)


def _bar(desc: str, total: float | None, form: str, silent: bool, **options: Any) -> "tqdm[Any]":
    end_working()
    return _kind()(
        total=total,
        desc=desc,
        disable=silent or not _seen(),
        bar_format=form,
        dynamic_ncols=True,
        miniters=0,  # how often it is drawn depends on time alone
        **options,
    )


def _kind() -> Any:
    if in_notebook() and importlib.util.find_spec("ipywidgets"):  # without, tqdm warns and fails
        from tqdm.notebook import tqdm as widget

        return widget
    return _Line


def _move(bar: "tqdm[Any]", amount: float) -> None:
    """Move a bar on, not beyond its total: tqdm warns of that, and rounding alone can bring it there."""
    bar.update(amount if bar.total is None else min(amount, bar.total - bar.n))


@contextmanager
def _ticking(bar: "tqdm[Any]") -> Iterator[None]:
    """Draw a bar now and then, so that its clock goes on while nothing moves."""
    ended = threading.Event()

    def tick() -> None:
        while not ended.wait(_TICK_S):
            bar.refresh()

    thread = threading.Thread(target=tick, name="alrakis-clock", daemon=True)
    try:
        if not bar.disable:
            thread.start()  # Ctrl-C may come here, too
        yield
    finally:
        ended.set()
        if thread.is_alive():
            thread.join()
        bar.close()


class _Working(_Line):
    """A line that makes room for the first bar."""


@contextmanager
def working(what: str, silent: bool = False) -> Iterator[None]:
    """A line with a clock that says what is going on, until there is something to show or it ends."""
    quiet = silent or sys.stderr is None or not sys.stderr.isatty()
    form = "{desc} [{elapsed}]"
    end_working()
    with _ticking(_Working(desc=what, disable=quiet, bar_format=form, dynamic_ncols=True, leave=False)):
        yield


def end_working() -> None:
    """Take away the line that says what is going on: there is something to show now."""
    for line in [bar for bar in getattr(tqdm, "_instances", ()) if isinstance(bar, _Working)]:
        line.close()


def end_bars() -> None:
    """Close bars that are still there: Ctrl-C may come while one is made, before anybody has it to close."""
    for bar in list(getattr(tqdm, "_instances", ())):
        bar.close()


@contextmanager
def above_bars() -> Iterator[None]:
    """Let what is printed in the block stand above the bars that are there, not among them."""
    with tqdm.external_write_mode(file=sys.stderr):
        yield


@contextmanager
def rows_bar(total: int, there: int, silent: bool) -> Iterator[Callable[..., None]]:
    """A bar for the rows of a batch, of which some are there already.

    It gives a function that moves it on by some rows, and may be told what stands beside them.
    """
    bar = _bar("rows", total, _form(_ROWS), silent, initial=there)

    def move(rows: int, beside: str = "") -> None:
        bar.set_postfix_str(beside, refresh=False)
        _move(bar, rows)

    with _ticking(bar):
        yield move


class WholeProgress:
    """A bar for a long text, in seconds of audio that are there, with the time left.

    expected_s: the expected length of each chunk. there_s: the lengths of chunks that are there already, by
    number from 0. What is expected of the others is corrected by how long these have become. What is in the
    stages, and would be lost now, is shown beside it.
    """

    def __init__(self, expected_s: Sequence[float], there_s: Mapping[int, float], silent: bool) -> None:
        self._expected_s = expected_s
        self._there_s = dict(there_s)
        self._at_work_s: dict[str, float] = {}  # by stage, of chunks that are not there yet
        self._bar = _bar(
            "reading", self._total_s(), _form(_AUDIO), silent, initial=self._sum_s(), smoothing=0
        )
        self._clock = _ticking(self._bar)

    def __enter__(self) -> "WholeProgress":
        self._clock.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clock.__exit__(kind, error, trace)

    def move(self, part: str, seconds: float) -> None:
        """A stage has moved on by some seconds of audio."""
        self._at_work_s[part] = self._at_work_s.get(part, 0.0) + seconds
        self._bar.set_postfix_str(f"{part} {self._at_work_s[part]:.1f} s", refresh=False)
        self._bar.update(0)

    def done(self, chunk: int, seconds: float) -> None:
        """A chunk is there."""
        self._there_s[chunk] = seconds
        self._at_work_s = {part: max(0.0, done_s - seconds) for part, done_s in self._at_work_s.items()}
        self._bar.total = self._total_s()
        self._bar.set_postfix_str("", refresh=False)
        _move(self._bar, self._sum_s() - self._bar.n)

    def _sum_s(self) -> float:
        return sum(self._there_s.values())

    def _total_s(self) -> float:
        expected_s = sum(self._expected_s[chunk] for chunk in self._there_s)
        ratio = self._sum_s() / expected_s if expected_s and self._sum_s() else 1.0
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
    elif sys.stderr is not None:
        with above_bars():
            print(f"alrakis: {printable_lines(message)}", file=sys.stderr, flush=True)


@contextmanager
def export_bar(what: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
    """A bar over some units, counted up by the function it gives.

    Nothing is shown unless somebody looks, nor where the log has been told to be quiet.
    """
    quiet = logger.level > logging.INFO  # as `alrakis say --quiet` sets it
    bar = _bar(what, total, _form(_ROWS), quiet, unit=unit, unit_scale=True, leave=False)
    with _ticking(bar):
        yield lambda count: _move(bar, count)


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
