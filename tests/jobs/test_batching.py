"""A batch: what runs together, what is made, what failed, and what is made another time."""

import weakref
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from alrakis import Engine
from alrakis.audio_tags import read_tags
from alrakis.flight.journey import Manner
from alrakis.flight.sequence import Caller, Handle
from alrakis.jobs.batch_folder import BatchFolder
from alrakis.jobs.batch_texts import BatchItem
from alrakis.jobs.batching import Batch
from alrakis.jobs.rows import BatchTask, PlannedItem
from alrakis.sampling import Options
from alrakis.voices import Voice
from tests.cli.programs import Run, refused
from tests.jobs.batches import DEMO, QUICK, TEXTS, manifest, samples, states, write_items
from tests.jobs.books import job


def test_items_say_things_of_their_own(here: Path, run: Run) -> None:
    long = "This is a sentence of a long text, and it goes on for a while. " * 5
    write_items(here, {"text": "Hello.", "id": "a", "seed": 3}, {"text": long, "file": "long.ogg"})
    assert run("batch", "t.jsonl", "-o", "out", *QUICK).code == 0
    assert read_tags(here / "out" / "a.wav")["seed"] == "3"
    assert soundfile.info(here / "out" / "long.ogg").duration > 0.8  # of chunks of 0.4 s


def test_an_item_that_fails_is_written_down_and_passed_over(here: Path, run: Run) -> None:
    (here / "broken.npz").write_bytes(b"no voice")
    write_items(
        here,
        {"text": " ", "id": "empty"},
        {"text": "Hello.", "id": "voiceless", "voice": "v2/en_speaker_99"},
        {"text": "Hello.", "id": "broken", "voice": "broken.npz"},
        {"text": "Hello.", "id": "foreign", "lang": "xx"},
        {"text": "Hello.", "id": "fine"},
    )
    for _ in range(2):  # the second time, only what failed is tried
        ended = run("batch", "t.jsonl", "-o", "out", *QUICK)
        assert ended.code == 1
        assert "Traceback" not in ended.err
        assert "4 of 5 rows failed; out/manifest.jsonl says why" in ended.err
        assert states(here) == {
            "empty": "failed", "voiceless": "failed", "broken": "failed", "foreign": "failed", "fine": "done",
        }  # fmt: skip
    reasons = {item["id"]: item["error"] for item in manifest(here)[1:]}
    assert "empty" in reasons["empty"]
    assert "v2/en_speaker_99" in reasons["voiceless"]
    assert reasons["fine"] is None
    assert "0 files in out; 1 were there" in ended.err


def test_an_item_that_says_nothing_fails_alone(here: Path, run: Run) -> None:
    write_items(here, {"text": "Hello."}, {"text": "Good day."})
    ended = run("batch", "t.jsonl", "-o", "out", *DEMO, "--min-eos-p", "0")
    assert ended.code == 1
    assert set(states(here).values()) == {"failed"}
    assert "no speech was made" in manifest(here)[1]["error"]


def test_items_added_later_are_made_and_the_others_left(texts: Path, run: Run) -> None:
    run("batch", "t.txt", "-o", "out", *QUICK)
    before = (texts / "out" / "0001.wav").stat().st_mtime_ns
    (texts / "t.txt").write_text("\n".join([*TEXTS, "One more."]))
    (texts / "out" / "0002.wav").unlink()
    ended = run("batch", "t.txt", "-o", "out", *QUICK)
    assert "made 2 files in out" in ended.err
    assert len(states(texts)) == 7
    assert (texts / "out" / "0001.wav").stat().st_mtime_ns == before


