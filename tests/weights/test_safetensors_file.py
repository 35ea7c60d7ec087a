"""Safetensors files are read as the library reads them, without copies, and damage is an error."""

import contextlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from alrakis.errors import WeightsError
from alrakis.weights.safetensors_file import read_safetensors

MANY = settings(max_examples=150)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "whole.safetensors"
    names = ("float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool")
    state = {name: (torch.arange(6).reshape(2, 3) - 2).to(getattr(torch, name)) for name in names}
    state |= {
        "odd": torch.ones(3, dtype=torch.uint8),
        "scalar": torch.tensor(1.5),
        "empty": torch.empty(0, 4),
    }
    save_file(state, path, metadata={"format": "pt"})
    return path.read_bytes()


def test_equal_to_what_the_library_loads(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "whole.safetensors"
    path.write_bytes(whole)
    expected, found = load_file(path), read_safetensors(path)
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert str(found[name].dtype) == str(value.dtype).removeprefix("torch.")
        assert found[name].shape == tuple(value.shape)
        np.testing.assert_array_equal(found[name].astype(np.float64), value.double().numpy())
        assert found[name].flags.aligned
    assert not found["float64"].flags.owndata
    assert not found["float64"].flags.writeable


@MANY
@given(data=st.data())
def test_a_truncated_file_is_an_error(tmp_path: Path, whole: bytes, data: st.DataObject) -> None:
    path = tmp_path / "cut.safetensors"
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(WeightsError, match=r"cut\.safetensors"):
        read_safetensors(path)


@MANY
@given(data=st.data())
def test_a_damaged_file_is_read_or_an_error_and_nothing_else(
    tmp_path: Path, whole: bytes, data: st.DataObject
) -> None:
    content = bytearray(whole)
    place = st.integers(0, len(content) - 1)
    for at, value in data.draw(st.lists(st.tuples(place, st.integers(0, 255)), min_size=1, max_size=4)):
        content[at] = value
    path = tmp_path / "damaged.safetensors"
    path.write_bytes(content)
    with contextlib.suppress(WeightsError):
        read_safetensors(path)


@pytest.mark.parametrize(
    "header",
    [
        [],
        {"x": 1},
        {"x": {}},
        {"x": {"dtype": "F8_E4M3", "shape": [4], "data_offsets": [0, 4]}},
        {"x": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}},
        {"x": {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}},
        {"x": {"dtype": "F32", "shape": [-1], "data_offsets": [4, 0]}},
        {"x": {"dtype": "F32", "shape": [1], "data_offsets": [-4, 0]}},
        {"x": {"dtype": "F32", "shape": [1.0], "data_offsets": [0, 4]}},
        {"x": {"dtype": "F32", "shape": [1], "data_offsets": [0]}},
        {"x": {"dtype": "F32", "shape": [], "data_offsets": []}},  # found by the fuzzer, as the next
        {"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4, 8]}},
        {"x": {"dtype": "F32", "shape": None, "data_offsets": [[], 4]}},
        {"x": {"dtype": ["F32"], "shape": [1], "data_offsets": [0, 4]}},
        {"x": {"dtype": "U8", "shape": [1] * 100 + [8], "data_offsets": [0, 8]}},
    ],
)
def test_a_false_header_is_refused(tmp_path: Path, header: Any) -> None:
    content = json.dumps(header).encode()
    path = tmp_path / "false.safetensors"
    path.write_bytes(len(content).to_bytes(8, "little") + content + bytes(8))
    with pytest.raises(WeightsError, match=r"false\.safetensors"):
        read_safetensors(path)


def test_a_header_too_deep_for_the_parser(tmp_path: Path) -> None:
    content = b"[" * 200_000
    path = tmp_path / "deep.safetensors"
    path.write_bytes(len(content).to_bytes(8, "little") + content)
    with pytest.raises(WeightsError, match=r"deep\.safetensors"):
        read_safetensors(path)


def file_of(path: Path, entries: str, data: bytes) -> Path:
    header = entries.encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + data)
    return path


def entry(name: str, first: int, last: int, shape: str | None = None) -> str:
    return f'"{name}":{{"dtype":"U8","shape":{shape or [last - first]},"data_offsets":[{first},{last}]}}'


ODD_FILES = {
    "overlapping": (f"{{{entry('a', 0, 8)},{entry('b', 4, 12)}}}", 12),
    "the same bytes": (f"{{{entry('a', 0, 8)},{entry('b', 0, 8)}}}", 8),
    "a hole": (f"{{{entry('a', 0, 4)},{entry('b', 8, 12)}}}", 12),
    "bytes before the first": (f"{{{entry('a', 4, 8)}}}", 8),
    "trailing bytes": (f"{{{entry('a', 0, 8)}}}", 9),
    "a name twice": (f"{{{entry('a', 0, 8)},{entry('a', 8, 16)}}}", 16),
    "many axes": (f"{{{entry('a', 0, 1, str([1] * 100))}}}", 1),
    "a long number": (f'{{"a":{{"dtype":"U8","shape":[{"9" * 5000}],"data_offsets":[0,8]}}}}', 8),
    "deep": ("[" * 100_000, 0),
}


@pytest.mark.parametrize("name", ODD_FILES)
def test_what_the_format_does_not_allow_is_refused(tmp_path: Path, name: str) -> None:
    entries, length = ODD_FILES[name]
    with pytest.raises(WeightsError, match=r"odd\.safetensors"):
        read_safetensors(file_of(tmp_path / "odd.safetensors", entries, bytes(length)))
