"""Audio files read back: samples, and what is left on the disk when something goes wrong."""

import contextlib
import io
import itertools
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from alrakis.audio import check_output, pcm16, save_audio, save_pieces, wav_header
from alrakis.audio_tags import read_tags
from alrakis.errors import GenerationError, InputError, OutputError
from tests.processes import run_python
from tests.sounds import EXTENSIONS, RATE_HZ, TAGS, tone


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


# --- piece by piece --------------------------------------------------------------------------------------


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("lengths", [[24_000], [0, 100, 0, 70_000, 3], [65_536, 65_537]])
def test_pieces_make_the_file_that_the_whole_makes(
    tmp_path: Path, extension: str, lengths: list[int]
) -> None:
    """To the byte, but in ogg: libvorbis numbers its streams at random, and looks ahead."""
    whole = tone(sum(lengths) / RATE_HZ + 1)[: sum(lengths)]
    ends = np.cumsum([0, *lengths])
    pieces = (whole[first:end] for first, end in itertools.pairwise(ends))
    path = save_pieces(tmp_path / f"pieces.{extension}", pieces, RATE_HZ, TAGS)
    expected = save_audio(tmp_path / f"whole.{extension}", whole, RATE_HZ, TAGS)
    assert read_tags(path) == TAGS
    if extension == "ogg":
        np.testing.assert_allclose(soundfile.read(path)[0], soundfile.read(expected)[0], atol=0.05)
    else:
        assert path.read_bytes() == expected.read_bytes()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted([path.name, expected.name])


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_a_piece_that_goes_wrong_leaves_what_was_there(tmp_path: Path, extension: str) -> None:
    def pieces() -> Iterator[Any]:
        yield tone(3.0)
        yield np.full(5, np.nan, np.float32)

    path = tmp_path / f"x.{extension}"
    path.write_bytes(b"old")
    with pytest.raises(GenerationError, match="5 of 5 samples"):
        save_pieces(path, pieces(), RATE_HZ, TAGS)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"old"


@given(hnp.arrays(np.float32, st.integers(0, 300), elements=st.floats(-2, 2, width=32)))
def test_a_wav_stream_holds_what_a_file_holds(samples: Any) -> None:
    stream = wav_header(RATE_HZ) + pcm16(samples)
    found, rate_hz = soundfile.read(io.BytesIO(stream), dtype="float32")
    assert rate_hz == RATE_HZ
    assert len(pcm16(samples)) == 2 * len(samples)
    np.testing.assert_allclose(found, np.clip(samples, -1, 1), atol=1 / 32_767)
    if len(samples):
        with tempfile.TemporaryDirectory() as name:
            path = save_audio(Path(name) / "x.wav", samples, RATE_HZ)
            np.testing.assert_array_equal(soundfile.read(path, dtype="float32")[0], found)


@pytest.mark.parametrize("extension", EXTENSIONS[:2])
def test_24_bits_are_256_times_as_fine(tmp_path: Path, extension: str) -> None:
    path = save_audio(tmp_path / f"x.{extension}", tone(), RATE_HZ, bits=24)
    assert soundfile.info(path).subtype == "PCM_24"
    assert np.abs(soundfile.read(path, dtype="float32")[0] - tone()).max() <= 2**-23


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


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_a_full_disk_leaves_nothing(tmp_path: Path, extension: str) -> None:
    """A limit on the size of files stands for the disk: the write ends in the middle with an error."""
    path = tmp_path / f"x.{extension}"
    path.write_bytes(b"what was there before")
    done = run_python(
        f"""
        import resource
        import numpy as np
        from alrakis.audio import check_output, pcm16, save_audio, save_pieces, wav_header
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
