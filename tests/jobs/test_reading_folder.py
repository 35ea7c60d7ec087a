"""The folder of a text that is being read: what is in its files, and what is told of another task's."""

import os
import re
import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from alrakis.errors import GenerationError, InputError, VoiceError
from alrakis.jobs.folder import LOCK
from alrakis.jobs.reading_folder import ReadingFolder, voice_digest
from alrakis.jobs.reading_manifest import NAME, Manifest
from alrakis.jobs.reading_revision import revised
from alrakis.result import Result
from alrakis.spec import Layout
from alrakis.stages.coarse import coarse_steps
from alrakis.text.splitting import Chunk
from alrakis.timings import Timings
from alrakis.voices import Voice
from tests.cli.programs import Run, alrakis_process, refused
from tests.jobs.books import QUICK, READ, job, states

LAYOUT = Layout()


def test_chunks_that_found_no_room_are_not_counted(book: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))  # room for tokens, not for audio

    options = [*READ, *QUICK]
    ended = alrakis_process(*options, folder=book, before=limit, PYTHONDONTWRITEBYTECODE="1")
    assert ended.code == 1, ended.err
    assert ".flac" in ended.err
    assert f"0 of {len(states(book))} chunks are in" in ended.err
    assert "done" not in states(book)


def test_another_task_in_the_same_folder_is_told_what_differs(book: Path, run: Run) -> None:
    arguments = [*READ]
    run(*arguments, *QUICK)
    before = (book / "book.flac").read_bytes()
    refused(run(*arguments, *QUICK, "--seed", "8"), "seed was 7, now 8")
    refused(run(*arguments, *QUICK, "--text-temp", "0.5"), "text_temp was 0.7, now 0.5")
    refused(run(*arguments, *QUICK, "--steady", "chain"), "steady was 'voice', now 'chain'")
    refused(run(*arguments, *QUICK, "--config", "cpu-fp32"), "precision was 'int8', now 'fp32'")
    assert (book / "book.flac").read_bytes() == before


# By hand, chunk by chunk.


def result(text: str, seed: int, frames: int = 30, voice: str | None = None) -> Result:
    """What the stages would make of a text: random tokens, and a sound that tells one from another."""
    random = np.random.default_rng(seed)
    return Result(
        text=text,
        audio=(0.5 * np.sin(np.arange(320 * frames) * 0.01 * seed)).astype(np.float32),
        sample_rate=24_000,
        semantic_tokens=random.integers(0, 10_000, frames * 2 // 3),
        coarse_tokens=random.integers(0, 1024, (2, frames)),
        fine_tokens=random.integers(0, 1024, (8, frames)),
        seed=seed,
        voice=voice,
        config="test",
        weights="test",
        timings=Timings(),
    )


def begun(folder: Path, *speakers: str | None) -> tuple[ReadingFolder, Manifest]:
    """A folder of work in which nothing is done, with a chunk for each speaker."""
    chunks = [Chunk(f"Text {number}.", "end", speaker, 1.0) for number, speaker in enumerate(speakers, 1)]
    manifest = Manifest(settings=job(), chunks=revised([], [], chunks, seed=1).chunks)
    manifest.save(folder)
    return ReadingFolder(folder), manifest


def finish(folder: ReadingFolder, manifest: Manifest, number: int, frames: int = 30) -> Result:
    """Write a chunk that has gone through all stages."""
    chunk = manifest.chunk(number)
    made = result(chunk.text, chunk.chosen.seed, frames)
    folder.save_result(manifest, chunk, made)
    return made


def test_chunks_are_kept_as_they_were_made(tmp_path: Path) -> None:
    folder, manifest = begun(tmp_path, None, None)
    first, second = manifest.chunks
    spoken = np.array([5, 6, 7])
    assert folder.known(first.chosen, LAYOUT) is None
    folder.save_tokens(manifest, first, "text", spoken)
    assert (first.chosen.state, second.chosen.state) == ("spoken", "waiting")
    assert folder.load() == manifest
    known = folder.known(first.chosen, LAYOUT)
    assert known is not None
    np.testing.assert_array_equal(known.semantic, spoken)
    assert known.coarse is None
    codes = np.arange(coarse_steps(len(spoken), LAYOUT)).reshape(2, -1)
    folder.save_tokens(manifest, first, "coarse", codes)
    assert folder.load() == manifest
    known = folder.known(first.chosen, LAYOUT)
    assert known is not None
    np.testing.assert_array_equal(known.coarse, codes)
    folder.save_tokens(manifest, first, "coarse", codes[:, 1:])
    with pytest.raises(ValueError, match="coarse codes are"):
        folder.known(first.chosen, LAYOUT)
    folder.save_tokens(manifest, first, "coarse", codes + 1024)
    with pytest.raises(ValueError, match="ids that these weights do not have"):
        folder.known(first.chosen, LAYOUT)
    made = finish(folder, manifest, 1)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".flac", ".json", ".npz"]
    found = folder.load()
    assert found == manifest
    assert [chunk.chosen.state for chunk in found.chunks] == ["done", "waiting"]
    assert found.chunks[0].chosen.seconds == 0.4
    np.testing.assert_allclose(folder.audio(first), made.audio, atol=2**-23)
    voice = folder.chunk_voice(first, LAYOUT)
    assert voice is not None
    for kept, token in zip(
        (voice.semantic, voice.coarse, voice.fine), ["semantic", "coarse", "fine"], strict=True
    ):
        np.testing.assert_array_equal(kept, getattr(made, f"{token}_tokens"))


