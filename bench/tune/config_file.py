"""Writes the TOML file of `tune`: the keys that differ from the defaults, and what was measured."""

import json
from typing import Any

from alrakis.bench.record.metrics import megabytes
from alrakis.bench.tune.search import Search, Trials
from alrakis.config import Config
from alrakis.files.printable import printable
from alrakis.hardware import CPU

_LEFT_OUT = ("name", "summary")  # a config is named after its file


def config_toml(search: Search, best: Trials, weights: str, seconds: float, cpu: CPU, day: str) -> str:
    """The best candidate as a config file, with comments on how it was found. day: ISO 8601."""
    candidate = best.candidate
    if search.max_batch is not None:
        candidate = candidate.changed(max_batch=search.max_batch)
    config = candidate.config()
    measured = sum(1 for trials in search.trials if trials.rtfs)
    memory = f", peak memory {megabytes(best.peak_bytes)}" if best.peak_bytes else ""
    length = best.share * seconds
    comments = [
        f"Found by `alrakis-bench tune` on {day}: {len(search.trials)} configs, {measured} of them measured.",
        f"Machine: {cpu.model}, {cpu.usable_cores} of {cpu.physical_cores} cores.",
        f"{weights}, {length:g} s of audio: RTF {best.rtf:.3g}{memory} ({_times(len(best.rtfs))}).",
        *_batch_comments(search),
        f"It is {candidate.preset} with some keys changed{', and exact' if config.exact else ''}.",
    ]
    lines = [f"# {printable(comment)}" for comment in comments]
    lines.append(f"summary = {_toml(printable(f'tuned for {cpu.model}'))}")
    for key, value in config.model_dump().items():
        if key not in _LEFT_OUT and value != Config.model_fields[key].default:
            lines.append(f"{key} = {_toml(value)}")
    return "\n".join(lines) + "\n"


def _batch_comments(search: Search) -> list[str]:
    rtfs = [f"{n} at once: {o.rtf:.3g}" for n, o in search.batches.items() if o.rtf is not None]
    return [f"Several texts, seconds of work for a second of audio: {', '.join(rtfs)}."] if rtfs else []


def _times(count: int) -> str:
    return "measured once" if count == 1 else f"the median of {count}"


def _toml(value: Any) -> str:
    """A value of a config as TOML: text, a number, a truth value or a list of text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)
