"""Clusters of several machines, which are processes on this one."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alrakis.cluster.address import connected
from alrakis.cluster.nodes import Size
from alrakis.cluster.pool import Pool
from alrakis.cluster.worker import Recipe
from alrakis.config import load_config
from tests.jobs.books import job

ROOT = Path(__file__).parents[2]


class Machines:
    """A cluster; its first machine is there from the start."""

    def __init__(self, cpus: int) -> None:
        from ray.cluster_utils import Cluster

        self._cluster = Cluster()
        self.add(cpus)
        self.address: str = self._cluster.address

    def add(self, cpus: int = 1, **more: Any) -> Any:
        """One more machine."""
        return self._cluster.add_node(num_cpus=cpus, include_dashboard=False, **more)

    def remove(self, machine: Any) -> None:
        """A machine goes, without a word."""
        self._cluster.remove_node(machine, allow_graceful=False)

    def end(self) -> None:
        import ray

        ray.shutdown()
        self._cluster.shutdown()


@contextmanager
def pool_at(address: str, size: Size, depth: int = 4, small: str = "") -> Iterator[Pool]:
    """Workers of a cluster that say the demo voice. small: of the recipe."""
    config = load_config("cpu-fp32", {"threads": 1})
    recipe = Recipe(job(seed=1, config=config), {}, small=small)
    with connected(address):
        pool = Pool(recipe, size, depth)
        try:
            yield pool
        finally:
            pool.close()


def copy_alrakis(folder: Path) -> Path:
    """The package in a folder, as it is installed there; gives its place."""
    for source, place in (
        ("engine", "alrakis"),
        ("export", "alrakis/export"),
        ("configs", "alrakis/configs"),
    ):
        shutil.copytree(ROOT / source, folder / place, ignore=shutil.ignore_patterns("__pycache__"))
    return folder / "alrakis"


def until(happened: Callable[[], Any]) -> Any:
    """Wait for something to be true, however long that takes here; gives it."""
    while not (found := happened()):
        time.sleep(0.05)
    return found
