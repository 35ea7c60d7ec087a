"""A server on this machine, with the demo voice at an exact config, and a browser."""

from collections.abc import Iterator

import pytest

from tests.bench.browser import MISSING, find_chromium
from tests.serve.chromium import Chromium, Page, opened
from tests.serve.running import Running
from tests.serve.speaking import LISTEN, READY


@pytest.fixture(scope="session")
def server() -> Iterator[Running]:
    """One for many tests, which leave it as it was."""
    with Running() as running:
        yield running


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    program = find_chromium()
    if program is None:
        pytest.skip(MISSING)
    with Chromium(program, tmp_path_factory.mktemp("chromium")) as chromium:
        yield chromium


@pytest.fixture
def page(browser: Chromium, server: Running) -> Iterator[Page]:
    """A page that may complain of nothing, and ask nobody else for anything."""
    with opened(browser, server.url + "/", before=LISTEN) as page:
        page.wait(READY)
        yield page
        assert page.complaints == []
        assert {url for url in page.requests if not url.startswith((server.url + "/", "blob:"))} == set()
