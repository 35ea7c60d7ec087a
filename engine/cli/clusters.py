"""Options of commands that can let a cluster speak."""

import argparse
import contextlib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from alrakis.errors import InputError

if TYPE_CHECKING:
    from alrakis.cluster.nodes import Size
    from alrakis.cluster.speaking import Cluster


def add_cluster_options(parser: argparse.ArgumentParser) -> None:
    """Add `--ray` and what goes with it, for `cluster_size`."""
    group = parser.add_argument_group("many machines (the extra `ray`; docs/cluster.md)")
    group.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="let workers of a Ray cluster speak: HOST:PORT, auto (where this machine is in one), or local",
    )
    group.add_argument(
        "--workers",
        metavar="MIN:MAX",
        help="begin with so many, have so many at most (default: 1, and as many as there is room for)",
    )
    group.add_argument(
        "--cpus-per-worker", type=float, metavar="N", help="default: all that the smallest machine has"
    )
    group.add_argument("--gpus-per-worker", type=float, metavar="N", help="default: 0")


def cluster_size(args: argparse.Namespace) -> "Size":
    """How many workers, and how large, by the options of `add_cluster_options`. Raises InputError."""
    from alrakis.cluster.nodes import Size

    given = args.workers, args.cpus_per_worker, args.gpus_per_worker
    if args.ray is None:
        if any(value is not None for value in given):
            raise InputError("--workers, --cpus-per-worker and --gpus-per-worker belong to --ray ADDRESS")
        return Size()
    least, most = _parse_workers(args.workers)
    return Size(least, most, args.cpus_per_worker, args.gpus_per_worker or 0.0)


def _parse_workers(text: str | None) -> tuple[int, int | None]:
    if text is None:
        return 1, None
    found = re.fullmatch(r"(\d{1,6})(?::(\d{1,6}))?", text)
    if found is None:
        raise InputError(f"--workers takes MIN:MAX or one number, as in --workers 2:8, not {text!r:.80}")
    return int(found[1]), int(found[2] or found[1])


def speaks(args: argparse.Namespace) -> Any:
    """What a job plans with: an engine, or with `--ray` all of it but its networks."""
    if args.ray is None:
        from alrakis.engine import Engine

        return Engine
    from alrakis.cluster.planner import Planner

    return Planner


def open_cluster(
    args: argparse.Namespace, languages: Sequence[str]
) -> "contextlib.AbstractContextManager[Cluster | None]":
    """The cluster that was asked for, within a block; None if none was. languages: of what is said."""
    if args.ray is None:
        return contextlib.nullcontext()
    from alrakis.cluster.speaking import cluster_at

    return cluster_at(args.ray, cluster_size(args), args.listen, languages)
