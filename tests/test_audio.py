"""Audio files read back: samples, tags, and what is left on the disk when something goes wrong."""

import contextlib
import os
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from alrakis.audio import check_output, save_audio
from alrakis.audio_tags import read_tags
from alrakis.errors import GenerationError, InputError, OutputError
from alrakis.files import replace_file

EXTENSIONS = ["wav", "flac", "ogg", "mp3"]
RATE_HZ = 24_000
TAGS = {
    "title": "Hello, my name is Suno",
    "software": "alrakis 0.1.0",
    "text": "Hello, my name is Suno. [laughs]",
    "seed": "18446744073709551615",
    "voice": "v2/en_speaker_6",
    "config": "cpu-int8",
}


def tone(seconds: float = 1.0, peak: float = 0.5) -> np.ndarray[Any, np.dtype[np.float32]]:
    time_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    return (peak * np.sin(2 * np.pi * 440 * time_s)).astype(np.float32)


def test_lossless_formats_keep_16_bits(tmp_path: Path) -> None:
    samples = np.random.default_rng(0).uniform(-1, 1, RATE_HZ).astype(np.float32)
    for extension in ("wav", "flac"):
        path = save_audio(tmp_path / f"x.{extension}", samples, RATE_HZ)
        assert path == tmp_path / f"x.{extension}"
        info = soundfile.info(path)
        assert (info.samplerate, info.channels, info.subtype) == (RATE_HZ, 1, "PCM_16")
        found, _ = soundfile.read(path, dtype="float32")
        assert len(found) == len(samples)
        assert np.abs(found - samples).max() <= 1 / 32_767


@pytest.mark.parametrize("extension", ["ogg", "mp3"])
def test_lossy_formats_hold_the_tone(tmp_path: Path, extension: str) -> None:
    path = save_audio(tmp_path / f"x.{extension}", tone(), RATE_HZ, TAGS)
    found, rate_hz = soundfile.read(path, dtype="float32")
    assert rate_hz == RATE_HZ
    assert abs(len(found) - RATE_HZ) < RATE_HZ / 10
    spectrum = np.abs(np.fft.rfft(found[2000:20_000]))
    assert abs(spectrum.argmax() * RATE_HZ / 18_000 - 440) < 2
    assert 0.4 < np.abs(found).max() < 0.6


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_loud_samples_are_clipped_not_wrapped(tmp_path: Path, extension: str) -> None:
    path = save_audio(tmp_path / f"x.{extension}", tone(peak=3.0), RATE_HZ)
    found, _ = soundfile.read(path, dtype="float32")
    middle = slice(2000, 20_000)
    expected = np.clip(tone(peak=3.0), -1, 1)[middle]
    shift = 0 if extension in ("wav", "flac") else 60  # lossy ones ring a little, and mp3 may start late
    best = min(np.abs(found[2000 - d : 20_000 - d] - expected).mean() for d in range(-shift, shift + 1))
    assert best < (1e-4 if shift == 0 else 0.1)
    assert np.abs(found).max() <= 1.0 or shift


def test_long_ogg_is_written_in_blocks(tmp_path: Path) -> None:
    """Given minutes at once, libvorbis overflows its stack."""
    samples = np.random.default_rng(0).normal(0, 0.1, 300 * RATE_HZ).astype(np.float32)
    path = save_audio(tmp_path / "x.ogg", samples, RATE_HZ)
    assert soundfile.info(path).frames == len(samples)


