"""Workers of a cluster, and one thread here that gives them jobs and takes in what they made."""

import logging
import os
import pickle
import re
import threading
import time
from dataclasses import replace
from typing import Any

from alrakis.cluster import remote
from alrakis.cluster.facts import Facts
from alrakis.cluster.ledger import Desk, Ledger, Task
from alrakis.cluster.nodes import Node, Size, cpus_of_worker, each, living_nodes, resources_told, room_for
from alrakis.cluster.probe import checked_nodes
from alrakis.cluster.worker import Done, Job, Recipe, Worker
from alrakis.errors import BackendError
from alrakis.flight.sequence import Handle

TICK_S = 0.2  # a job that comes while nobody has one waits so long at the most
LOOK_S = 2.0  # how often the machines are counted
TELL_S = 60.0  # how often it is told that workers are waited for
START_S = 1800.0  # in which workers come, as machines are started for them
MOST_UNOPENED = 64  # workers that are asked for and are not open
MOST_STILLBORN = 3  # workers that end before they are open, one after the other
AGAIN_S = 60.0  # after which others are tried nevertheless, where some work
MOST_DEATHS = 20  # workers that end by themselves, and nothing is made in between

logger = logging.getLogger("alrakis")


class Hired(Desk):
    """A worker. node_id: where it is, once it is open. refused: it may not work, and keeps its place."""

    def __init__(self, depth: int, actor: Any, opening: Any) -> None:
        super().__init__(depth)
        self.actor = actor
        self.node_id: str | None = None
        self.refused = False
        self.under_way: dict[Any, Task | None] = {opening: None}

    @property
    def works(self) -> bool:
        """Whether it takes jobs."""
        return self.node_id is not None and not self.refused