def test_a_chunk_that_fails_is_written_down_and_waits(tmp_path: Path) -> None:
    folder, manifest = begun(tmp_path, None, None)
    first, _ = manifest.chunks
    finish(folder, manifest, 2)
    folder.save_failure(manifest, first, InputError("no word for it"))
    assert (first.chosen.state, first.chosen.error) == ("failed", "no word for it")
    assert folder.load() == manifest
    assert manifest.unfinished == [first]
    finish(folder, manifest, 1)
    assert (first.chosen.state, first.chosen.error) == ("done", None)


def test_a_silent_chunk_leaves_no_files_and_no_voice(tmp_path: Path) -> None:
    folder, manifest = begun(tmp_path, None)
    finish(folder, manifest, 1, frames=0)
    (chunk,) = manifest.chunks
    assert (chunk.chosen.state, chunk.chosen.seconds) == ("silent", 0.0)
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
    assert len(folder.audio(chunk)) == 0
    assert folder.chunk_voice(chunk, LAYOUT) is None
    assert folder.kept_voices(manifest, LAYOUT) == {}


def test_each_speaker_keeps_the_voice_of_the_first_chunk_that_speaks(tmp_path: Path) -> None:
    folder, manifest = begun(tmp_path, "A", "B", "A", "B", "C")
    finish(folder, manifest, 1, frames=0)
    made = {number: finish(folder, manifest, number) for number in (2, 3, 4)}
    kept = folder.kept_voices(manifest, LAYOUT)
    assert kept.keys() == {"A", "B"}
    for speaker, number in (("A", 3), ("B", 2)):
        np.testing.assert_array_equal(kept[speaker].fine, made[number].fine_tokens)
    manifest.chunks[1].add(seed=77)
    again = finish(folder, manifest, 2)
    assert not np.array_equal(again.fine_tokens, made[2].fine_tokens)
    np.testing.assert_array_equal(folder.kept_voices(manifest, LAYOUT)["B"].fine, made[2].fine_tokens)


@pytest.mark.parametrize("kind", [".flac", ".npz"])
def test_a_chunk_without_one_of_its_files_waits_again(tmp_path: Path, kind: str) -> None:
    folder, manifest = begun(tmp_path, None)
    finish(folder, manifest, 1)
    folder.path_of(manifest.chunks[0].chosen, kind).unlink()
    found = folder.load()
    assert found is not None
    assert (found.chunks[0].chosen.state, found.chunks[0].chosen.seconds) == ("waiting", 0.0)


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 16
    path.write_bytes(data)


@pytest.mark.parametrize("part", [0.0, 0.5, 0.9])
def test_a_chunk_with_damaged_audio_is_named_or_waits_and_is_made_again(tmp_path: Path, part: float) -> None:
    folder, manifest = begun(tmp_path, None, None)
    finish(folder, manifest, 1)
    finish(folder, manifest, 2)
    path = folder.path_of(manifest.chunks[1].chosen, ".flac")
    flip(path, int(path.stat().st_size * part))
    found = folder.load()
    assert found is not None
    if found.chunks[1].chosen.state == "done":
        with pytest.raises(GenerationError, match=f"chunk 2 is damaged: {path.name} cannot be read"):
            folder.audio(found.chunks[1])
        found = folder.load()
        assert found is not None
    assert [chunk.chosen.state for chunk in found.chunks] == ["done", "waiting"]
    assert len(folder.audio(found.chunks[0])) > 0


def test_a_chunk_with_a_damaged_voice_is_named_and_made_again(tmp_path: Path) -> None:
    folder, manifest = begun(tmp_path, None)
    finish(folder, manifest, 1)
    folder.path_of(manifest.chunks[0].chosen, ".npz").write_bytes(b"PK")
    with pytest.raises(GenerationError, match="chunk 1 is damaged"):
        folder.chunk_voice(manifest.chunks[0], LAYOUT)
    found = folder.load()
    assert found is not None
    assert found.chunks[0].chosen.state == "waiting"


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(lambda path: soundfile.write(path, np.zeros((2400, 2)), 24_000), id="stereo"),
        pytest.param(lambda path: soundfile.write(path, np.zeros(15_000_000), 24_000), id="minutes"),
    ],
)
def test_audio_that_is_no_chunk_is_named_and_made_again(tmp_path: Path, sound: Any) -> None:
    """Hours of silence are a small file."""
    folder, manifest = begun(tmp_path, None)
    finish(folder, manifest, 1)
    sound(folder.path_of(manifest.chunks[0].chosen, ".flac"))
    with pytest.raises(GenerationError, match=r"chunk 1 is damaged.*it has \d channels of"):
        folder.audio(manifest.chunks[0])
    found = folder.load()
    assert found is not None
    assert found.chunks[0].chosen.state == "waiting"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
