"""Every test of exports has a cache of its own."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_artifacts(cache: Path) -> None:
    """The cache of artifacts is empty."""
