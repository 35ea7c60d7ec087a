"""What runs on another machine before alrakis is known to be ours there. It is sent by its code.

So nothing of alrakis is imported at its head, and alrakis may not be there at all, or be another.
"""

import hashlib
import importlib.util
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_PACKAGES = ("alrakis", "alrakis.configs", "alrakis.export")  # which decide what is heard
_APART = ("bench", "configs", "export")  # folders of the first, where it is installed as one
_KINDS = (".json", ".npy", ".npz", ".py", ".safetensors", ".toml")


def alrakis_here() -> tuple[str, str]:
    """The version of alrakis and a hash of its files, wherever they are. Raises ImportError."""
    import alrakis

    found = hashlib.sha256()
    for name, path in _files():
        content = path.read_bytes()
        found.update(f"{name} {len(content)}\n".encode())
        found.update(content)
    return alrakis.__version__, found.hexdigest()[:12]


def _files() -> Iterator[tuple[str, Path]]:
    for package in _PACKAGES:
        spec = importlib.util.find_spec(package)
        for folder in (spec and spec.submodule_search_locations) or ():
            names = {path.relative_to(folder).as_posix(): path for path in Path(folder).rglob("*.*")}
            for name in sorted(names):
                kept = names[name].suffix in _KINDS and name.partition("/")[0] not in _APART
                if kept and names[name].is_file():
                    yield f"{package}/{name}", names[name]


def unlike(needed: tuple[str, str]) -> str | None:
    """Why nothing of ours can run here; None if it can. needed: `alrakis_here` of the machine that plans."""
    try:
        version, files = alrakis_here()
    except ImportError:
        return "alrakis is not installed"
    if version != needed[0]:
        return f"it has alrakis {version}, and {needed[0]} is needed"
    if files != needed[1]:
        return f"its alrakis {version} has other files ({files}, not {needed[1]}): install there what is here"
    return None


def look(needed: tuple[str, str], *what: Any) -> dict[str, Any] | str:
    """The facts of this machine, or why it has none. needed: as `unlike` has it; what: as `facts_of`."""
    told = unlike(needed)
    if told is not None:
        return told
    from alrakis.cluster.facts import facts_of

    return facts_of(*what)


class RemoteWorker:
    """A worker on another machine, once it is opened and alrakis is ours there."""

    def __init__(self) -> None:
        self._worker: Any = None

    def open(self, needed: tuple[str, str], worker: bytes, recipe: bytes) -> tuple[str, Any, list[str]]:
        """The machine's id, its facts, and why it cannot work. worker: its class. recipe: as that takes it.

        Both are pickled, to be looked at only where alrakis is ours. needed: as `unlike` has it.
        """
        import ray

        node_id = ray.get_runtime_context().get_node_id()
        told = unlike(needed)
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
