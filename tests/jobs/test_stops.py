"""Work that is stopped after any step, and gone on with, ends with the files of undisturbed work."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alrakis import Engine
from alrakis.jobs.batch_folder import BatchFolder
from alrakis.jobs.batch_texts import BatchItem
from alrakis.jobs.batching import Batch
from alrakis.jobs.reading import Reading
from alrakis.jobs.reading_folder import ReadingFolder
from alrakis.jobs.rows import BatchTask
from alrakis.jobs.settings import Asked
from alrakis.sampling import Options
from tests.jobs.books import TEXT, job

BOOK = TEXT.split("\n\n")[1]
OPTIONS = Options(max_gen_duration_s=0.2, min_eos_p=0.001)


class Stopped(BaseException):
    """As a process that is killed: nothing is tidied up that it could not have written before."""


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    quick = {"fine_window": "fitted", "trades": "a test"}
    with Engine("synthetic-tiny", "torch-fp32", threads=1, max_batch=2, pack_s=3.0, **quick) as made:
        yield made


def stop_after(steps: int) -> Callable[[str, float], None]:
    left = steps

    def on_move(part: str, seconds: float) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Stopped

    return on_move


def read(
    engine: Engine, folder: Path, steady: Any, on_move: Callable[[str, float], None]
) -> dict[str, bytes]:
    work = ReadingFolder(folder / "work")
    with work.hold():
        reading = Reading(engine, BOOK, Asked(seed=7, steady=steady, options=asdict(OPTIONS)), work)
        list(reading.make(on_move=on_move))
        reading.join(str(folder / "book.wav"))
    kept = [path for path in folder.rglob("*") if path.suffix in (".flac", ".npz", ".wav", ".json", ".npy")]
    return {path.name: path.read_bytes() for path in kept}


@settings(max_examples=4)
@given(steady=st.sampled_from(["voice", "chain"]), stops=st.lists(st.integers(0, 500), max_size=4))
def test_a_reading_that_is_stopped_after_any_step_becomes_the_same_files(
    engine: Engine, steady: Any, stops: list[int]
) -> None:
    with TemporaryDirectory() as name:
        for stop in stops:
            try:
                read(engine, Path(name), steady, stop_after(stop))
            except Stopped:
                continue
        found = read(engine, Path(name), steady, lambda part, seconds: None)
    assert found.keys() == undisturbed(engine, steady).keys()
    assert found == undisturbed(engine, steady)


_whole: dict[str, dict[str, bytes]] = {}


def undisturbed(engine: Engine, steady: Any) -> dict[str, bytes]:
    if steady not in _whole:
        with TemporaryDirectory() as name:
            _whole[steady] = read(engine, Path(name), steady, lambda part, seconds: None)
    return _whole[steady]


@pytest.mark.parametrize("part", ["text", "coarse"])
def test_what_a_stage_has_made_is_written_as_it_comes_and_not_made_again(
    engine: Engine, tmp_path: Path, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped in the stage behind it: what was written is used, and the text stage runs for others only."""
    behind = {"text": "coarse", "coarse": "fine"}[part]

    def stop(at: str, seconds: float) -> None:
        if at == behind:
            raise Stopped

    with pytest.raises(Stopped):
        read(engine, tmp_path, "voice", stop)
    kind = {"text": "*[0-9].npy", "coarse": "*-coarse.npy"}[part]
    written = {path.name for path in (tmp_path / "work").glob(kind)}
    assert written
    again: dict[str, list[str]] = {"text": [], "coarse": []}
    save = ReadingFolder.save_tokens

    def spy(self: ReadingFolder, manifest: object, chunk: object, stage: str, tokens: object) -> None:
        again[stage].append(self.path_of(chunk.chosen, ".npy" if stage == "text" else "-coarse.npy").name)  # type: ignore[attr-defined]
        save(self, manifest, chunk, stage, tokens)  # type: ignore[arg-type]

    monkeypatch.setattr(ReadingFolder, "save_tokens", spy)
    found = read(engine, tmp_path, "voice", lambda part, seconds: None)
    assert not written & set(again[part])
    assert len(set(again["text"])) == len(again["text"])
    assert found == undisturbed(engine, "voice")


LONG = "This is a sentence of a long text. " * 9


def say_all(engine: Engine, folder: Path, on_move: Callable[[str, float], None]) -> dict[str, bytes]:
    texts = ["One.", "And two.", LONG, "Four.", "Number five is here."]
    items = [BatchItem(line=i, id=str(i), file=f"{i}.wav", text=text) for i, text in enumerate(texts)]
    work = BatchFolder(folder / "out")
    with work.hold():
        batch = Batch(engine, BatchTask(items, job(seed=7, options=OPTIONS)), work)
        batch.sayer.caller.on_move = on_move  # type: ignore[attr-defined]
        list(batch.make())
    assert not batch.failed
    return {path.name: path.read_bytes() for path in work.folder.glob("*.wav")}


@settings(max_examples=4)
@given(st.lists(st.integers(0, 300), max_size=3))
def test_a_batch_that_is_stopped_after_any_step_makes_the_same_files(
    engine: Engine, stops: list[int]
) -> None:
    with TemporaryDirectory() as name, TemporaryDirectory() as other:
        for stop in stops:
            try:
                say_all(engine, Path(name), stop_after(stop))
            except Stopped:
                continue
        whole = say_all(engine, Path(other), lambda part, seconds: None)
        assert say_all(engine, Path(name), lambda part, seconds: None) == whole
        assert len(whole) == 5
