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
