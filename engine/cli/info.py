"""`alrakis info`: show what was found on this machine."""

import argparse
import textwrap
from collections.abc import Iterator
from typing import Any

from alrakis.cli.showing import show, show_json

NAME = "info"
SUMMARY = "show what was found here: hardware, backends, weights, caches, configs"
DESCRIPTION = "Show what alrakis found on this machine, and the config that `auto` picks on it."
EXAMPLES = """\
examples:
  alrakis info
  alrakis info --json      (put this into a report of a defect)"""
WIDTH = 80  # of a line, unless a word is longer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="as JSON, sizes in bytes")


def run(args: argparse.Namespace) -> None:
    from alrakis.cli.machine_info import machine_info

    info = machine_info()
    if args.json:
        show_json(info)
    else:
        show(*(line for part in info_lines(info) for line in part.split("\n")))


def info_lines(info: dict[str, Any]) -> Iterator[str]:
    """The values of `machine_info` as lines of text."""
    yield f"alrakis {info['alrakis']}, Python {info['python']}, {info['platform']}"
    yield from _section("hardware", _hardware(info["hardware"]))
    yield from _section("backends", _backends(info["backends"]))
    yield from _section("weights", ((w["name"], w["where"]) for w in info["weights"]))
    yield from _section(
        "caches", ((_size(c["size_bytes"]), f"{c['path']} ({c['what']})") for c in info["caches"])
    )
    if info["artifacts"]:
        yield from _section("exported artifacts", _artifacts(info["artifacts"]))
    if info["environment"]:
        yield from _section("environment", info["environment"].items())
    auto = info["auto"]
    yield from _section("config that `auto` picks", [(auto["name"] or "none", auto["reason"])])
    yield from _section("configs", _presets(info["presets"]))


def _section(title: str, rows: Any) -> Iterator[str]:
    yield f"\n{title}"
    rows = list(rows)
    width = max(len(key) for key, _ in rows)
    for key, value in rows:
        start = f"  {key:<{width}}  "
        yield from textwrap.wrap(
            value,
            WIDTH,
            initial_indent=start,
            subsequent_indent=" " * len(start),
            break_long_words=False,
            break_on_hyphens=False,
        ) or [start.rstrip()]


def _hardware(hardware: dict[str, Any]) -> Iterator[tuple[str, str]]:
    cpu, memory = hardware["cpu"], hardware["memory"]
    cores = f"{cpu['physical_cores']} cores, {cpu['logical_cores']} threads"
    if cpu["usable_cores"] != cpu["physical_cores"]:
        cores += f", {cpu['usable_cores']} of the cores usable here"
    yield "CPU", f"{cpu['model']}: {cores}; {', '.join(cpu['features']) or 'instruction sets unknown'}"
    available = memory["available_bytes"]
    free = "" if available is None else f", {_size(available)} available"
    yield "memory", f"{_size(memory['total_bytes'])}{free}"
    for gpu in hardware["gpus"]:
        size = "" if gpu["memory_bytes"] is None else f", {_size(gpu['memory_bytes'])}"
        yield "GPU", f"{gpu['name']}{size}" + (f", driver {gpu['driver']}" if gpu["driver"] else "")
    if not hardware["gpus"]:
        yield "GPU", "none found"


def _backends(backends: dict[str, Any]) -> Iterator[tuple[str, str]]:
    torch, onnx = backends["torch"], backends["onnxruntime"]
    if torch:
        accelerate = f", accelerate {torch['accelerate']}" if torch["accelerate"] else ""
        yield "torch", f"{torch['version']}{accelerate}"
    else:
        yield "torch", "not installed (`pip install 'alrakis[torch]'`)"
    if onnx:
        packages = ", ".join(f"{name} {version}" for name, version in onnx["packages"].items())
        yield "onnxruntime", f"{packages}: {onnx['problem'] or ', '.join(onnx['providers'])}"
        if onnx["lone_rows"]:
            yield "", _lone(onnx["lone_rows"])
        if torch and not onnx["problem"]:
            gpus = "NVIDIA GPUs and " if "CUDAExecutionProvider" in onnx["providers"] else ""
            yield "", f"beside torch it runs the fine model on {gpus}the CPU (fine = 'onnx' in a config)"
    else:
        yield "onnxruntime", "not installed (`pip install 'alrakis[cpu]'`)"


def _lone(rows: dict[str, int]) -> str:
    """How a lone sequence gets the same numbers as in company, by precision."""
    ways = [
        f"{', '.join(names)} {how}"
        for count, how in ((1, "by itself"), (2, "by running it as two rows"))
        if (names := [name for name, own in rows.items() if own == count])
    ]
    return f"a lone sequence gets the same numbers as one in company: {'; '.join(ways)}"


def _artifacts(artifacts: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for artifact in artifacts:
        what = f"{artifact['weights']}, {_size(artifact['size_bytes'])}, {artifact['folder']}"
        yield f"{artifact['part']} {artifact['precision']}", what
        for line in artifact["lines"][1:]:
            yield "", line


def _presets(presets: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for preset in presets:
        if preset["exact"]:
            yield f"{preset['name']} (exact)", preset["summary"]
        else:
            yield preset["name"], f"{preset['summary']}. Trades: {preset['trades']}"


def _size(count_bytes: int) -> str:
    for unit, name in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if count_bytes >= unit:
            return f"{count_bytes / unit:.1f} {name}"
    return f"{count_bytes} B" if count_bytes else "empty"
