"""Workers on a cluster: what they are given, and what becomes of it when they end."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alrakis.cluster import pool as pools
from alrakis.cluster.nodes import Size
from alrakis.errors import BackendError, GenerationError
from tests.cluster import odd
from tests.cluster.clusters import pool_at, until


@pytest.fixture(autouse=True)
def idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers have no engine."""
    monkeypatch.setattr(pools, "Worker", odd.Idle)


def test_jobs_are_done_and_their_own_errors_come_back(one_machine: str) -> None:
    with pool_at(one_machine, Size(2, 2, 1)) as pool:
        handles = [pool.submit(odd.Echo(str(number))) for number in range(50)]
        wrong = pool.submit(odd.Echo("wrong"))
        assert [handle.result()[0] for handle in handles] == [str(number) for number in range(50)]
        assert len({handle.result()[1] for handle in handles}) == 2
        with pytest.raises(GenerationError, match="it cannot be said"):
            wrong.result()
        assert len(pool.nodes) == 1
        assert pool.room == 12  # 4 at once in each of 2, and half of that
    with pytest.raises(BackendError, match="has ended"):
        pool.submit(odd.Echo("late"))


@pytest.mark.cluster
def test_a_job_that_ends_its_worker_is_told_and_the_others_are_done(one_machine: str) -> None:
    with pool_at(one_machine, Size(1, 2, 1)) as pool:
        handles = [pool.submit(odd.Echo("end" if number == 3 else "fine")) for number in range(20)]
        for number, handle in enumerate(handles):
            if number == 3:
                with pytest.raises(GenerationError, match="2 workers failed while they said it"):
                    handle.result()
            else:
                assert handle.result()[0] == "fine"


def test_a_worker_that_is_killed_is_replaced(one_machine: str, tmp_path: Path) -> None:
    with pool_at(one_machine, Size(1, 1, 1)) as pool:
        process = pool.submit(odd.Echo("x")).result()[1]
        handles = [pool.submit(odd.Echo("x", str(tmp_path / "go"))) for _ in range(6)]
        os.kill(process, signal.SIGKILL)
        (tmp_path / "go").touch()
        assert process not in {handle.result()[1] for handle in handles}


@pytest.mark.parametrize(
    ("worker", "told"),
    [
        (odd.Unable, "cannot work: this card is broken"),
        pytest.param(odd.Stillborn, "no worker can start: ", marks=pytest.mark.cluster),
        pytest.param(odd.Defective, "no worker can start: TypeError: a defect", marks=pytest.mark.cluster),
    ],
)
def test_workers_that_cannot_start_end_the_work_with_their_reason(
    one_machine: str, monkeypatch: pytest.MonkeyPatch, worker: Any, told: str
) -> None:
    monkeypatch.setattr(pools, "Worker", worker)
    with pool_at(one_machine, Size(1, 2, 1)) as pool:
        with pytest.raises(BackendError, match=told) as error:
            pool.submit(odd.Echo("x")).result()
        assert "\n" not in str(error.value)
        with pytest.raises(BackendError, match=told):
            pool.submit(odd.Echo("x"))


def test_no_more_workers_are_asked_for_than_a_cluster_can_look_at(one_machine: str) -> None:
    with pool_at(one_machine, Size(1, 999_999, 1)) as pool:
        assert pool.submit(odd.Echo("x")).result()[0] == "x"
        assert len(pool._hired) <= pools.MOST_UNOPENED + 2


def test_waiting_for_workers_has_an_end(one_machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "START_S", 0.0)
    with (
        pool_at(one_machine, Size(1, 1, 64)) as pool,
        pytest.raises(
            BackendError, match=r"no more workers come: 0 of 1 workers are there; each needs 64 CPUs"
        ),
    ):
        pool.submit(odd.Echo("x")).result()


def test_waiting_has_an_end_when_all_workers_have_gone(
    one_machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pool_at(one_machine, Size(1, 1, 1)) as pool:
        assert pool.submit(odd.Echo("x")).result()
        monkeypatch.setattr(pools, "START_S", 0.0)
        monkeypatch.setattr(pools, "LOOK_S", 0.0)
        with pytest.raises(BackendError, match="no more workers come: 0 of 1 workers are there"):
            pool.submit(odd.Echo("end")).result()


@pytest.mark.cluster
def test_after_workers_that_did_not_start_others_are_tried(
    one_machine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "Worker", odd.Moody)
    monkeypatch.setattr(pools, "AGAIN_S", 0.5)
    mood = tmp_path / "bad"
    with pool_at(one_machine, Size(2, 2, 1), small=str(mood)) as pool:
        until(lambda: sum(hired.works for hired in pool._hired) == 2)
        mood.touch()
        os.kill(pool.submit(odd.Echo("x")).result()[1], signal.SIGKILL)
        handles = [pool.submit(odd.Echo("x")) for _ in range(8)]
        assert [handle.result()[0] for handle in handles] == ["x"] * 8
        until(lambda: pool._stillborn > pools.MOST_STILLBORN)
        mood.unlink()
        until(lambda: sum(hired.works for hired in pool._hired) == 2)
        assert pool.submit(odd.Echo("x")).result()[0] == "x"


@pytest.mark.cluster
def test_a_machine_that_goes_takes_no_job_along(machines: Callable[..., Any], tmp_path: Path) -> None:
    cluster = machines(1)
    second = cluster.add(1)
    with pool_at(cluster.address, Size(2, 2, 1)) as pool:
        handles = [pool.submit(odd.Echo("x", str(tmp_path / "go"))) for _ in range(30)]
        until(lambda: len(pool.nodes) == 2)
        cluster.remove(second)
        (tmp_path / "go").touch()
        assert [handle.result()[0] for handle in handles] == ["x"] * 30


@pytest.mark.cluster
def test_a_machine_that_joins_late_is_given_work(machines: Callable[..., Any], tmp_path: Path) -> None:
    cluster = machines(1)
    with pool_at(cluster.address, Size(1, None, 1)) as pool:
        assert pool.submit(odd.Echo("x")).result()
        before = len({hired.node_id for hired in pool._hired})
        cluster.add(1)
        until(lambda: len({hired.node_id for hired in pool._hired if hired.works}) == before + 1)
        handles = [pool.submit(odd.Echo("x")) for _ in range(200)]
        assert len({handle.result()[1] for handle in handles}) == 2
