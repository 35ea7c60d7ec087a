"""One engine for all tests of long texts."""

from collections.abc import Iterator

import pytest

from alrakis import Engine


@pytest.fixture(scope="package")
def engine() -> Iterator[Engine]:
    with Engine("synthetic-tiny", "torch-fp32", threads=1, max_batch=4) as made:
        yield made
