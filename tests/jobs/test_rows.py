"""The rows of a batch: what an engine makes of one."""

import threading
from pathlib import Path

import pytest

from alrakis import Engine
from alrakis.errors import InputError
from alrakis.jobs.batch_texts import BatchItem
from alrakis.jobs.rows import BatchTask, EngineSayer, PlannedItem, row_room
from alrakis.sampling import Options
from tests.jobs.books import job

LONG = "Good morning. It is late. I like pizza. " * 4


def test_a_row_is_what_generate_would_save(tmp_path: Path) -> None:
    options = Options(max_gen_duration_s=0.3)
    with Engine("demo", "cpu-fp32", threads=1) as engine:
        sayer = EngineSayer(engine, BatchTask([], job(seed=1, options=options), ".srt"), {})
        item = BatchItem(line=1, id="a", file="a.flac", text="Hello.")
        ended = threading.Event()
        row = sayer.say(PlannedItem(item, "Hello.", False, 4, None, 1.0), ended.set)
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
            sayer.say(PlannedItem(item, " ", False, 4, None, 1.0), lambda: None)


@pytest.mark.parametrize(("text", "long"), [("Hello.", False), (LONG, True)])
def test_all_takes_of_a_row_have_their_scores(text: str, long: bool) -> None:
    """Those of a row in several chunks were lost."""
    with Engine("demo", "cpu-fp32", threads=1) as engine:
        task = BatchTask([], job(seed=1, options=Options(max_gen_duration_s=0.3, takes=2)))
        item = BatchItem(line=1, id="a", file="a.wav", text=text)
        made = (
            EngineSayer(engine, task, {})
            .say(PlannedItem(item, text, long, 4, None, 1.0), lambda: None)
            .result()
        )
    chunks = [score.get("chunk") for score in made.scores]
    count = len(made.scores) // 2
    assert chunks == ([chunk for chunk in range(1, count + 1) for _ in range(2)] if long else [None, None])
    assert count > 1 or not long
    assert all(score["error"] >= 0 for score in made.scores)
