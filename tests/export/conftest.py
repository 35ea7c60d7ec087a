"""Every test of exports has a cache of its own."""

from pathlib import Path

import pytest

from tests.cli.conftest import here, run

__all__ = ["here", "run"]


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The cache of artifacts, empty; not there yet."""
    monkeypatch.setenv("ALRAKIS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "artifacts"
