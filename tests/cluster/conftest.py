"""Ray clusters for tests: they listen to this machine alone, and end with the tests."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.clusters import ROOT, Machines


@pytest.fixture(scope="session")
def ray_here(own_cache: None) -> Iterator[None]:
    """What Ray reads when it is imported, and a short path for its sockets."""
    folder = tempfile.mkdtemp(prefix="ray-")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_AUTH_TOKEN", "a" * 64)  # else one is left in a person's ~/.ray
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_TMPDIR", folder)
        patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
        import ray

        ray._raylet.Config.initialize("")  # it may have been imported before
        yield
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="package")
def one_machine(ray_here: None) -> Iterator[str]:
    """The address of a cluster of one machine, which tests share."""
    machines = Machines(cpus=2)
    yield machines.address
    machines.end()


@pytest.fixture
def machines(ray_here: None) -> Iterator[Any]:
    """A function that starts a cluster of a test's own, whose first machine has so many processors."""
    started: list[Machines] = []

    def start(cpus: int = 1) -> Machines:
        started.append(Machines(cpus))
        return started[-1]

    yield start
    for cluster in started:
        cluster.end()