def test_a_text_that_was_corrected_is_made_anew(texts: Path, run: Run) -> None:
    arguments = ["batch", "t.txt", "-o", "out", *QUICK]
    run(*arguments)
    out = texts / "out"
    before = {path.name: path.read_bytes() for path in out.glob("*.wav")}
    (texts / "t.txt").write_text("\n".join([*TEXTS[:2], "Another text.", *TEXTS[3:5]]))
    ended = run(*arguments)
    assert ended.code == 0, ended.err
    assert "1 of 5 rows changed: 0003; 1 of before are left out" in ended.err
    assert "made 1 files in out" in ended.err
    assert (out / "0003.1.wav").read_bytes() == before["0003.wav"]
    assert read_tags(out / "0003.wav")["text"] == "Another text."
    assert (out / "0001.wav").read_bytes() == before["0001.wav"]
    (texts / "t.txt").write_text("\n".join(TEXTS))
    ended = run(*arguments)
    assert "1 of 6 rows changed: 0003\n" in ended.err
    assert (out / "0003.wav").read_bytes() == before["0003.wav"]
    assert read_tags(out / "0003.2.wav")["text"] == "Another text."
    ended = run(*arguments)
    assert "changed" not in ended.err
    assert "made 0 files in out; 6 were there" in ended.err


def test_without_a_seed_it_goes_on_with_the_one_that_it_drew(texts: Path, run: Run) -> None:
    arguments = ["batch", "t.txt", "-o", "out", *DEMO, "--max-duration", "0.2"]
    run(*arguments)
    audio = samples(texts / "out" / "0004.wav")
    (texts / "out" / "0004.wav").unlink()
    assert run(*arguments).code == 0
    assert np.array_equal(samples(texts / "out" / "0004.wav"), audio)


def test_going_on_needs_no_settings_again(texts: Path, run: Run) -> None:
    options = ["--weights", "synthetic-tiny", "--config", "torch-fp32", "--max-duration", "0.2"]
    run("batch", "t.txt", "-o", "out", "--format", "flac", "--lang", "de", *options)
    settings, audio = manifest(texts)[0], samples(texts / "out" / "0004.flac")
    (texts / "out" / "0004.flac").unlink()
    ended = run("batch", "t.txt", "-o", "out")
    assert ended.code == 0, ended.err
    assert "made 1 files in out" in ended.err
    assert manifest(texts)[0] == settings
    assert np.array_equal(samples(texts / "out" / "0004.flac"), audio)
    refused(run("batch", "t.txt", "-o", "out", "--lang", "fr"), "lang was 'de', now 'fr'", "leave it out")


class Patient:
    """Says a text only when nothing more is asked for: there is no room left, or no text."""

    def __init__(self, texts: int, most: int, random: Random) -> None:
        self.config = SimpleNamespace(max_batch=most)
        self.begun: list[str] = []
        self.most_at_once = 0
        self._texts, self._random = texts, random
        self._under_way: list[Handle[Any]] = []

    def load_voice(self, voice: Any) -> Any:
        return voice

    def fetch(self) -> None:
        pass

    def said(self, text: str, manner: Manner, caller: Caller, *, written: str | None = None) -> Handle[Any]:
        handle: Handle[Any] = Handle()
        self.begun.append(text)
        self._under_way.append(handle)
        self.most_at_once = max(self.most_at_once, len(self._under_way))
        while self._under_way and len(self.begun) == self._texts:
            self._end_one()
        if len(self._under_way) == 2 * self.config.max_batch:
            self._end_one()
        return handle

    def _end_one(self) -> None:
        handle = self._under_way.pop(self._random.randrange(len(self._under_way)))
        handle.set_result(SimpleNamespace(duration_s=1.0, encoded=lambda extension: b"", pieces=()))


class Planned(Batch):
    """A batch of texts of known voices and lengths, in no folder."""

    def __init__(self, engine: Patient, plans: list[PlannedItem]) -> None:
        self._plans = plans
        folder = SimpleNamespace(
            folder=Path(),
            settings=lambda: None,
            begin=lambda settings, items, subtitles: SimpleNamespace(done={}, changed=[], gone=[]),
            save=lambda files: None,
            add=lambda finished: None,
        )
        task = BatchTask([plan.item for plan in plans], job(seed=1))
        super().__init__(engine, task, folder)  # type: ignore[arg-type]

    def _plan(self, item: BatchItem) -> PlannedItem:
        return self._plans[item.line]


