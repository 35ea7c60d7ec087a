"""Tags of audio files: any text comes back, and other programs see it."""

from pathlib import Path

import av
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from alrakis.audio import save_audio
from alrakis.audio_tags import read_tags
from alrakis.errors import InputError
from tests.sounds import EXTENSIONS, RATE_HZ, TAGS, tone


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


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_a_path_that_is_no_unicode_is_read_as_it_was(tmp_path: Path, extension: str) -> None:
    tags = {"voice": "caf\udce9.npz", "weights": "\udce9", "text": "bytes:%41"}
    path = save_audio(tmp_path / f"a.{extension}", tone(), RATE_HZ, tags)
    assert read_tags(path) == tags