# --- tags ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_tags_are_read_back(tmp_path: Path, extension: str) -> None:
    path = save_audio(tmp_path / f"x.{extension}", tone(), RATE_HZ, TAGS)
    assert read_tags(path) == TAGS
    assert read_tags(str(path)) == TAGS


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_other_programs_see_the_tags(tmp_path: Path, extension: str) -> None:
    """FFmpeg's reading of the file; its text in any script."""
    tags = {**TAGS, "title": "Приве́т, 你好 ♪", "text": 'नमस्ते "quoted"\nline'}
    path = save_audio(tmp_path / f"x.{extension}", tone(), RATE_HZ, tags)
    with av.open(str(path)) as container:
        found = {**container.streams[0].metadata, **container.metadata}
    found = {key.lower(): value for key, value in found.items()}
    assert found["title"] == tags["title"]
    assert "नमस्ते" in found["comment"]
    assert any(value.startswith("alrakis 0.1.0") for value in found.values())


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_no_tags(tmp_path: Path, extension: str) -> None:
    path = save_audio(tmp_path / f"x.{extension}", tone(0.1), RATE_HZ)
    assert read_tags(path).keys() <= {"software"}  # LAME names itself


TEXT = st.text(st.characters(codec="utf-8"), max_size=60)
NAMES = st.text(st.characters(codec="utf-8"), max_size=10)


@given(
    extension=st.sampled_from(EXTENSIONS),
    title=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30),
    others=st.dictionaries(NAMES, TEXT, max_size=4),
)
def test_any_tags_are_read_back(
    tmp_path_factory: pytest.TempPathFactory, extension: str, title: str, others: dict[str, str]
) -> None:
    tags = {**others, "title": title, "software": "alrakis"}
    path = tmp_path_factory.mktemp("tags") / f"x.{extension}"
    save_audio(path, tone(0.02), RATE_HZ, tags)
    assert read_tags(path) == tags


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("unit", ["a", "नी", "\x01", '"'])
def test_long_tags(tmp_path: Path, extension: str, unit: str) -> None:
    """Whole, but in wav, of which libsndfile reads 2 kB: there the longest gives way, and says so."""
    tags = {**TAGS, "text": unit * 20_000}
    path = save_audio(tmp_path / f"x.{extension}", tone(0.1), RATE_HZ, tags)
    found = read_tags(path)
    if extension != "wav":
        assert found == tags
        return
    assert {**found, "text": ""} == {**tags, "text": ""}
    assert found["text"].endswith("…")
    assert tags["text"].startswith(found["text"][:-1])
    assert len(found["text"].encode()) > 250
    with av.open(str(path)) as container:
        assert 1900 < len(container.metadata["comment"].encode()) <= 2000


def test_a_field_ends_at_no_zero(tmp_path: Path) -> None:
    tags = {"title": "before\0after", "text": "before\0after"}
    found = read_tags(save_audio(tmp_path / "x.flac", tone(0.1), RATE_HZ, tags))
    assert found == {"title": "beforeafter", "text": "before\0after"}


def test_absurd_tags_do_not_stop_a_wav(tmp_path: Path) -> None:
    tags = {"title": "é" * 5000, "k" * 5000: "v", "lone \ud800": "\udfff\0", "seed": "7"}
    found = read_tags(save_audio(tmp_path / "x.wav", tone(0.1), RATE_HZ, tags))
    assert found["title"] == "é" * 1000
    assert found["seed"] == "7"


