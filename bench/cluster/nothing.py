"""A worker that makes nothing, so that what is measured is who gives it work."""

import os

from alrakis.cluster.facts import Facts
from alrakis.cluster.worker import Done, Job, Recipe, RowJob, Worker
from alrakis.jobs.rows import MadeRow

BYTES = "ALRAKIS_BENCH_BYTES"  # of each audio file that it gives back


class Nothing(Worker):
    """Opens without weights, and gives back so many bytes for each row."""

    def open(self, recipe: Recipe) -> tuple[Facts, list[str]]:
        assert recipe.known is not None
        return recipe.known, []

    def do(self, job: Job) -> Done:
        assert isinstance(job, RowJob)
        return Done(MadeRow({job.plan.item.file: bytes(int(os.environ[BYTES]))}, 1.0, []), [])
