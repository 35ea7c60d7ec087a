"""A cluster in the place of an engine: for the rows of a batch, and for the chunks of a text."""

import contextlib
import functools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from alrakis.cluster.address import LOCAL, connected
from alrakis.cluster.nodes import Size, check_size, living_nodes
from alrakis.cluster.pool import Pool
from alrakis.cluster.worker import SMALL, ChunkJob, Recipe, RowJob
from alrakis.flight.journey import Manner
from alrakis.flight.sequence import Caller, Handle
from alrakis.jobs.rows import BatchTask, PlannedItem, Row, row_room
from alrakis.jobs.settings import JobSettings
from alrakis.long.takes import Take, Told
from alrakis.long.text import Planning
from alrakis.result import Result
from alrakis.voices import Voice


class Cluster:
    """A cluster that this process is connected to. listen, languages: as `Recipe` has them."""

    def __init__(self, size: Size, listen: str | None, languages: Sequence[str]) -> None:
        self._size = size
        if listen is not None and os.path.isdir(listen):
            listen = os.path.abspath(listen)  # from whatever folder a worker is in
        self._listen = listen
        self._languages = tuple(dict.fromkeys(languages))
        self._pool: Pool | None = None

    @property
    def nodes(self) -> list[str]:
        """The names of the machines that work now."""
        return self._pool.nodes if self._pool else []

    def sayer(self, planning: Planning, task: BatchTask, cast: Mapping[str, Voice | None]) -> "ClusterSayer":
        """Who says the rows of a batch, as `Batch` asks for it."""
        words = task.aligning is not None
        recipe = Recipe(task.settings, cast, subtitles=task.subtitles, words=words)
        return ClusterSayer(functools.partial(self._started, recipe))

    def speaker(self, planning: Planning, settings: JobSettings) -> "ClusterSpeaker":
        """Who says the chunks of a text, as `Reading` asks for it."""
        return ClusterSpeaker(functools.partial(self._started, Recipe(settings, {})))

    def _started(self, recipe: Recipe) -> Pool:
        """The workers, started when they are first asked for. Raises as `Pool`."""
        if self._pool is None:
            cpus, depth = self._size.cpus, row_room(recipe.settings.config)
            recipe = replace(
                recipe,
                listen=self._listen,
                languages=self._languages,
                threads=None if cpus is None else max(1, int(cpus)),
                small=os.environ.get(SMALL, ""),
            )
            self._pool = Pool(recipe, self._size, depth)
        return self._pool

    def close(self) -> None:
        """End the workers."""
        if self._pool is not None:
            self._pool.close()


class ClusterSpeaker:
    """Says the takes of a long text on the workers of a pool, as `Speaker` has it."""

    def __init__(self, pool: Callable[[], Pool]) -> None:
        self._pool = pool

    @property
    def room(self) -> int:
        """More when workers join."""
        return self._pool().room

    def said(self, take: Take, manner: Manner, caller: Caller, language: str, told: Told) -> Handle[Result]:
        """As `Speaker` has it. What stages have made comes back with the take, not before."""
        job = ChunkJob(take.text, manner, language, take.written, take.known)
        return self._pool().submit(job)


class ClusterSayer:
    """Says items on the workers of a pool, which are started when there is an item."""

    def __init__(self, pool: Callable[[], Pool]) -> None:
        self._pool = pool

    @property
    def room(self) -> int:
        """As `Sayer` has it: more when workers join."""
        return self._pool().room

    def say(self, plan: PlannedItem, ended: Callable[[], None]) -> Row:
        """As `Sayer` has it; what is wrong with an item is told by its row."""
        handle = self._pool().submit(RowJob(plan))
        handle.add_done_callback(lambda _: ended())
        return handle


@contextlib.contextmanager
def cluster_at(
    address: str, size: Size, listen: str | None = None, languages: Sequence[str] = ()
) -> Iterator[Cluster]:
    """A cluster within the block. Raises as `connected`, and as `check_size` before anything is written."""
    with connected(address):
        import ray

        check_size(size, living_nodes(ray.nodes()), grows=address != LOCAL)
        cluster = Cluster(size, listen, languages)
        try:
            yield cluster
        finally:
            cluster.close()