@pytest.mark.parametrize("kind", [".flac", ".npz"])
def test_a_pipe_in_place_of_a_file_is_no_file(tmp_path: Path, kind: str) -> None:
    folder, manifest = begun(tmp_path, None)
    finish(folder, manifest, 1)
    path = folder.path_of(manifest.chunks[0].chosen, kind)
    path.unlink()
    os.mkfifo(path)
    found = folder.load()
    assert found is not None
    assert found.chunks[0].chosen.state == "waiting"


@pytest.mark.parametrize(
    "change",
    [
        {"semantic_prompt": np.array([10_000])},
        {"semantic_prompt": np.array([0.5])},
        {"semantic_prompt": np.ones((2, 2), np.int64)},
        {"coarse_prompt": np.ones((3, 4), np.int64)},
        {"coarse_prompt": np.full((2, 4), 1024)},
        {"fine_prompt": np.full((8, 4), -1)},
        {"fine_prompt": np.ones(4, np.int64)},
    ],
)
def test_a_voice_that_cannot_be_is_refused_and_a_chunk_with_one_is_made_again(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    """They come from the folder, which somebody else may have made."""
    folder, manifest = begun(tmp_path, None)
    finish(folder, manifest, 1)
    path = folder.path_of(manifest.chunks[0].chosen, ".npz")
    np.savez(path, **{**np.load(path), **change})
    with pytest.raises(VoiceError, match=re.escape(str(path))):
        folder.kept_voices(manifest, LAYOUT)
    with pytest.raises(GenerationError, match="chunk 1 is damaged"):
        folder.chunk_voice(manifest.chunks[0], LAYOUT)
    voice = tmp_path / "voice-0123abcd.npz"
    np.savez(voice, **{**np.load(path.with_name(f"{path.name}.damaged")), **change})
    manifest.voices["mine"] = "0123abcd"
    with pytest.raises(VoiceError, match=re.escape(str(voice))):
        folder.given_voice(manifest, "mine", LAYOUT)


@pytest.mark.parametrize(
    "tokens", [np.array([10_000]), np.array([-1]), np.ones((2, 2), np.int64), np.ones(3), np.array(["a"])]
)
def test_tokens_that_no_text_stage_made_are_refused(tmp_path: Path, tokens: Any) -> None:
    folder, manifest = begun(tmp_path, None)
    made = manifest.chunks[0].chosen
    made.state = "spoken"
    path = folder.path_of(made, ".npy")
    np.save(path, np.arange(5))
    known = folder.known(made, LAYOUT)
    assert known is not None
    np.testing.assert_array_equal(known.semantic, np.arange(5))
    np.save(path, tokens)
    with pytest.raises(ValueError, match=r"it holds|one dimension|header"):
        folder.known(made, LAYOUT)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="it"):
        folder.known(made, LAYOUT)


def test_given_voices_are_kept_by_what_they_hold(tmp_path: Path) -> None:
    folder, manifest = begun(tmp_path, None)
    voices = {
        name: Voice(np.arange(5) + i, np.ones((2, 5), np.int64), np.ones((8, 5), np.int64), name)
        for i, name in enumerate(["a", "../b"])
    }
    manifest.voices = {name: voice_digest(voice) for name, voice in voices.items()}
    folder.save_voices(voices.values())
    assert len(set(manifest.voices.values())) == 2
    for name, voice in voices.items():
        found = folder.given_voice(manifest, name, LAYOUT)
        assert found is not None
        assert found.name == name
        np.testing.assert_array_equal(found.semantic, voice.semantic)
    assert folder.given_voice(manifest, "c", LAYOUT) is None
    assert len(list(tmp_path.glob("voice-*.npz"))) == 2


@pytest.mark.parametrize("name", [NAME, LOCK, "0a1b2c3d4e-7.flac", "voice-0a1b2c3d.npz"])
@pytest.mark.parametrize("there", [True, False])
def test_nothing_is_written_through_a_link_in_a_folder(tmp_path: Path, name: str, there: bool) -> None:
    """A folder of somebody else's would have files elsewhere written."""
    folder, elsewhere = tmp_path / "work", tmp_path / "elsewhere"
    folder.mkdir()
    if there:
        elsewhere.write_text("mine")
    (folder / name).symlink_to(elsewhere)
    with pytest.raises(InputError, match=f"{name} is a link"):
        ReadingFolder(folder).hold().__enter__()
    assert elsewhere.exists() == there
    assert not there or elsewhere.read_text() == "mine"


def test_a_folder_of_other_files_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").touch()
    with pytest.raises(InputError, match=r"holds other files \(photo\.jpg\).*give another --work"):
        ReadingFolder(tmp_path).hold().__enter__()
    (tmp_path / NAME).touch()
    with ReadingFolder(tmp_path).hold():
        pass
