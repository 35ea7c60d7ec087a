"""All tests share a cache of artifacts that is thrown away; a person's own is neither used nor filled."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ALRAKIS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
