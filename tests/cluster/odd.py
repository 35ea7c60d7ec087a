"""Jobs and workers that go wrong; a cluster's processes import them from here."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alrakis.cluster.facts import Facts
from alrakis.cluster.worker import Bench, Done, Job, Recipe, RowJob, Worker
from alrakis.errors import BackendError, GenerationError
from alrakis.jobs.rows import MadeRow


@dataclass(frozen=True)
class OddRow(RowJob):
    """A row whose text says what goes wrong. log: a file that tells who tried it."""

    log: str = ""

    def do(self, bench: Bench) -> MadeRow:
        text = self.plan.item.text
        with open(self.log, "a") as file:
            file.write(f"{self.plan.item.id} {os.getpid()}\n")
        if "poison" in text:
            os.kill(os.getpid(), signal.SIGKILL)
        if "defect" in text:
            raise TypeError("a defect")
        return super().do(bench)


@dataclass(frozen=True)
class Echo:
    """A job without an engine. wait: a file that it waits for; what: what to do then."""

    what: str
    wait: str = ""

    def do(self, bench: Any) -> Any:
        while self.wait and not Path(self.wait).exists():
            time.sleep(0.02)
        if self.what == "wrong":
            raise GenerationError("it cannot be said")
        if self.what == "end":
            os.kill(os.getpid(), signal.SIGKILL)
        return self.what, os.getpid()


class Idle(Worker):
    """A worker without an engine."""

    def open(self, recipe: Recipe) -> tuple[Facts, list[str]]:
        assert recipe.known is not None
        return recipe.known, []

    def do(self, job: Job) -> Done:
        self._bench = self._bench or Bench.__new__(Bench)
        return super().do(job)


class Stillborn(Idle):
    """A worker that ends when it is to be opened."""

    def open(self, recipe: Recipe) -> tuple[Facts, list[str]]:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


class Moody(Idle):
    """A worker that ends when it is to be opened, as long as there is a file."""

    def open(self, recipe: Recipe) -> tuple[Facts, list[str]]:
        if Path(recipe.small).exists():
            os.kill(os.getpid(), signal.SIGKILL)
        return super().open(recipe)


class Unable(Worker):
    """A worker whose engine cannot be made."""

    def _opened(self, recipe: Recipe) -> Bench:
        raise BackendError("this card is broken")


class Defective(Worker):
    """A worker that has a defect."""

    def _opened(self, recipe: Recipe) -> Bench:
        raise TypeError("a defect")
