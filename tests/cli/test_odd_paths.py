"""Names on a disk that are no Unicode: wherever a command takes a path, it takes such a one."""

import json
from pathlib import Path

import pytest
import soundfile

from tests.cli.programs import Ended, alrakis_process
from tests.small_voices import small_voice

ODD = b"caf\xe9"
HOW = ["--weights", "synthetic-tiny", "--config", "torch-fp32", "--max-duration", "0.2", "--seed", "1"]


@pytest.fixture
def odd(tmp_path: Path) -> bytes:
    """A folder of such a name, with a voice, texts and a config of such names in it."""
    import numpy as np

    folder = bytes(tmp_path) + b"/" + ODD
    (tmp_path / "x").mkdir()
    (tmp_path / "x").rename(Path(folder.decode("utf-8", "surrogateescape")))
    with open(folder + b"/" + ODD + b".txt", "w") as file:
        file.write("Hello.\nI like pizza.\n")
    with open(folder + b"/" + ODD + b".npz", "wb") as file:
        np.savez(file, **small_voice())
    with open(folder + b"/" + ODD + b".toml", "w") as file:
        file.write('backend = "torch"\nprecision = "fp32"\n')
    return folder


def runs(folder: bytes, *arguments: str | bytes) -> Ended:
    where = Path(folder.decode("utf-8", "surrogateescape"))
    ended = alrakis_process(*arguments, folder=where, PYTHONUTF8="1")
    assert ended.code == 0, ended.err
    assert "Traceback" not in ended.err
    return ended


def duration_s(path: bytes) -> float:
    with open(path, "rb") as file:
        return float(soundfile.info(file).duration)


def test_say(odd: bytes) -> None:
    said = ["say", "-f", ODD + b".txt", "-o", ODD + b".wav", "--save-voice", b"me-" + ODD + b".npz", *HOW]
    runs(odd, *said, "--voice", ODD + b".npz", "--config", ODD + b".toml")
    assert duration_s(odd + b"/" + ODD + b".wav") > 0.1
    runs(odd, "say", "Hi.", "--voice", b"me-" + ODD + b".npz", *HOW)


@pytest.mark.parametrize("where", [[], ["--work", b"work-" + ODD]])
def test_read_goes_on_and_knows_its_settings(odd: bytes, where: list[str | bytes]) -> None:
    read = ["read", ODD + b".txt", "-o", ODD + b".wav", *where]
    runs(odd, *read, *HOW, "--voice", ODD + b".npz", "--config", ODD + b".toml")
    assert "joined from chunks that were there" in runs(odd, *read).err
    runs(odd, *read, "--redo", "1")
    runs(odd, *read, "--take", "1=1", "--voice", ODD + b".npz")
    assert "1 of 1 chunks" in runs(odd, *read, "--list").out
    work = where[-1] if where else ODD + b".wav.work"
    assert isinstance(work, bytes)
    with open(odd + b"/" + work + b"/manifest.json", encoding="utf-8") as file:
        assert json.load(file)["settings"]["voice"] == "bytes:caf%E9.npz"


def test_read_with_a_cast(odd: bytes) -> None:
    with open(odd + b"/play.txt", "w") as file:
        file.write("MAN: Hello.\nWOMAN: Hello to you.\n")
    read = ["read", "play.txt", "-o", ODD + b".flac"]
    runs(odd, *read, *HOW, "--cast", b"MAN=" + ODD + b".npz")
    assert "joined from chunks that were there" in runs(odd, *read).err


def test_batch_goes_on_and_knows_its_settings(odd: bytes) -> None:
    batch = ["batch", ODD + b".txt", "-o", b"rows-" + ODD]
    runs(odd, *batch, *HOW, "--voice", ODD + b".npz", "--config", ODD + b".toml")
    assert "made 0 files" in runs(odd, *batch).err
    assert duration_s(odd + b"/rows-" + ODD + b"/0002.wav") > 0.1


def test_weights_and_artifacts(odd: bytes) -> None:
    exported = ["export", "--weights", "synthetic-tiny", "--config", "cpu-fp32", "-o", b"made-" + ODD]
    runs(odd, *exported)
    config = ["--config", "cpu-fp32", "--set", b"artifacts=made-" + ODD]
    how: list[str | bytes] = ["--weights", "synthetic-tiny", *config, "--max-duration", "0.2", "--seed", "1"]
    runs(odd, "say", "Hi.", *how)
    runs(odd, "read", ODD + b".txt", "-o", "a.wav", *how)
    assert "joined from" in runs(odd, "read", ODD + b".txt", "-o", "a.wav").err
