"""The rows of a batch: what an engine makes of one."""

import threading
from pathlib import Path

import pytest

from alrakis import Engine
from alrakis.errors import InputError
from alrakis.jobs.batch_folder import BatchFolder
from alrakis.jobs.batch_texts import BatchItem
from alrakis.jobs.batching import Batch
from alrakis.jobs.rows import BatchTask, EngineSayer, PlannedItem, row_room
from alrakis.long.text import split_long
from alrakis.sampling import Options
from tests.jobs.books import job

LONG = "Good morning. It is late. I like pizza. " * 4


def test_a_long_row_is_cut_where_it_is_planned(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And nowhere else: what decides about it may differ between machines."""
    options = Options(max_gen_duration_s=0.1)
    text = "MAN: This is a sentence, and it goes on for a while.\n\nIt has two parts. " * 4
    item = BatchItem(line=1, id="a", file="a.wav", text=text)
    folder = BatchFolder(tmp_path / "out")
    with folder.hold(), Engine("demo", "cpu-fp32", threads=1) as engine:
        whole = engine.generate_long(text, seed=4, options=options).encoded(".wav")
        task = BatchTask([item], job(seed=4, options=options))
        plan = Batch(engine, task, folder)._plan(item)
        for where in ("alrakis.long.text.split_long", "alrakis.long.text.split_text"):
            monkeypatch.setattr(where, None)
        made = EngineSayer(engine, task, {}).say(plan, lambda: None).result()
    assert len(plan.chunks) > 3
    assert made.files == {"a.wav": whole}


def test_a_row_is_what_generate_would_save(tmp_path: Path) -> None:
    options = Options(max_gen_duration_s=0.3)
    with Engine("demo", "cpu-fp32", threads=1) as engine:
        sayer = EngineSayer(engine, BatchTask([], job(seed=1, options=options), ".srt"), {})
        item = BatchItem(line=1, id="a", file="a.flac", text="Hello.")
        ended = threading.Event()
        row = sayer.say(PlannedItem(item, "Hello.", (), 4, None), ended.set)
        made = row.result()
        result = engine.generate("Hello.", seed=4, options=options)
        audio, subtitles = made.files.values()
        assert list(made.files) == ["a.flac", "a.srt"]
        assert audio == result.save(tmp_path / "a.flac").read_bytes() == result.encoded(".flac")
        assert b"Hello." in subtitles
        assert made.seconds == round(result.duration_s, 3)
        assert made.scores == []
        ended.wait()
        assert sayer.room == row_room(engine.config) == 2 * engine.config.max_batch
        with pytest.raises(InputError, match="can say nothing of"):
            sayer.say(PlannedItem(item, " ", (), 4, None), lambda: None)


@pytest.mark.parametrize(("text", "long"), [("Hello.", False), (LONG, True)])
def test_all_takes_of_a_row_have_their_scores(text: str, long: bool) -> None:
    """Those of a row in several chunks were lost."""
    with Engine("demo", "cpu-fp32", threads=1) as engine:
        task = BatchTask([], job(seed=1, options=Options(max_gen_duration_s=0.3, takes=2)))
        item = BatchItem(line=1, id="a", file="a.wav", text=text)
        chunks = tuple(split_long(text, engine.tokenizer, engine.config)) if long else ()
        plan = PlannedItem(item, text, chunks, 4, None)
        made = EngineSayer(engine, task, {}).say(plan, lambda: None).result()
    numbers = [score.get("chunk") for score in made.scores]
    count = len(made.scores) // 2
    assert numbers == ([chunk for chunk in range(1, count + 1) for _ in range(2)] if long else [None, None])
    assert count > 1 or not long
    assert all(score["error"] >= 0 for score in made.scores)
