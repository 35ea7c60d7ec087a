"""Which job goes to which worker: no job is lost or done twice, whatever ends."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from alrakis.cluster.ledger import MOST_LOSSES, Desk, Ledger, Task
from alrakis.errors import GenerationError


class Fleet:
    """Workers that do jobs in any order. A job of `poison` ends its worker, as soon as it comes up.

    gone: how often, of 100, a machine goes instead.
    """

    def __init__(
        self, jobs: int, poison: set[int], workers: int, depth: int, gone: int, random: Random
    ) -> None:
        self.ledger = Ledger()
        self.tasks = [Task(number) for number in range(jobs)]
        for task in self.tasks:
            self.ledger.add(task)
        self.desks = [Desk(depth) for _ in range(workers)]
        self.poison, self.gone, self.random = poison, gone, random
        self.ends: dict[int, int] = dict.fromkeys(range(jobs), 0)  # workers that a job has ended
        self.made: list[int] = []

    def run(self) -> None:
        while not all(task.handle.done() for task in self.tasks):
            for desk in self.desks:
                while (task := self.ledger.next_for(desk)) is not None:
                    assert len(desk.tasks) <= desk.depth
            desk = self.random.choice([desk for desk in self.desks if desk.tasks])
            if self.random.randrange(100) < self.gone:
                self.ledger.lost(desk)
                continue
            task = self.random.choice(sorted(desk.tasks, key=lambda task: task.job))
            if task.job in self.poison:
                self.ends[task.job] += 1
                self.ledger.ended(desk, "it ended")
            else:
                desk.tasks.discard(task)
                self.made.append(task.job)
                task.done(task.job)


@given(st.integers(1, 40), st.sets(st.integers(0, 39)), st.integers(1, 4), st.integers(1, 6), st.randoms())
def test_a_job_that_ends_its_worker_is_tried_on_two_and_takes_no_other_along(
    jobs: int, poison: set[int], workers: int, depth: int, random: Random
) -> None:
    fleet = Fleet(jobs, poison, workers, depth, 0, random)
    fleet.run()
    assert sorted(fleet.made) == [job for job in range(jobs) if job not in poison]
    for task in fleet.tasks:
        if task.job in poison:
            assert 1 <= fleet.ends[task.job] <= 2
            error = task.handle.exception()
            assert isinstance(error, GenerationError)
            assert "2 workers failed while they said it; the last: it ended" in str(error)


@given(st.integers(1, 40), st.integers(1, 4), st.integers(1, 6), st.integers(0, 30), st.randoms())
def test_machines_that_go_cost_nobody_a_strike(
    jobs: int, workers: int, depth: int, gone: int, random: Random
) -> None:
    fleet = Fleet(jobs, set(), workers, depth, gone, random)
    fleet.run()
    assert len(set(fleet.made)) == len(fleet.made)
    for task in fleet.tasks:
        assert task.strikes == 0
        if task.handle.exception() is not None:
            assert task.losses == MOST_LOSSES + 1


def test_a_suspect_is_done_alone_and_after_the_others() -> None:
    ledger, first, second = Ledger(), Desk(3), Desk(3)
    tasks = [Task(number) for number in range(4)]
    for task in tasks[:2]:
        ledger.add(task)
    assert {ledger.next_for(first), ledger.next_for(first)} == set(tasks[:2])
    ledger.ended(first, "x")
    ledger.add(tasks[2])
    assert ledger.next_for(second) is tasks[2]
    assert ledger.next_for(second) is None  # it is not alone there
    second.tasks.clear()
    suspect = ledger.next_for(second)
    assert suspect in tasks[:2]
    ledger.add(tasks[3])
    assert ledger.next_for(second) is None  # alone
    assert ledger.next_for(Desk(1)) is tasks[3]


def test_a_job_that_nobody_wants_any_more_is_passed_over() -> None:
    ledger, desk = Ledger(), Desk(2)
    first, second = Task(1), Task(2)
    ledger.add(first)
    ledger.add(second)
    first.handle.cancel()
    assert ledger.next_for(desk) is second
    second.handle.cancel()
    second.done("too late")
    assert second.handle.cancelled()


def test_a_job_that_fails_in_a_worker_leaves_the_others_of_that_worker_alone() -> None:
    ledger, desk = Ledger(), Desk(2)
    tasks = [Task(1), Task(2)]
    for task in tasks:
        ledger.add(task)
    assert ledger.next_for(desk)
    assert ledger.next_for(desk)
    ledger.failed(desk, tasks[0], "out of memory")
    ledger.lost(desk)
    assert (tasks[0].strikes, tasks[1].strikes) == (1, 0)
    again = Desk(2)
    assert ledger.next_for(again) is tasks[1]


def test_giving_up_tells_everybody() -> None:
    ledger, desk, idle = Ledger(), Desk(1), Desk(1)
    tasks = [Task(number) for number in range(3)]
    ledger.add(tasks[0])
    ledger.next_for(desk)
    ledger.ended(desk, "x")
    ledger.add(tasks[1])
    ledger.add(tasks[2])
    ledger.next_for(desk)
    error = GenerationError("over")
    ledger.give_up([desk, idle], error)
    assert [task.handle.exception() for task in tasks] == [error] * 3
    assert ledger.next_for(idle) is None
