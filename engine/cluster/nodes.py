"""The machines of a cluster: what they are called, and how many workers they have room for."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alrakis.errors import InputError

_LEAST = 0.001  # Ray counts in ten-thousandths


@dataclass(frozen=True)
class Size:
    """How many workers there may be, and how much each takes.

    least: the work begins with so many. most: None, as many as there is room for. cpus: None, all that the
    smallest machine has. gpus: of each worker.
    """

    least: int = 1
    most: int | None = None
    cpus: float | None = None
    gpus: float = 0.0

    def __post_init__(self) -> None:
        if self.least < 1 or (self.most is not None and self.most < self.least):
            raise InputError("--workers takes MIN:MAX, from 1 up, or one number, as in --workers 2:8")
        if self.cpus is not None and not _LEAST <= self.cpus < math.inf:
            raise InputError(f"--cpus-per-worker must be over 0, from {_LEAST} up, not {self.cpus:g}")
        if self.gpus and not _LEAST <= self.gpus < math.inf:
            raise InputError(f"--gpus-per-worker must be 0 or more, from {_LEAST} up, not {self.gpus:g}")


@dataclass(frozen=True)
class Node:
    """A machine that is there."""

    id: str
    name: str
    cpus: float
    gpus: float

    def room(self, cpus: float, gpus: float) -> int:
        """How many workers fit on it."""
        return int(min(self.cpus // cpus, self.gpus // gpus if gpus else self.cpus // cpus))


def living_nodes(listed: Sequence[Mapping[str, Any]]) -> dict[str, Node]:
    """The machines that are there now, by id, from what Ray lists."""
    return {node["NodeID"]: _node(node) for node in listed if node["Alive"]}


def _node(listed: Mapping[str, Any]) -> Node:
    resources, address = listed["Resources"], listed["NodeManagerAddress"]
    given = listed.get("NodeName") or address
    name = given if given != address else f"{listed['NodeManagerHostname']} ({address})"
    return Node(listed["NodeID"], name, resources.get("CPU", 0.0), resources.get("GPU", 0.0))


def cpus_of_worker(size: Size, nodes: Mapping[str, Node]) -> float:
    """The processors of one worker: those of a machine, shared by as many as its GPUs allow.

    Raises InputError where nobody says how many.
    """
    if size.cpus is not None:
        return size.cpus
    fit = [node for node in nodes.values() if node.cpus >= 1 and node.gpus >= size.gpus]
    if not fit:
        raise InputError(
            f"no machine of the cluster ({resources_told(nodes)}) gives a worker its size: give "
            "--cpus-per-worker, and --gpus-per-worker as the machines have them"
        )
    return min(node.cpus / (node.gpus // size.gpus if size.gpus else 1) for node in fit)


def check_size(size: Size, nodes: Mapping[str, Node], *, grows: bool) -> None:
    """Raises InputError for workers that these machines have no room for. grows: more machines may come."""
    cpus = cpus_of_worker(size, nodes)
    if room_for(cpus, size.gpus, nodes) < size.least and not grows:
        asked = "a worker" if size.least == 1 else f"{size.least} workers"
        raise InputError(
            f"there is no room for {asked} of {each(cpus, size)}: this machine has {resources_told(nodes)}"
        )


def each(cpus: float, size: Size) -> str:
    """What one worker takes, in words."""
    return f"{cpus:g} CPUs and {size.gpus:g} GPUs"


def room_for(cpus: float, gpus: float, nodes: Mapping[str, Node]) -> int:
    """How many workers fit on all machines."""
    return sum(node.room(cpus, gpus) for node in nodes.values())


def resources_told(nodes: Mapping[str, Node]) -> str:
    """What the machines have, in words."""
    return (
        "; ".join(f"{node.name}: {node.cpus:g} CPUs, {node.gpus:g} GPUs" for node in nodes.values()) or "none"
    )
