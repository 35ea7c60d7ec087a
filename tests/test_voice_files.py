"""Voice files: hostile, damaged and missing ones are refused, and nothing in them runs."""

import io
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis.errors import OutputError, VoiceError
from alrakis.spec import Layout
from alrakis.voices import (
    VOICE_KEYS,
    Voice,
    load_voice,
    save_voice,
)
from tests.small_voices import small_voice

BARK = Layout()


def npz(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return buffer.getvalue()


def npy(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def whole_npz() -> bytes:
    return npz({f"{key}.npy": npy(array) for key, array in small_voice().items()})


def with_fine(content: bytes) -> bytes:
    members = {f"{key}.npy": npy(array) for key, array in small_voice().items()}
    return npz({**members, "fine_prompt.npy": content})


def huge_header() -> bytes:
    """An array that says it has 10**15 numbers and holds none."""
    header = b"{'descr': '<i8', 'fortran_order': False, 'shape': (8, 125000000000000)}\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header


class Mischief:
    """What pickle would run on loading: makes the file named."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


HOSTILE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "cannot be read"),
    "text": (b"semantic_prompt = 3\n", "cannot be read"),
    "not a zip": (os.urandom(500), "cannot be read"),
    "single array": (npy(np.arange(3)), "single array"),
    "no arrays": (npz({}), "has no semantic_prompt, coarse_prompt, fine_prompt"),
    "one missing": (npz({"semantic_prompt.npy": npy([1]), "fine_prompt.npy": npy([1])}), "no coarse_prompt"),
    "not arrays": (npz(dict.fromkeys((f"{key}.npy" for key in VOICE_KEYS), b"hello")), "cannot be read"),
    "pickled object array": (with_fine(npy(np.array([{1}, 2], object))), "pickled objects"),
    "huge": (with_fine(huge_header()), "cannot be read"),
    "bad header": (with_fine(b"\x93NUMPY\x01\x00\x10\x00{'descr': (((((\n"), "cannot be read"),
    "nested header": (with_fine(b"\x93NUMPY\x01\x00\x00\x20" + b"(" * 0x2000), "cannot be read"),
    "future version": (with_fine(b"\x93NUMPY\x09\x00\x10\x00"), "cannot be read"),
    "float": (with_fine(npy(np.full((8, 30), 0.5))), "whole numbers"),
    "not a number": (with_fine(npy(np.full((8, 30), np.nan))), "nan"),
    "misshapen": (with_fine(npy(np.zeros((30, 8), int))), r"\(8, T\), not \(30, 8\)"),
    "out of range": (with_fine(npy(np.full((8, 30), 1024))), "0 to 1023"),
    "empty array": (with_fine(npy(np.zeros((8, 0), int))), "no fine codes"),
    "strings": (with_fine(npy(np.full((8, 30), "x"))), "does not say what its numbers are"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files(tmp_path: Path, name: str) -> None:
    content, message = HOSTILE[name]
    path = tmp_path / "voice.npz"
    path.write_bytes(content)
    with pytest.raises(VoiceError, match=message) as caught:
        load_voice(path, BARK)
    assert str(path) in str(caught.value)


@given(cut=st.integers(0, len(whole_npz()) - 1))
def test_truncated_files(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = tmp_path_factory.mktemp("cut") / "voice.npz"
    path.write_bytes(whole_npz()[:cut])
    with pytest.raises(VoiceError, match="voice"):
        load_voice(path, BARK)


@given(data=st.data())
def test_damaged_files_raise_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(whole_npz())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / "voice.npz"
    path.write_bytes(content)
    try:
        voice = load_voice(path, BARK)
    except VoiceError:
        return
    assert isinstance(voice, Voice)


def test_nothing_in_a_pickle_runs(tmp_path: Path) -> None:
    path, made = tmp_path / "voice.npz", tmp_path / "made"
    path.write_bytes(with_fine(npy(np.array([Mischief(made)], object))))
    with pytest.raises(VoiceError, match="could run code"):
        load_voice(path, BARK)
    assert not made.exists()
    with np.load(path, allow_pickle=True) as trusting:
        _ = trusting["fine_prompt"]
    assert made.exists(), "the file was harmless, so the test shows nothing"


@pytest.mark.parametrize("kind", ["missing", "folder"])
def test_no_such_file(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "voice.npz"
    if kind == "folder":
        path.mkdir()
    with pytest.raises(VoiceError, match="no voice file"):
        load_voice(str(path), BARK)


def test_a_forgotten_extension_is_named(tmp_path: Path) -> None:
    path = tmp_path / "voice"
    path.write_bytes(whole_npz())
    with pytest.raises(VoiceError, match=r"ends in \.npz"):
        load_voice(str(path), BARK)
    assert load_voice(path, BARK) is not None  # a Path cannot be a preset's name


def test_saving_refuses(tmp_path: Path) -> None:
    semantic, coarse, fine = small_voice().values()
    for path, error in (
        (tmp_path / "voice", OutputError),
        (tmp_path / "voice.wav", OutputError),
        (tmp_path / "nowhere" / "voice.npz", OutputError),
    ):
        with pytest.raises(error):
            save_voice(path, semantic, coarse, fine)
    with pytest.raises(VoiceError, match="empty"):
        save_voice(tmp_path / "voice.npz", semantic, np.empty((2, 0), np.int64), fine)
    with pytest.raises(VoiceError, match="integers"):
        save_voice(tmp_path / "voice.npz", semantic, coarse, np.array([None], object))
    assert list(tmp_path.iterdir()) == []
