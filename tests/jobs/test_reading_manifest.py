"""The manifest of a text that is being read: written whole, read with every edit told."""

import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis.errors import InputError
from alrakis.jobs.reading_manifest import NAME, ChunkState, Manifest, differences, load_manifest
from alrakis.sampling import MAX_SEED
from tests.cli.programs import Run, refused
from tests.jobs.books import QUICK, READ, edit


def _first(key: str, value: Any) -> Callable[[Any], None]:
    return lambda values: values["chunks"][0].update({key: value})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_first("seed", 8), "chunk 1's seed is 8, but should be 7"),
        (_first("text", "Good evening."), "chunk 1 was 'Good evening.'"),
        (_first("seconds", 9.5), "chunk 1: the manifest says 9.5 s, 0001.flac has"),
        (_first("voice", "mine"), "chunk 1: the manifest says voice 'mine', 0001.flac ''"),
        (_first("state", "finished"), "chunks.1.state"),
        (_first("chunk", 2), "chunk 2 stands where chunk 1 should"),
        (_first("mood", "sad"), "chunks.1.mood"),
        (lambda values: values["chunks"].pop(), "there were"),
        (lambda values: values["settings"].pop("weights"), "weights was None"),
        (lambda values: values.update(version=2), "version 2; this alrakis reads 1"),
    ],
)
def test_an_edited_manifest_is_told_what_differs(
    book: Path, run: Run, change: Callable[[Any], None], told: str
) -> None:
    (book / "book.txt").write_text("Good morning. " * 8)
    arguments = [*READ, *QUICK]
    run(*arguments)
    edit(book, change)
    refused(run(*arguments), told)


def test_a_damaged_manifest_is_told_where(book: Path, run: Run) -> None:
    run(*READ, *QUICK)
    path = book / "book.flac.work" / "manifest.json"
    path.write_text(path.read_text().replace('"seed": 7,', '"seed": ,', 1))
    refused(run(*READ, *QUICK), "manifest.json", "line ")


texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
chunk_states = st.builds(
    ChunkState,
    chunk=st.just(1),
    text=texts,
    pause=st.sampled_from(["sentence", "end"]),
    speaker=st.none() | texts,
    voice=st.none() | texts,
    seed=st.integers(0, MAX_SEED),
    takes=st.integers(0, 3),
    seconds=st.floats(0, 100),
    state=st.sampled_from(["waiting", "spoken", "done", "silent"]),
)


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    chunks = draw(st.lists(chunk_states, min_size=1, max_size=4))
    numbered = [chunk.model_copy(update={"chunk": number}) for number, chunk in enumerate(chunks, 1)]
    settings = draw(st.dictionaries(texts, st.none() | st.integers() | texts, max_size=3))
    return Manifest(settings=settings, next_batch=draw(st.none() | st.integers(1, 9)), chunks=numbered)


@given(manifests())
def test_a_manifest_is_read_as_it_was_written(made: Manifest) -> None:
    with tempfile.TemporaryDirectory() as name:
        assert load_manifest(Path(name)) is None
        made.save(Path(name))
        found = load_manifest(Path(name))
        assert found == made
        assert list(differences(found, made)) == []


@given(manifests(), st.data())
def test_a_manifest_cut_anywhere_is_told(made: Manifest, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as name:
        made.save(Path(name))
        path = Path(name) / NAME
        whole = path.read_bytes()
        path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 3))])
        with pytest.raises(InputError, match=re.escape(str(path))):
            load_manifest(Path(name))


@given(manifests())
def test_chunks_are_counted_from_1_and_waiting_or_spoken_ones_are_unfinished(made: Manifest) -> None:
    unfinished = [
        made.chunk(number).state in ("waiting", "spoken") for number in range(1, len(made.chunks) + 1)
    ]
    assert made.unfinished == [c for c, is_left in zip(made.chunks, unfinished, strict=True) if is_left]
    for number in (0, -1, len(made.chunks) + 1):
        with pytest.raises(
            InputError, match=f"no chunk {number}; the text has chunks 1 to {len(made.chunks)}"
        ):
            made.chunk(number)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"text": "x" * 100}, "chunk 1 was 'Hello.', now '" + "x" * 60 + "…'"),
        ({"pause": "turn"}, "chunk 1's pause was 'end', now 'turn'"),
        ({"speaker": "MAN"}, "chunk 1's speaker was None, now 'MAN'"),
        ({"seed": 8}, "chunk 1's seed is 7, but should be 8"),
        ({"takes": 1, "state": "done", "seconds": 2.0, "voice": "mine"}, None),
    ],
)
def test_what_is_asked_for_is_compared_and_what_was_made_is_not(
    change: dict[str, Any], told: str | None
) -> None:
    chunk = ChunkState(chunk=1, text="Hello.", pause="end", speaker=None, seed=7)
    before, now = (Manifest(settings={}, chunks=[each]) for each in (chunk, chunk.model_copy(update=change)))
    assert list(differences(before, now)) == ([told] if told else [])


def test_a_chunk_made_anew_may_have_another_seed() -> None:
    chunk = ChunkState(chunk=1, text="Hello.", pause="end", speaker=None, seed=7)
    anew = chunk.model_copy(update={"seed": 99, "takes": 1})
    found, wanted = (Manifest(settings={}, chunks=[each]) for each in (anew, chunk))
    assert list(differences(found, wanted)) == []


def test_a_setting_without_bounds_is_read_again(tmp_path: Path) -> None:
    """`--max-duration inf` was written as null, and the same command refused."""
    wanted = Manifest(
        settings={"max_gen_duration_s": float("inf")},
        chunks=[ChunkState(chunk=1, text="a", pause="end", speaker=None, seed=1)],
    )
    wanted.save(tmp_path)
    found = load_manifest(tmp_path)
    assert found is not None
    assert list(differences(found, wanted)) == []
