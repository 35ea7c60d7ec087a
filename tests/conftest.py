"""All tests share a cache of artifacts that is thrown away; a person's own is neither used nor filled."""

import signal
from collections.abc import Iterator

import pytest


def pytest_configure() -> None:
    """A shell starts jobs in the background with Ctrl-C ignored, and children inherit that: tests send it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ALRAKIS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
