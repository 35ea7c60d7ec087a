"""A process may be forked while other threads hold whatever can be held: the child never waits for them."""

import importlib
import multiprocessing
import pkgutil
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from tqdm import tqdm

import alrakis
import alrakis.export
from alrakis import generation
from alrakis.default.engine import close_default_engine, current_engine, default_engine
from alrakis.progress import above_bars, progress_bar
from tests.test_leaving import in_a_fork

pytestmark = [
    pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]

LOCKS = (type(threading.Lock()), type(threading.RLock()), threading.Condition, threading.Semaphore)


def module_locks() -> Iterator[tuple[str, Callable[[], Any]]]:
    """Every lock that a module of the engine or of the export has for all, by where it stands."""
    for package in (alrakis, alrakis.export):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".backends.torch" in module.name or module.name.endswith("__main__"):
                continue
            imported = importlib.import_module(module.name)
            for name, value in vars(imported).items():
                if isinstance(value, LOCKS):
                    yield f"{module.name}.{name}", lambda m=imported, n=name: getattr(m, n)
    yield "tqdm's", tqdm.get_lock


@pytest.fixture
def held() -> Iterator[None]:
    """All locks are held by another thread."""
    holding, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        locks = [lock() for _, lock in module_locks()]
        for lock in locks:
            lock.acquire()
        holding.set()
        let_go.wait()
        for lock in locks:
            lock.release()

    thread = threading.Thread(target=hold)
    thread.start()
    holding.wait()
    yield
    let_go.set()
    thread.join()


def free_in_the_child() -> str:
    found = [(name, take()) for name, take in module_locks()]
    names = [name for name, lock in found if not any(_acquired(part) for part in _parts(lock))]
    return f"{len(found)} looked at, held: {names}"


def _parts(lock: Any) -> list[Any]:
    """tqdm's lock is one for threads and one for processes; the parent gives the latter back."""
    return [lock.th_lock] if hasattr(lock, "th_lock") else [lock]


def _acquired(lock: Any) -> bool:
    taken = lock.acquire(blocking=False)
    if taken:
        lock.release()
    return bool(taken)


@pytest.mark.usefixtures("held")
def test_no_lock_of_a_module_is_held_in_a_child() -> None:
    said = in_a_fork(free_in_the_child)
    assert said.endswith("held: []"), said
    assert int(said.split()[0]) >= 2


@pytest.fixture
def no_engine() -> Iterator[None]:
    close_default_engine()
    yield
    close_default_engine()


@pytest.mark.usefixtures("no_engine")
def test_a_child_makes_its_own_engine_while_the_parent_is_making_one() -> None:
    """The parent's lock is held as long as that takes: a download, perhaps."""
    where = {"weights": "synthetic-tiny", "config": "cpu-fp32"}
    began, go_on = threading.Event(), threading.Event()
    real = importlib.import_module("alrakis.default.engine").Engine

    def slow(*arguments: Any, **options: Any) -> Any:
        began.set()
        go_on.wait()
        return real(*arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("alrakis.default.engine.Engine", slow)
        thread = threading.Thread(target=lambda: default_engine(**where))
        thread.start()
        began.wait()

        def child() -> str:
            patch.setattr("alrakis.default.engine.Engine", real)
            return type(default_engine(**where)).__name__

        try:
            assert in_a_fork(child) == "Engine"
        finally:
            go_on.set()
            thread.join()


@pytest.mark.usefixtures("no_engine")
def test_what_a_child_does_with_the_parents_engine() -> None:
    where = {"weights": "synthetic-tiny", "config": "cpu-fp32", "seed": 1, "silent": True}
    codes = np.array([[1, 2, 3]] * 2)
    made = generation.generate_fine(codes, **where)
    assert current_engine() is not None

    def child() -> str:
        assert current_engine() is None
        assert dict(generation.models) == {}
        generation.clean_models()
        same = generation.generate_fine(codes, **where)
        generation.clean_models()
        return str(bool((same == made).all()))

    assert in_a_fork(child) == "True"
    assert current_engine() is not None


def test_bars_of_the_parent_are_not_the_childs() -> None:
    with progress_bar("text", 1.0, silent=True):

        def child() -> str:
            with above_bars():
                return str(len(tqdm._instances))

        assert in_a_fork(child) == "0"
