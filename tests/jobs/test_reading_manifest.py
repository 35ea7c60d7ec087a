"""The manifest of a text that is being read: written whole, read with every edit told."""

import json
import re
import resource
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis.errors import InputError
from alrakis.jobs.reading_manifest import NAME, ChunkState, KeptVoice, Manifest, TakeState, load_manifest
from alrakis.sampling import MAX_SEED, Options
from tests.cli.programs import Run, refused
from tests.jobs.books import QUICK, READ, edit, job


def _chunk(key: str, value: Any) -> Callable[[Any], None]:
    return lambda values: values["chunks"][0].update({key: value})


def _take(key: str, value: Any) -> Callable[[Any], None]:
    return lambda values: values["chunks"][0]["takes"][0].update({key: value})


EDITS: list[tuple[Callable[[Any], None], str]] = [
    (_take("seconds", 9.5), "chunk 1: the manifest says 9.5 s, "),
    (_take("voice", "mine"), "chunk 1: the manifest says voice 'mine', "),
    (_take("state", "finished"), "chunks.1.takes.1.state"),
    (_chunk("chunk", 2), "chunk 2 stands where chunk 1 should"),
    (_chunk("mood", "sad"), "chunks.1.mood"),
    (_chunk("take", 2), "chunks.1: take 2 of 1"),
    (lambda values: values["settings"].pop("weights"), "settings.weights: field required"),
    (lambda values: values["settings"]["options"].update(text_temp=-1), "settings.options"),
    (lambda values: values["settings"]["config"].update(precision="fp1"), "settings.config.precision"),
    (lambda values: values["voices"].update(mine="../mine"), "voices.mine"),
    (lambda values: values["kept"][""].update(file="../../x"), "kept..file"),
    (lambda values: values.update(version=1), "version 1; this alrakis reads 2"),
]


def test_an_edited_manifest_is_told_what_differs(book: Path, run: Run) -> None:
    (book / "book.txt").write_text("Good morning. " * 8)
    run(*READ, *QUICK)
    path = book / "book.flac.work" / NAME
    before = path.read_bytes()
    for change, told in EDITS:
        edit(book, change)
        refused(run(*READ), told)
        path.write_bytes(before)


def test_a_damaged_manifest_is_told_where(book: Path, run: Run) -> None:
    run(*READ, *QUICK)
    path = book / "book.flac.work" / "manifest.json"
    path.write_text(path.read_text().replace('"seed": 7,', '"seed": ,', 1))
    refused(run(*READ, *QUICK), "manifest.json", "line ")


texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
take_states = st.builds(
    TakeState,
    text=texts,
    speaker=st.none() | texts,
    voice=st.none() | texts,
    seed=st.integers(0, MAX_SEED),
    seconds=st.floats(0, 100),
    state=st.sampled_from(["waiting", "spoken", "done", "silent", "failed"]),
    error=st.none() | texts,
)


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    chunks = []
    for number in range(1, draw(st.integers(1, 4)) + 1):
        takes = draw(st.lists(take_states, min_size=1, max_size=3))
        facts = {"text": draw(texts), "pause": "end", "speaker": draw(st.none() | texts)}
        chunks.append(ChunkState(chunk=number, take=draw(st.integers(1, len(takes))), takes=takes, **facts))
    return Manifest(
        settings=job(
            seed=draw(st.integers(0, MAX_SEED)), cast=draw(st.dictionaries(texts, texts, max_size=2))
        ),
        voices=draw(st.dictionaries(texts, st.just("0123abcd"), max_size=2)),
        kept=draw(st.dictionaries(texts, st.just(KeptVoice(name="chunk 1", file=chunks[0].chosen.file)))),
        chunks=chunks,
        former=draw(st.lists(st.lists(take_states, min_size=1, max_size=2), max_size=2)),
    )


@given(manifests())
def test_a_manifest_is_read_as_it_was_written(made: Manifest) -> None:
    with tempfile.TemporaryDirectory() as name:
        assert load_manifest(Path(name)) is None
        made.save(Path(name))
        found = load_manifest(Path(name))
        assert found == made


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
def test_chunks_are_counted_from_1_and_what_is_not_made_is_unfinished(made: Manifest) -> None:
    heard = [made.chunk(number).chosen.state for number in range(1, len(made.chunks) + 1)]
    assert [chunk.chosen.state for chunk in made.unfinished] == [
        state for state in heard if state not in ("done", "silent")
    ]
    assert len(made.failed) == heard.count("failed")
    count = len(made.chunks)
    told = "the text is one chunk" if count == 1 else f"the text has chunks 1 to {count}"
    for number in (0, -1, count + 1):
        with pytest.raises(InputError, match=f"no chunk {number}; {told}"):
            made.chunk(number)


@given(take_states, take_states)
def test_files_are_named_by_what_is_said_and_the_seed(one: TakeState, other: TakeState) -> None:
    assert re.fullmatch(r"[0-9a-f]{10}-[0-9]+", one.file)
    facts = [(take.speaker or "", take.text, take.seed) for take in (one, other)]
    assert (one.file == other.file) == (facts[0] == facts[1])


def test_a_setting_without_bounds_is_read_again(tmp_path: Path) -> None:
    """`--max-duration inf` was written as null, and the same command refused."""
    chunk = ChunkState(
        chunk=1,
        text="a",
        pause="end",
        speaker=None,
        take=1,
        takes=[TakeState(text="a", speaker=None, seed=1)],
    )
    wanted = Manifest(settings=job(options=Options(max_gen_duration_s=float("inf"))), chunks=[chunk])
    wanted.save(tmp_path)
    assert load_manifest(tmp_path) == wanted


def test_of_very_many_mistakes_the_first_is_told(tmp_path: Path) -> None:
    """pydantic would keep all: a million of them, of gigabytes."""
    settings = json.dumps(job().model_dump(mode="json"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for begin, end in (('"chunks":[', "]"), ('"chunks":[],"former":[[', "]]")):
        values = ",".join('{"a":1}' for _ in range(120_000))
        (tmp_path / NAME).write_text(f'{{"version":2,"settings":{settings},{begin}{values}{end}}}')
        with pytest.raises(InputError, match="is not as alrakis wrote it"):
            load_manifest(tmp_path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10
