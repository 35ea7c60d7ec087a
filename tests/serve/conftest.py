"""A server on this machine, with the demo voice at an exact config."""

from collections.abc import Iterator

import pytest

from tests.serve.running import Running


@pytest.fixture(scope="session")
def server() -> Iterator[Running]:
    """One for many tests, which leave it as it was."""
    with Running() as running:
        yield running
