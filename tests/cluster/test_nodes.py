"""The machines of a cluster, and how many workers fit on them."""

from typing import Any

import pytest

from alrakis.cluster.nodes import (
    Node,
    Size,
    check_size,
    cpus_of_worker,
    living_nodes,
    resources_told,
    room_for,
)
from alrakis.errors import InputError


def listed(name: str, alive: bool = True, **resources: float) -> dict[str, Any]:
    """A machine as Ray lists it."""
    return {
        "NodeID": f"id-{name}",
        "Alive": alive,
        "NodeName": name,
        "NodeManagerAddress": "10.0.0.1",
        "NodeManagerHostname": "host",
        "Resources": resources,
    }


def test_machines_that_are_there_by_their_names() -> None:
    found = living_nodes(
        [
            listed("a", CPU=8.0),
            listed("b", alive=False, CPU=8.0),
            listed("10.0.0.1", CPU=2.0, GPU=1.0),
            listed(""),
        ]
    )
    assert found == {
        "id-a": Node("id-a", "a", 8.0, 0.0),
        "id-10.0.0.1": Node("id-10.0.0.1", "host (10.0.0.1)", 2.0, 1.0),
        "id-": Node("id-", "host (10.0.0.1)", 0.0, 0.0),
    }


def machines(*of: tuple[float, float]) -> dict[str, Node]:
    return {str(n): Node(str(n), f"m{n}", cpus, gpus) for n, (cpus, gpus) in enumerate(of)}


@pytest.mark.parametrize(
    ("size", "of", "cpus", "room"),
    [
        (Size(), [(8, 0)], 8, 1),
        (Size(), [(8, 0), (4, 0), (0, 0)], 4, 3),  # the head has none, and takes none
        (Size(cpus=2), [(8, 0), (3, 0)], 2, 5),
        (Size(cpus=2), [], 2, 0),
        (Size(gpus=1), [(8, 2), (16, 0)], 4, 2),
        (Size(gpus=0.5), [(8, 1)], 4, 2),
        (Size(cpus=1, gpus=1), [(8, 2), (1, 4)], 1, 3),
    ],
)
def test_a_worker_has_the_smallest_machine_unless_it_is_told(
    size: Size, of: list[tuple[float, float]], cpus: float, room: int
) -> None:
    there = machines(*of)
    assert cpus_of_worker(size, there) == cpus
    assert room_for(cpus, size.gpus, there) == room


def test_a_size_that_nobody_knows() -> None:
    with pytest.raises(
        InputError, match=r"no machine of the cluster \(m0: 0 CPUs, 0 GPUs\) .*--cpus-per-worker"
    ):
        cpus_of_worker(Size(), machines((0, 0)))
    assert resources_told({}) == "none"


@pytest.mark.parametrize(
    ("size", "told"),
    [
        (Size(1, 1, 64), "there is no room for a worker of 64 CPUs and 0 GPUs: this machine has m0: 2 CPUs"),
        (Size(3, 9, 1), "there is no room for 3 workers of 1 CPUs and 0 GPUs: this machine has m0: 2 CPUs"),
        (Size(1, None, 1, 0.5), "there is no room for a worker of 1 CPUs and 0.5 GPUs: this machine has m0"),
    ],
)
def test_a_size_that_there_is_no_room_for(size: Size, told: str) -> None:
    """Where machines may come, it is waited for them."""
    with pytest.raises(InputError, match=told):
        check_size(size, machines((2, 0)), grows=False)
    check_size(size, machines((2, 0)), grows=True)
    check_size(Size(2, 9, 1), machines((2, 0)), grows=False)


@pytest.mark.parametrize("wrong", [{"least": 0}, {"least": 3, "most": 2}, {"cpus": 0.0}, {"gpus": -1.0}])
def test_a_size_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Size(**wrong)
