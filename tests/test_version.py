"""The version is the same wherever it is said."""

import importlib.metadata
import re
from pathlib import Path

import alrakis
from alrakis.version import __version__


def test_it_is_the_one_of_pyproject() -> None:
    text = (Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8")
    assert re.findall(r'^version = "(.*)"$', text, re.MULTILINE) == [__version__]
    assert alrakis.__version__ == __version__


def test_it_is_the_one_that_is_installed() -> None:
    assert importlib.metadata.version("alrakis") == __version__


def test_it_is_a_release_s() -> None:
    """Three numbers, as package indexes compare them."""
    assert re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", __version__)
