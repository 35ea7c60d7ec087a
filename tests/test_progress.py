"""What is shown on a terminal, and nothing elsewhere."""

import contextlib
import io
import logging
import os
import re
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tqdm import tqdm

from alrakis.progress import (
    WholeProgress,
    above_bars,
    end_bars,
    export_bar,
    progress_bar,
    rows_bar,
    tell,
    working,
)

Bar = Callable[[], AbstractContextManager[Callable[[Any], None]]]
BARS: dict[str, Bar] = {
    "stage": lambda: progress_bar("coarse", 2.0, False),
    "text": lambda: progress_bar("text", None, False),
    "rows": lambda: rows_bar(4, 1, False),
    "export": lambda: export_bar("exporting", 2000, "B"),
}
SHOWN = {"stage": "coarse: 100%", "text": "text: 2.0 s of audio", "rows": "3/4", "export": "2.00k/2.00k"}
STEPS = {"stage": 1.0, "text": 1.0, "rows": 1, "export": 1000}


class Screen(io.StringIO):
    """Standard error that may be a terminal."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def fileno(self) -> int:
        return 2

    def isatty(self) -> bool:
        return self.terminal


def put_up(patch: pytest.MonkeyPatch, terminal: bool = True, columns: int = 80) -> Screen:
    """Standard error from now on; not as a fixture, because pytest puts its own in place after those."""
    screen = Screen(terminal)
    patch.setattr(sys, "stderr", screen)
    patch.setattr("os.get_terminal_size", lambda number=2: os.terminal_size((columns, 24)))
    patch.setattr("tqdm.std._screen_shape_wrapper", lambda: lambda file: (columns, 24))
    return screen


@pytest.mark.parametrize("name", BARS)
@pytest.mark.parametrize("columns", [12, 40, 63, 64, 80, 200])
def test_a_bar_keeps_to_the_width_of_the_terminal(
    monkeypatch: pytest.MonkeyPatch, name: str, columns: int
) -> None:
    screen = put_up(monkeypatch, columns=columns)
    with BARS[name]() as move:
        move(STEPS[name])
    lines = [line for line in re.split(r"[\r\n]|\x1b\[A", screen.getvalue()) if line.strip()]
    assert lines
    assert max(map(len, lines)) <= max(1, columns - len("^C")), "what Ctrl-C shows has room at the end"
    if columns >= 40 and name == "stage":
        assert "%" in lines[-1]
        assert lines[-1].endswith("]"), "the time that is left is seen"


def test_a_bar_is_seen_on_a_terminal_without_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as a container's."""
    outer, inner = os.openpty()
    with open(inner, "w", encoding="utf-8") as screen:
        monkeypatch.setattr(sys, "stderr", screen)
        with rows_bar(4, 1, False) as move:
            move(1)
        print("end", file=screen, flush=True)
        shown = ""
        while "end" not in shown:
            shown += os.read(outer, 4096).decode()
    os.close(outer)
    assert "2/4" in shown
    assert max(map(len, re.split(r"[\r\n]", shown))) <= 80


@pytest.mark.parametrize("widgets", [True, False])
def test_in_a_notebook_a_bar_is_seen(monkeypatch: pytest.MonkeyPatch, widgets: bool) -> None:
    """Standard error is no terminal there. Bars of widgets need ipywidgets, and tqdm warns without."""
    shell = SimpleNamespace(config={"IPKernelApp": {}})
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    shown: list[str] = []
    if widgets:
        notebook = ModuleType("tqdm.notebook")
        notebook.tqdm = lambda **options: shown.append(options["desc"]) or tqdm(**options)  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "tqdm.notebook", notebook)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object() if widgets else None)
    screen = put_up(monkeypatch, terminal=False)
    with progress_bar("coarse", 2.0, False) as move:
        move(2.0)
    assert "coarse: 100%" in screen.getvalue()
    assert shown == ([" coarse"] if widgets else [])


def test_messages_stand_above_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = put_up(monkeypatch)
    with progress_bar("coarse", 2.0, False) as move:
        move(1.0)
        with above_bars():
            print("A message.", file=screen)
    lines = [line.split("\r")[-1] for line in screen.getvalue().split("\n")]
    assert "A message." in lines
    assert "coarse:" in lines[-2]


def test_something_is_shown_at_once_until_there_is_something_to_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = put_up(monkeypatch)
    with working("starting"):
        assert "starting [00:00]" in screen.getvalue()
        with rows_bar(2, 0, False) as move:
            begun = len(screen.getvalue())
            move(2)
            time.sleep(0.7)
    assert "starting" not in screen.getvalue()[begun:]
    assert screen.getvalue().split("\r")[-1].endswith("\n")
    screen = put_up(monkeypatch)
    with working("starting", silent=True):
        pass
    assert screen.getvalue() == ""


def test_a_clock_goes_on_while_nothing_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = put_up(monkeypatch)
    with WholeProgress([10.0], {}, False):
        while not re.search(r"\[(?!00:00)\d\d:\d\d<", screen.getvalue()):
            time.sleep(0.05)


@pytest.mark.parametrize("name", BARS)
def test_a_bar_shows_how_far_it_is_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for terminal in (False, True):
        screen = put_up(monkeypatch, terminal)
        with BARS[name]() as move:
            move(STEPS[name])
            time.sleep(0.15)  # no bar is drawn more often than every 0.1 s
            move(STEPS[name])
        assert (SHOWN[name] in screen.getvalue()) == terminal
    assert re.search(r"\d\d:\d\d", screen.getvalue())


