"""JSON and TOML with limits: whatever a file says, it is read, or refused in a line and at little cost."""

import contextlib
import json
import os
import re
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, ValidationError

from alrakis.files.parsing import (
    MOST_BYTES,
    LimitError,
    few_values,
    first_problem,
    parse_json,
    parse_model,
    parse_toml,
    read_file,
    read_json,
    reason,
)

MEGABYTES = 200
whole = st.integers(-(2**63), 2**63 - 1)
texts = st.text(st.characters(codec="utf-8"))
plain = st.recursive(
    st.none() | st.booleans() | whole | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(plain)
def test_what_json_writes_is_read(value: Any) -> None:
    for ascii_only in (True, False):
        assert parse_json(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(st.text() | st.binary())
def test_whatever_else_is_a_value_error(content: str | bytes) -> None:
    with contextlib.suppress(ValueError):
        parse_json(content)
    with contextlib.suppress(ValueError):
        parse_toml(content if isinstance(content, str) else content.decode("latin-1"))


JSONS = {
    "levels": "[" * 100_000,
    "closed levels": "[" * 500 + "]" * 500,
    "levels of tables": '{"a":' * 500 + "1" + "}" * 500,
    "digits": "9" * 5000,
    "millions of digits": "9" * MOST_BYTES,
    "digits of a float": "0." + "1" * 1_000_000,
    "beyond 64 bits": "36893488147419103232",
    "surrogate": '"\\ud800"',
    "surrogate in a key": '{"\\udfff": 1}',
    "infinity": "[1e999]",
    "NaN": "[NaN]",
    "twice": '{"a": 1, "a": 1}',
    "twice deep down": '[{"b": {"a": 1, "c": 2, "a": 1}}]',
    "many lists": "[" + "[]," * 2_000_000 + "1]",
    "many tables": "[" + '{"a":0},' * 800_000 + "1]",
    "many floats": "[" + "1.5," * 2_000_000 + "1]",
    "as many tables as are read, then damage": "[" + '{"a":0},' * 170_000 + "}",
    "as many keys as are read, then damage": "{" + ",".join(f'"{i:x}":[]' for i in range(170_000)) + "]",
}
TOMLS = {
    "levels": "a = " + "[" * 50_000,
    "levels of tables": "a = " + "{a = " * 10_000,
    "digits": "a = " + "9" * 50_000,
    "beyond 64 bits": "a = 0x" + "f" * 50_000,
    "keys of many parts": ".".join("a" * 30_000) + " = 1",
    "as many parts as are read": ("[" + ".".join("a" * 60) + "]\n")
    + "".join(".".join("a" * 60) + f".b{number} = 1\n" for number in range(480)),
    "surrogate": r'a = "\ud800"',
    "control character": "a = \x00",
    "too long": "#" * 70_000,
    "no date": "a = 2020-02-30",
    "twice": "a = 1\na = 2",
}
CASES = [(parse_json, name, text) for name, text in JSONS.items()]
CASES += [(parse_toml, name, text) for name, text in TOMLS.items()]


@pytest.mark.parametrize(
    ("parse", "text"),
    [pytest.param(parse, text, id=f"{parse.__name__[6:]}-{name}") for parse, name, text in CASES],
)
def test_what_is_too_much_costs_little(parse: Callable[[str], Any], text: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"\w") as refused:
            parse(text)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MEGABYTES * 1e6
    assert "\n" not in reason(refused.value)
    assert len(reason(refused.value)) < 200


def test_numbers_without_bounds_are_read_where_they_are_asked_for() -> None:
    assert parse_json("[Infinity, -Infinity]", unbounded=True) == [float("inf"), -float("inf")]
    assert parse_toml("a = inf") == {"a": float("inf")}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


def test_a_model_of_a_large_table_is_told_one_mistake() -> None:
    """pydantic would tell 500,000 keys that are not known."""
    content = "{" + ",".join(f'"a{number}":1' for number in range(400_000)) + "}"
    assert len(parse_json(content)) == 400_000
    with pytest.raises(LimitError, match="a table of 400000 keys; up to 10000"):
        parse_model(_Strict, content.encode())


def test_few_values_are_those_that_are_read() -> None:
    assert few_values("[" + "1," * 500_000 + "1]")
    assert not few_values("[" + "1," * 600_000 + "1]")


def test_only_ordinary_files_of_some_size_are_read(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"12345")
    assert read_file(tmp_path / "x", 5) == b"12345"
    with pytest.raises(LimitError, match="larger than"):
        read_file(tmp_path / "x", 4)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    for name in ("pipe", "zero", "."):
        with pytest.raises((LimitError, IsADirectoryError)):
            read_file(tmp_path / name)
    with open(tmp_path / "huge", "wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(LimitError, match="8 MiB"):
        read_json(tmp_path / "huge")


def test_reasons_are_told_in_a_line_without_the_file(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"\xe9")
    for name, told in {"gone": "No such file or directory", "latin": "it is not UTF-8 text (byte 0)"}.items():
        with pytest.raises((OSError, ValueError)) as error:
            read_json(tmp_path / name)
        assert reason(error.value) == told
    assert reason(KeyError()) == "KeyError"


def test_the_first_problem_says_where_what_and_what_was_given() -> None:
    class Model(BaseModel):
        a: list[int]

    for values, told in (
        ({}, "a: field required"),
        ({"a": [1, "x" * 1000]}, "a.2: input should be a valid integer"),
        ({"a" * 1000: 1}, "a: field required"),
        (3, "input should be a valid dictionary"),
    ):
        with pytest.raises(ValidationError) as error:
            Model.model_validate(values)
        told_now = first_problem(error.value.errors(include_url=False))
        assert told_now.lower().startswith(told)
        assert len(told_now) < 300


# What alrakis itself wrote or printed a moment before, and a setting that it was given.
OWN_JSON = {
    "engine/text/spelling.py",
    "engine/cluster/serving.py",
    "export/store.py",
    "bench/targets/worker.py",
    "bench/targets/process.py",
    "bench/peers/environments.py",
    "bench/cluster/overhead.py",
    "bench/figures/operators.py",
    "bench/gpu/traced.py",
    "bench/gpu/__main__.py",
}


def test_nothing_else_reads_json_or_toml_of_others() -> None:
    root = Path(__file__).parents[2]
    found = {
        path.relative_to(root).as_posix()
        for folder in ("engine", "export", "bench")
        for path in (root / folder).rglob("*.py")
        if re.search(r"\bjson\.loads?\b|\btoml(lib|i)\.loads?\b", path.read_text("utf-8"))
    }
    assert found - {"engine/files/parsing.py"} <= OWN_JSON