VOICES = [None, *(Voice(*[np.zeros(1, np.int64)] * 3, name=name) for name in "ab")]
rows = st.lists(st.tuples(st.sampled_from(VOICES), st.integers(1, 60)), max_size=20)


@given(rows, st.integers(1, 5), st.randoms())
def test_short_texts_begin_first_whatever_their_voices_and_the_slots_are_full(
    rows: list[tuple[Voice | None, int]], most: int, random: Random
) -> None:
    """Twice as many as there are slots are under way: the later stages have a batch of their own."""
    items = [BatchItem(line=i, id=str(i), file="f", text="t" * size) for i, (_, size) in enumerate(rows)]
    plans = [PlannedItem(item, item.id, (), 0, voice) for item, (voice, _) in zip(items, rows, strict=True)]
    engine = Patient(len(plans), most, random)
    made = [finished.id for finished in Planned(engine, plans).make()]
    assert sorted(made) == sorted(item.id for item in items)
    assert [rows[int(text)][1] for text in engine.begun] == sorted(size for _, size in rows)
    assert engine.most_at_once == min(2 * most, len(plans))


def test_of_rows_that_are_done_nothing_is_kept_but_their_ids() -> None:
    """Neither what they were nor what became of them: 100,000 rows take no more memory than 1,000."""
    items = [BatchItem(line=i, id=f"row {i}", file="f", text="t") for i in range(500)]
    plans, kept = [], []

    class Watched(Planned):
        def _plan(self, item: BatchItem) -> PlannedItem:
            plan = PlannedItem(item, item.id, (), 0, None)
            plans.append(weakref.ref(plan))
            return plan

    batch = Watched(Patient(len(items), 4, Random(1)), [PlannedItem(i, "t", (), 0, None) for i in items])
    for count, finished in enumerate(batch.make(), 1):
        kept.append(weakref.ref(finished))
        if count == 400:
            assert sum(plan() is not None for plan in plans) < 100 + 2 * 8
            assert sum(made() is not None for made in kept) == 1
    assert batch.done == {item.id for item in items}


def test_a_text_of_more_chunks_than_there_is_room_for_is_said(tmp_path: Path) -> None:
    """Nobody takes its pieces before all of them are made."""
    folder = BatchFolder(tmp_path / "out")
    item = BatchItem(line=1, id="a", file="a.wav", text="This is a sentence. " * 12)
    options = Options(max_gen_duration_s=0.1)
    config = {"threads": 1, "max_batch": 1, "chunk_s": 3.0, "pack_s": 3.0}
    with folder.hold(), Engine("demo", "cpu-fp32", **config) as engine:
        batch = Batch(engine, BatchTask([item], job(seed=1, options=options)), folder)
        (made,) = batch.make()
        whole = engine.generate_long(item.text, seed=1, options=options)
    assert made.state == "done"
    assert len(whole.pieces) > 4
    assert made.seconds == pytest.approx(whole.duration_s, abs=0.001)


def test_one_item_that_cannot_be_said_does_not_take_others_along(tmp_path: Path) -> None:
    """Items that are under way together."""
    items = [BatchItem(line=i, id=name, file=f"{name}.wav", text=name) for i, name in enumerate("ab")]
    odd = BatchItem(line=2, id="c", file="c.wav", text="\u3053\u308c\u306f")  # no letter that the demo knows
    folder = BatchFolder(tmp_path / "out")
    with folder.hold(), Engine("demo", "cpu-fp32", threads=1) as engine:
        settings = job(seed=1, options=Options(max_gen_duration_s=0.2))
        batch = Batch(engine, BatchTask([*items, odd], settings), folder)
        made = list(batch.make())
    assert {finished.id: finished.state for finished in made} == {"a": "done", "b": "done", "c": "failed"}
    assert batch.done == {"a", "b"}
    assert batch.failed == {"c"}
    (reason,) = [finished.error for finished in made if finished.id == "c"]
    assert "nothing of" in (reason or "")
    assert sorted(path.name for path in folder.folder.glob("*.wav")) == ["a.wav", "b.wav"]