def test_reading_tags_of_no_audio(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    for write in (lambda: None, lambda: path.write_bytes(b"hello"), lambda: path.write_bytes(b"")):
        write()
        with pytest.raises(InputError, match="as audio"):
            read_tags(path)


def test_a_foreign_comment_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "x.flac"
    with soundfile.SoundFile(path, "w", RATE_HZ, 1) as file:
        file.comment = "made by hand [1]"
        file.write(tone(0.1))
    assert read_tags(path) == {"comment": "made by hand [1]"}


# --- what cannot be saved --------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_numbers(tmp_path: Path, value: float) -> None:
    samples = tone()
    samples[[5, 7]] = value
    with pytest.raises(GenerationError, match="2 of 24000"):
        save_audio(tmp_path / "x.wav", samples, RATE_HZ)
    assert list(tmp_path.iterdir()) == []


def test_no_samples(tmp_path: Path) -> None:
    with pytest.raises(GenerationError, match="no audio"):
        save_audio(tmp_path / "x.wav", np.empty(0, np.float32), RATE_HZ)


@pytest.mark.parametrize(
    "samples", [[0.0], np.zeros((2, 5)), np.zeros(5, np.int16), None, np.zeros(5, complex)]
)
def test_samples_of_another_kind(tmp_path: Path, samples: Any) -> None:
    with pytest.raises(InputError, match="samples must be"):
        save_audio(tmp_path / "x.wav", samples, RATE_HZ)


@pytest.mark.parametrize("rate_hz", [0, -1, 1, 7999, 192_001, 655_350, 2**40, 24_000.0, None, "24000"])
def test_impossible_rates(tmp_path: Path, rate_hz: Any) -> None:
    with pytest.raises(InputError, match="8000 to 192000 Hz"):
        save_audio(tmp_path / "x.ogg", tone(0.1), rate_hz)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("rate_hz", [8000, np.int64(44_100), 48_000, 50_000, 192_000])
def test_other_rates(tmp_path: Path, rate_hz: int, extension: str) -> None:
    path = tmp_path / f"x.{extension}"
    if extension == "mp3" and rate_hz > 48_000:
        with pytest.raises(OutputError, match="MP3 cannot hold"):
            save_audio(path, tone(0.1), rate_hz)
        return
    save_audio(path, tone(0.1), rate_hz)
    assert soundfile.info(path).samplerate == rate_hz


# --- where it cannot be saved ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["x.xyz", "x", ".wav", "x.wav.", "x.npz", "x.wav ", "wav", ""])
def test_unknown_extensions_list_the_known(tmp_path: Path, name: str) -> None:
    for refuse in (check_output, lambda path: save_audio(path, tone(), RATE_HZ)):
        with pytest.raises(OutputError, match=r"\.wav, \.flac, \.ogg, \.mp3"):
            refuse(str(tmp_path / "folder") + "/" + name)


@pytest.mark.parametrize(
    "name", ["x.wav", "X.WAV", "a b.flac", "naïve ♪ 你好.ogg", "e\u0301.mp3", "-x.wav", "…wav.mp3"]
)
def test_good_names(tmp_path: Path, name: str) -> None:
    path = check_output(tmp_path / name)
    assert path == tmp_path / name
    assert list(tmp_path.iterdir()) == []
    save_audio(path, tone(0.1), RATE_HZ, TAGS)
    assert [entry.name for entry in tmp_path.iterdir()] == [name]
    assert read_tags(path) == TAGS


def test_the_longest_name_works_and_a_longer_one_is_refused(tmp_path: Path) -> None:
    save_audio(check_output(tmp_path / ("x" * 251 + ".wav")), tone(0.1), RATE_HZ)
    with pytest.raises(OutputError, match="cannot write"):
        check_output(tmp_path / ("x" * 252 + ".wav"))


@pytest.mark.parametrize("path", ["nul\0.wav", "\ud800.wav"])
def test_names_that_no_file_can_have(path: str) -> None:
    with pytest.raises(OutputError, match="file name"):
        check_output(path)


def test_places_that_are_no_place(tmp_path: Path) -> None:
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "loop.wav").symlink_to(tmp_path / "loop.wav")
    os.mkfifo(tmp_path / "pipe.wav")
    before = sorted(tmp_path.iterdir())
    for name, message in {
        "folder.wav": "is a folder",
        "missing/x.wav": "no folder",
        "file/x.wav": "cannot write",
        "loop.wav": "cannot write",
        "pipe.wav": "a device or a pipe",
    }.items():
        for refuse in (check_output, lambda path: save_audio(path, tone(), RATE_HZ)):
            with pytest.raises(OutputError, match=message):
                refuse(tmp_path / name)
    assert sorted(tmp_path.iterdir()) == before


def test_a_device_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "x.wav").symlink_to("/dev/null")
    with pytest.raises(OutputError, match="/dev/null is a device"):
        save_audio(tmp_path / "x.wav", tone(), RATE_HZ)
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc, where nobody can make a file")
def test_a_folder_where_nobody_can_write() -> None:
    with pytest.raises(OutputError, match="cannot write"):
        check_output("/proc/x.wav")


