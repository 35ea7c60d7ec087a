"""What is sent to other machines by its code, as alrakis may not be there, or be another.

So nothing of alrakis is imported before it is known to be ours.
"""

import pickle
from typing import Any


def unlike(version: str) -> str | None:
    """Why nothing of ours can run here; None if it can. version: that of the machine that plans."""
    try:
        import alrakis
    except ImportError:
        return "alrakis is not installed"
    if alrakis.__version__ != version:
        return f"it has alrakis {alrakis.__version__}, and {version} is needed"
    return None


def look(version: str, *needed: Any) -> dict[str, Any] | str:
    """The facts of this machine, or why it has none. needed: as `facts_of` takes it."""
    told = unlike(version)
    if told is not None:
        return told
    from alrakis.cluster.facts import facts_of

    return facts_of(*needed)


class Seat:
    """A worker's place on a machine: it becomes a worker when it is opened, if alrakis is ours there."""

    def __init__(self) -> None:
        self._worker: Any = None

    def open(self, version: str, worker: bytes, recipe: bytes) -> tuple[str, Any, list[str]]:
        """The machine's id, its facts, and why it cannot work. worker: its class. recipe: as that takes it.

        Both are pickled, to be looked at only where alrakis is ours.
        """
        import ray

        node_id = ray.get_runtime_context().get_node_id()
        told = unlike(version)
        if told is not None:
            return node_id, None, [told]
        self._worker = pickle.loads(worker)()
        return (node_id, *self._worker.open(pickle.loads(recipe)))

    def do(self, job: Any) -> Any:
        """As `Worker.do`."""
        return self._worker.do(job)


def by_its_code() -> None:
    """Let what is in this module be sent by its code."""
    import sys

    import ray

    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