class Pool:
    """Jobs are submitted, and done by whoever is there, in the cluster that this process is connected to.

    depth: jobs that a worker does at once. Raises InputError for a size that nothing here has, BackendError
    for machines that would say other things.
    """

    def __init__(self, recipe: Recipe, size: Size, depth: int) -> None:
        import ray

        self._ray = ray
        self._size = size
        self._depth = depth
        self._ledger = Ledger()
        self._hired: list[Hired] = []
        self._names: dict[str, str] = {}
        nodes = self._living()
        self._cpus = cpus_of_worker(size, nodes)
        fit = [node for node in nodes.values() if node.room(self._cpus, size.gpus)]
        self._likeness = checked_nodes(recipe.need, fit)
        made = pickle.dumps(replace(recipe, known=self._likeness.known))
        self._opening = remote.alrakis_here(), pickle.dumps(Worker), ray.put(made)
        remote.by_its_code()
        self._actors = ray.remote(remote.RemoteWorker)
        self._begun = False
        self._stillborn = self._deaths = 0
        self._reason = ""  # of the last worker that ended before it was open
        self._warned: set[str] = set()  # of the machines that will not do
        self._looked_s = self._told_s = self._worked_s = self._tried_s = time.monotonic()
        self._closing = threading.Event()
        self._lock = threading.Lock()  # of submitting and of the end
        self._end: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="alrakis-cluster", daemon=True)
        self._thread.start()

    @property
    def room(self) -> int:
        """How many jobs should be submitted and not done: all that are done at once, and some more."""
        at_once = self._depth * max(1, sum(hired.works for hired in list(self._hired)))
        return at_once + max(self._depth, at_once // 2)

    @property
    def nodes(self) -> list[str]:
        """The names of the machines that work now."""
        ids = {hired.node_id for hired in list(self._hired) if hired.works}
        return sorted(self._names.get(node_id or "", "a machine") for node_id in ids)

    def submit(self, job: Job) -> Handle[Any]:
        """A job to be done; what comes of it, or what it raises, is in its handle.

        Raises what ended the work, where it has ended.
        """
        task = Task(job)
        with self._lock:
            if self._end is not None:
                raise self._end
            self._ledger.add(task)
        return task.handle

    def close(self) -> None:
        """End all work, and the workers."""
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        end: BaseException = BackendError("the work on the cluster has ended")
        try:
            while not self._closing.is_set():
                self._look()
                self._give_out()
                self._take_in()
        except BaseException as error:  # it is told to all who wait
            end = error
        with self._lock:
            self._end = end
        self._ledger.give_up(self._hired, end)
        for hired in self._hired:
            self._ray.kill(hired.actor)
            hired.actor = None  # handles that end later might end others, of a cluster that is joined next

    def _living(self) -> dict[str, Node]:
        nodes = living_nodes(self._ray.nodes())
        self._names.update({node.id: node.name for node in nodes.values()})
        return nodes

    def _name(self, hired: Hired) -> str:
        return self._names.get(hired.node_id or "", "a machine")

    def _look(self) -> None:
        """Hire as many as there should be; where most is open, as many as the machines have room for.

        Raises BackendError if none can be expected to start.
        """
        now_s = time.monotonic()
        if self._hired and now_s - self._looked_s < LOOK_S:
            return
        self._looked_s = now_s
        nodes = self._living()
        self._hired = [hired for hired in self._hired if not hired.refused or hired.node_id in nodes]
        there = sum(hired.works for hired in self._hired)
        if self._stillborn < MOST_STILLBORN or (there and now_s - self._tried_s >= AGAIN_S):
            self._hire(self._missing(nodes))
        if all(hired.refused for hired in self._hired):
            raise BackendError(f"no worker can start: {self._reason}")
        self._begun = self._begun or there >= self._size.least
        if self._begun and there:
            self._worked_s = now_s
        else:
            self._wait(now_s, there, nodes)

    def _missing(self, nodes: dict[str, Node]) -> int:
        """How many workers should be asked for now."""
        wanted = self._size.most or max(self._size.least, room_for(self._cpus, self._size.gpus, nodes))
        wanted += sum(hired.refused for hired in self._hired) if self._size.most else 0
        unopened = sum(hired.node_id is None for hired in self._hired)
        return min(wanted - len(self._hired), MOST_UNOPENED - unopened)

    def _wait(self, now_s: float, there: int, nodes: dict[str, Node]) -> None:
        """Tell what is waited for. Raises BackendError after a long time."""
        waiting = (
            f"{there} of {self._size.least} workers are there; each needs {each(self._cpus, self._size)}"
        )
        if now_s - self._worked_s >= START_S:
            raise BackendError(f"no more workers come: {waiting}; machines: {resources_told(nodes)}")
        if now_s - self._told_s >= TELL_S:
            self._told_s = now_s
            logger.info("waiting: %s", waiting)

    def _hire(self, count: int) -> None:
        actors = self._actors.options(
            num_cpus=self._cpus,
            num_gpus=self._size.gpus,
            max_concurrency=self._depth + 1,
            max_restarts=0,
            max_task_retries=0,
        )
        for _ in range(count):
            actor = actors.remote()
            self._hired.append(Hired(self._depth, actor, actor.open.remote(*self._opening)))
            self._tried_s = time.monotonic()

    def _give_out(self) -> None:
        for hired in self._hired if self._begun else []:
            while hired.works and (task := self._ledger.next_for(hired)) is not None:
                hired.under_way[hired.actor.do.remote(task.job)] = task

    def _take_in(self) -> None:
        """What has ended: first what went well, so that it is not lost with a worker that ended after it."""
        holders = {reference: hired for hired in self._hired for reference in hired.under_way}
        if not holders:
            self._closing.wait(TICK_S)
            return
        ready, _ = self._ray.wait(list(holders), num_returns=1, timeout=TICK_S)
        if ready:
            ready, _ = self._ray.wait(list(holders), num_returns=len(holders), timeout=0)
        ill: list[tuple[Hired, Any, Exception]] = []
        for reference in ready:
            hired = holders[reference]
            try:
                value = self._ray.get(reference)
            except self._ray.exceptions.RayError as error:
                ill.append((hired, reference, error))
                continue
            self._take(hired, hired.under_way.pop(reference), value)
        for hired, reference, reason in ill:
            if reference in hired.under_way:
                self._went_wrong(hired, reference, reason)

    def _take(self, hired: Hired, task: Task | None, value: Any) -> None:
        if task is None:
            self._opened(hired, *value)
            return
        done: Done = value
        self._deaths = 0
        hired.tasks.discard(task)
        for note in done.notes:
            logger.warning("%s", note)
        task.done(done.value)

    def _opened(self, hired: Hired, node_id: str, facts: Facts | None, problems: list[str]) -> None:
        hired.node_id = node_id
        if facts is not None and not problems:
            problems = self._likeness.problems(facts)
        if problems:
            self._refuse(hired, problems)
            return
        self._likeness.tell_kinds()
        self._stillborn = 0
        self._looked_s = -LOOK_S  # it may be the one that was waited for

    def _refuse(self, hired: Hired, problems: list[str]) -> None:
        """A machine will not do: where work goes on already, it is left out and its place is kept."""
        self._living()
        hired.refused, self._reason = True, f"{self._name(hired)} cannot work: {'; '.join(problems)}"
        if not any(other.works for other in self._hired):
            raise BackendError(self._reason)
        if self._reason not in self._warned:  # once for a machine, however many workers it has room for
            self._warned.add(self._reason)
            logger.warning("%s, and is left out", self._reason)

    def _went_wrong(self, hired: Hired, reference: Any, error: Exception) -> None:
        """A job, or the opening, ended without an answer: what of the worker, and of its jobs."""
        exceptions = self._ray.exceptions
        task = hired.under_way.pop(reference)
        reason = _in_a_line(error)
        if task is not None and isinstance(error, exceptions.ObjectLostError):
            hired.tasks.discard(task)
            alone = Desk(1)
            alone.tasks = {task}
            self._ledger.lost(alone)
            return
        self._hired.remove(hired)
        hired.under_way = {}
        self._ray.kill(hired.actor)
        if self._gone(hired, error):
            logger.info("%s has gone; its texts are said elsewhere", self._name(hired))
            self._ledger.lost(hired)
            return
        if task is None:
            self._stillborn, self._reason = self._stillborn + 1, reason
            return
        if isinstance(error, exceptions.RayTaskError):  # no job's own error: the worker may be ill
            self._ledger.failed(hired, task, f"{self._name(hired)}: {reason}")
        # the others may have ended it at the same moment: whose error came first says nothing of them
        self._ledger.ended(hired, f"{self._name(hired)}: {reason}")
        self._deaths += 1
        if self._deaths > MOST_DEATHS + 2 * len(self._hired):
            raise BackendError(f"worker after worker ends, and nothing is made: {reason}")

    def _gone(self, hired: Hired, error: Exception) -> bool:
        """Whether a worker ended with its machine."""
        if isinstance(error, self._ray.exceptions.RayTaskError):
            return False
        if "node" in str(error) and "died" in str(error).partition("node")[2][:40]:
            return True
        return hired.node_id is not None and hired.node_id not in self._living()


def _in_a_line(error: Exception) -> str:
    """What an error tells, without the traceback of another machine and Ray's advice."""
    cause = getattr(error, "cause", None)
    told = " ".join((f"{type(cause).__name__}: {cause}" if cause is not None else str(error)).split())
    if "references to the actor were removed" in told:  # we keep them: nobody could ask us
        mode = os.environ.get("RAY_AUTH_MODE") or "not set"
        return f"the cluster cannot reach this process; RAY_AUTH_MODE, here {mode}, must be that of its head"
    ended = re.search(r"exit detail: (.*?)(?: (?:Some|There are some) |$)", told)
    return (ended[1] if ended else told)[:300]
