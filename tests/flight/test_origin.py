"""What belongs to a process, and what a forked one is told."""

import multiprocessing

import pytest

from alrakis.errors import BackendError
from alrakis.flight.origin import Origin
from tests.test_leaving import in_a_fork


def test_it_belongs_to_the_process_that_made_it() -> None:
    origin = Origin()
    origin.check()
    assert not origin.left


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_forked_process_is_another() -> None:
    origin = Origin()
    assert in_a_fork(lambda: origin.left) == "True"
    assert "make an engine in each process" in in_a_fork(origin.check)
    with pytest.raises(BackendError):
        raise_in_another(origin)


def raise_in_another(origin: Origin) -> None:
    origin._process += 1
    origin.check()
