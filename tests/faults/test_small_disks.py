"""Disks of every small size: a file is whole, or there is none and the command says so."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from alrakis.audio import save_audio, save_pieces
from alrakis.errors import OutputError
from alrakis.marks.subtitles import Cue, save_subtitles
from alrakis.voices import save_voice
from tests.cli.programs import alrakis_process
from tests.fuzz.book_seeds import picture
from tests.small_voices import small_voice

SAY = [
    "say",
    "Hello there.",
    "--weights",
    "demo",
    "--config",
    "cpu-fp32",
    "--seed",
    "1",
    "--max-duration",
    "1",
]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A folder where disks can be mounted; what is mounted there is gone afterwards."""
    folder = tmp_path / "disk"
    folder.mkdir()
    yield folder
    subprocess.run(["umount", "-l", str(folder)], capture_output=True)


def mount(folder: Path, size: str) -> None:
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can mount a disk")
    subprocess.run(["umount", "-l", str(folder)], capture_output=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("no disk can be mounted here")


@pytest.mark.faults
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("kind", ["wav", "flac", "ogg", "mp3"])
def test_a_file_is_whole_or_not_there(kind: str, disk: Path, tmp_path: Path) -> None:
    whole = tmp_path / f"whole.{kind}"
    assert alrakis_process(*SAY, "-o", str(whole), folder=tmp_path).code == 0
    samples = len(soundfile.read(whole)[0])
    codes = set()
    for pages in range(1, whole.stat().st_size // 4096 + 3):
        mount(disk, f"{4 * pages}k")
        path = disk / f"a.{kind}"
        ended = alrakis_process(*SAY, "-o", str(path), folder=tmp_path)
        codes.add(ended.code)
        if ended.code == 0:
            assert len(soundfile.read(path)[0]) == samples
        else:
            assert "Traceback" not in ended.err
            assert str(path) in ended.err
            assert not list(disk.iterdir())
    assert 0 in codes
    assert len(codes) > 1


NOISE = np.random.default_rng(0).uniform(-0.5, 0.5, 24_000).astype(np.float32)
TAGS = {"title": "x", "text": "y" * 300}
CHAPTERS = [(0, "One"), (2, "Two " + "z" * 200)]
AUDIO = (".wav", ".flac", ".ogg", ".mp3")
CUES = [Cue("some text of a cue", number, number + 1) for number in range(200)]


def with_chapters(path: Path) -> object:
    cover = picture("png") + bytes(9000)
    return save_pieces(path, np.array_split(NOISE, 3), 24_000, TAGS, CHAPTERS, cover)


WRITERS: dict[str, Callable[[Path], object]] = {
    **{f"whole{kind}": lambda path: save_audio(path, NOISE, 24_000, TAGS) for kind in AUDIO},
    **{f"chapters{kind}": with_chapters for kind in (*AUDIO, ".m4b")},
    **{f"cues.{kind}": lambda path: save_subtitles(path, CUES) for kind in ("srt", "vtt", "json")},
    "voice.npz": lambda path: save_voice(path, *(np.tile(array, 40) for array in small_voice().values())),
}


def heard(path: Path) -> object:
    """What is in a file: all of its sound, or its bytes."""
    if path.suffix == ".m4b":
        import av

        with av.open(str(path)) as container:
            return sum(frame.samples for frame in container.decode(audio=0)), len(container.chapters())
    if path.suffix in AUDIO:
        return len(soundfile.read(path)[0])
    return path.read_bytes()


@pytest.mark.faults
@pytest.mark.parametrize("there", [False, True], ids=["new", "replaced"])
@pytest.mark.parametrize("name", WRITERS)
def test_every_format_at_every_size(
    name: str, there: bool, disk: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A page more each time; what was there stays until the new file is whole."""
    mount(disk, "4096k")
    path = disk / name
    WRITERS[name](path)
    whole, pages = heard(path), path.stat().st_size // 4096
    said: set[str] = set()
    for count in range(1, 2 * pages + 8):
        mount(disk, f"{4 * count}k")
        if there:
            path.write_bytes(b"old")
        try:
            WRITERS[name](path)
        except OutputError as error:
            said.add(str(error))
            assert [path.name] * there == os.listdir(disk)
            assert not there or path.read_bytes() == b"old"
        else:
            assert heard(path) == whole
            assert os.listdir(disk) == [path.name]
    assert whole == heard(path)  # the last one had room
    assert said == {f"cannot write {path}: No space left on device; nothing was changed there"}
    assert capfd.readouterr() == ("", "")