@pytest.fixture
def locked_folder() -> Iterator[Path]:
    """A folder that this process may not write in; root gives up its rights for the time."""
    if not hasattr(os, "geteuid"):
        pytest.skip("needs POSIX permissions")
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        (folder / "old.wav").write_bytes(b"old")
        folder.chmod(0o555)
        stack.callback(folder.chmod, 0o755)
        if os.geteuid() == 0:
            os.seteuid(65_534)
            stack.callback(os.seteuid, 0)
        yield folder


def test_a_folder_without_permission(locked_folder: Path) -> None:
    for name in ("new.wav", "old.wav"):
        with pytest.raises(OutputError, match="Permission denied"):
            check_output(locked_folder / name)


def test_a_write_protected_file_stays(locked_folder: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "x.wav"
        path.write_bytes(b"old")
        path.chmod(0o444)
        with pytest.raises(OutputError, match="Permission denied"):
            save_audio(path, tone(), RATE_HZ)
        assert path.read_bytes() == b"old"


# --- all or nothing --------------------------------------------------------------------------------------


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    path.write_bytes(b"old" * 1000)
    save_audio(path, tone(0.1), RATE_HZ)
    assert soundfile.info(path).frames == RATE_HZ // 10
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    link, target = tmp_path / "link.wav", tmp_path / "there" / "target.wav"
    link.symlink_to(target)
    assert save_audio(link, tone(0.1), RATE_HZ) == target
    assert link.is_symlink()
    assert soundfile.info(target).frames == RATE_HZ // 10


def test_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert check_output("x.wav") == tmp_path / "x.wav"
    assert save_audio("x.wav", tone(0.1), RATE_HZ) == tmp_path / "x.wav"


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_permissions_are_the_umasks(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        path = save_audio(tmp_path / "x.wav", tone(0.1), RATE_HZ)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask


def run_python(code: str, folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_a_full_disk_leaves_nothing(tmp_path: Path, extension: str) -> None:
    """A limit on the size of files stands for the disk: the write ends in the middle with an error."""
    path = tmp_path / f"x.{extension}"
    path.write_bytes(b"what was there before")
    done = run_python(
        f"""
        import resource
        import numpy as np
        from alrakis.audio import check_output, save_audio
        from alrakis.errors import OutputError
        check_output({path.name!r})
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
        noise = np.random.default_rng(0).uniform(-1, 1, 240_000).astype(np.float32)
        try:
            save_audio({path.name!r}, noise, 24_000)
        except OutputError as error:
            print(error)
        """,
        tmp_path,
    )
    out, err = done.communicate()
    assert done.returncode == 0, err
    assert "cannot write" in out
    assert path.name in out
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"what was there before"


def test_interruption_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C while a temporary file is being written."""
    process = run_python(
        """
        from alrakis.files import replace_file
        data = bytes(1 << 20)
        try:
            while True:
                replace_file("y.bin", data)
        except KeyboardInterrupt:
            print("interrupted")
        """,
        tmp_path,
    )
    while not list(tmp_path.glob(".alrakis-*")) and process.poll() is None:
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert out == "interrupted\n", err
    assert {entry.name for entry in tmp_path.iterdir()} <= {"y.bin"}


def test_readers_never_see_half_a_file(tmp_path: Path) -> None:
    """While one process writes again and again, every look finds a whole file."""
    path = tmp_path / "x.bin"
    replace_file(path, b"0" * 100_000)
    process = run_python(
        """
        from alrakis.files import replace_file
        for i in range(300):
            replace_file("x.bin", b"%d" % (i % 10) * 100_000)
        """,
        tmp_path,
    )
    seen = set()
    while process.poll() is None:
        content = path.read_bytes()
        assert len(content) == 100_000
        assert len(set(content)) == 1
        seen.add(content[:1])
    _, err = process.communicate()
    assert process.returncode == 0, err
    assert len(seen) > 1
    assert list(tmp_path.iterdir()) == [path]
