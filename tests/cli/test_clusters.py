"""The options that let a cluster speak."""

import argparse

import pytest

from alrakis import Engine
from alrakis.cli.clusters import add_cluster_options, cluster_size, open_cluster, speaks
from alrakis.cluster.nodes import Size
from alrakis.cluster.planner import Planner
from alrakis.errors import InputError


def asked(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_cluster_options(parser)
    return parser.parse_args(arguments)


@pytest.mark.parametrize(
    ("arguments", "size"),
    [
        ([], Size(1, None)),
        (["--workers", "4"], Size(4, 4)),
        (["--workers", "2:8"], Size(2, 8)),
        (["--cpus-per-worker", "1.5", "--gpus-per-worker", "0.5"], Size(1, None, 1.5, 0.5)),
    ],
)
def test_how_many_and_how_large(arguments: list[str], size: Size) -> None:
    assert cluster_size(asked("--ray", "auto", *arguments)) == size


@pytest.mark.parametrize("workers", ["", "x", "2:", ":8", "2:x", "-1", "2:1", "0:3", "1.5"])
def test_numbers_of_workers_that_are_none(workers: str) -> None:
    with pytest.raises(InputError, match="--workers takes MIN:MAX"):
        cluster_size(asked("--ray", "auto", f"--workers={workers}"))


def test_without_a_cluster_an_engine_speaks() -> None:
    alone = asked()
    assert speaks(alone) is Engine
    with open_cluster(alone, ["en"]) as cluster:
        assert cluster is None
    assert speaks(asked("--ray", "local")) is Planner
    with pytest.raises(InputError, match="belong to --ray"):
        cluster_size(asked("--workers", "2"))
