"""Paths as a person gives them."""

from pathlib import Path

import pytest

from alrakis.errors import InputError
from alrakis.places.given import given_path


def test_a_home_that_nobody_has_is_told() -> None:
    for path in ("~nobody-has-this/x", "~nobody-has-this"):
        with pytest.raises(InputError, match="a home folder that this system does not know"):
            given_path(path)
    with pytest.raises(InputError, match="zero byte"):
        given_path("a\0b")


def test_paths_are_taken_as_they_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert given_path("~/x") == tmp_path / "x"
    assert given_path("x") == Path("x")
    assert given_path(Path("x\udcff")) == Path("x\udcff")