def test_quiet_bars_show_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = put_up(monkeypatch)
    for bar in (progress_bar("fine", 1.0, True), rows_bar(4, 1, True)):
        with bar as move:
            move(1)
    monkeypatch.setattr(logging.getLogger("alrakis"), "level", logging.WARNING)
    with export_bar("exporting", 10, "B") as move:
        move(5)
    assert screen.getvalue() == ""


@pytest.mark.parametrize("name", BARS)
def test_ctrl_c_while_a_bar_begins_leaves_no_clock(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """It would draw over what is said at the end."""
    put_up(monkeypatch)
    start = threading.Thread.start

    def interrupted(thread: threading.Thread) -> None:
        start(thread)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", interrupted)
        with contextlib.suppress(KeyboardInterrupt), BARS[name]():
            pass
    clocks = [thread for thread in threading.enumerate() if thread.name == "alrakis-clock"]
    assert not clocks


def test_a_bar_that_ctrl_c_left_half_made_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = put_up(monkeypatch)
    left = tqdm(desc="left", file=screen)
    end_bars()
    with above_bars():
        print("stopped", file=screen)
    assert left.disable
    assert screen.getvalue().splitlines()[-1].strip().endswith("stopped")


def test_a_bar_is_closed_when_its_work_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = put_up(monkeypatch)
    with contextlib.suppress(ZeroDivisionError), progress_bar("fine", 1.0, False) as move:
        move(0.5)
        raise ZeroDivisionError
    assert "50%" in screen.getvalue()
    assert screen.getvalue().endswith("\n")


@pytest.mark.filterwarnings("error")
def test_a_bar_that_rounding_brings_above_its_total_warns_of_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = put_up(monkeypatch)
    with progress_bar("coarse", 0.3, False) as move:
        for _ in range(3):
            move(0.1)  # 0.30000000000000004 in all
    assert "coarse: 100%" in screen.getvalue()


lengths = st.floats(0.5, 20)


@given(st.lists(st.tuples(lengths, lengths, st.booleans()), min_size=1, max_size=8), st.data())
def test_a_long_text_s_bar_ends_at_what_was_made(
    monkeypatch: pytest.MonkeyPatch, chunks: list[tuple[float, float, bool]], data: st.DataObject
) -> None:
    """Whatever was expected, was there before, or comes in which order."""
    screen = put_up(monkeypatch)
    made_s = [made for _, made, _ in chunks]
    there_s = {i: made for i, (_, made, there) in enumerate(chunks) if there}
    order = data.draw(st.permutations([i for i in range(len(chunks)) if i not in there_s]))
    with WholeProgress([expected for expected, _, _ in chunks], there_s, False) as progress:
        for chunk in order:
            for part in ("text", "coarse", "fine", "codec"):
                progress.move(part, made_s[chunk])
            progress.done(chunk, made_s[chunk])
    percent, done, total = re.findall(r"(\d+)%\|.*?\| ([\d.]+)/([\d.]+) s of audio", screen.getvalue())[-1]
    assert percent == "100"
    assert float(done) == pytest.approx(sum(made_s), abs=0.051)
    assert float(total) == pytest.approx(sum(made_s), abs=0.051)


@given(st.lists(st.tuples(st.booleans(), lengths), max_size=30), st.lists(lengths, min_size=1, max_size=5))
@pytest.mark.filterwarnings("error")
def test_a_long_text_s_bar_counts_what_is_there_and_never_goes_back(
    monkeypatch: pytest.MonkeyPatch, events: list[tuple[bool, float]], expected: list[float]
) -> None:
    """What is in the stages would be lost. tqdm warns of bars beyond their end; no time may be negative."""
    screen = put_up(monkeypatch)
    chunk = 0
    with WholeProgress(expected, {}, False) as progress:
        for is_done, seconds in events:
            if is_done and chunk < len(expected):
                progress.done(chunk, seconds)
                chunk += 1
            else:
                progress.move("fine", seconds)
        progress._bar.refresh()
    counted = [float(n) for n in re.findall(r"\| ([\d.]+)/", screen.getvalue())]
    assert counted == sorted(counted)
    done_s = sum([seconds for is_done, seconds in events if is_done][:chunk])
    assert counted[-1] == pytest.approx(done_s, abs=0.051)
    assert not re.search(r"[\[<]-", screen.getvalue())


def test_what_is_expected_is_corrected_by_what_was_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks that turn out twice as long let the others be expected so."""
    screen = put_up(monkeypatch)
    with WholeProgress([1.0, 1.0, 2.0], {}, False) as progress:
        progress.done(0, 2.0)
    assert "2.0/8.0 s of audio" in screen.getvalue()


def test_something_worth_knowing_goes_to_the_log_or_to_standard_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    logger, screen = logging.getLogger("alrakis"), put_up(monkeypatch)
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    monkeypatch.setattr(logger, "handlers", [])
    tell("exported it")
    assert screen.getvalue() == "alrakis: exported it\n"
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    monkeypatch.setattr(handler, "emit", records.append)
    logger.addHandler(handler)
    before = logger.level
    logger.setLevel(logging.INFO)
    try:
        tell("exported more")
    finally:
        logger.setLevel(before)
    assert [record.getMessage() for record in records] == ["exported more"]
    assert screen.getvalue() == "alrakis: exported it\n"
