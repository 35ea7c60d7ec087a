"""The config file that `tune` writes."""

from pathlib import Path

import pytest

from alrakis.bench.tune.candidates import Candidate
from alrakis.bench.tune.config_file import config_toml
from alrakis.bench.tune.search import Outcome, Search
from alrakis.config import load_config, preset_names
from alrakis.hardware import CPU

SECONDS = 4.0


@pytest.mark.parametrize("preset", preset_names())
def test_the_file_is_the_config(preset: str, tmp_path: Path) -> None:
    candidate = Candidate(preset, (("threads", 3), ("residency", "one-stage")))
    search = Search([candidate], lambda *_: Outcome(1.0, 10**9), SECONDS, None, lambda: 1.0)
    search.run()
    assert search.best
    machine = CPU('AMD "EPYC" \\ \n\x1b', 4, 2, 2, ())
    file = tmp_path / "mine.toml"
    file.write_text(config_toml(search, search.best, "demo", SECONDS, machine, "2026-11-24"), "utf-8")
    written, wanted = load_config(file), candidate.config()
    assert written.model_dump(exclude={"name", "summary"}) == wanted.model_dump(exclude={"name", "summary"})
    assert (written.name, written.summary) == ("mine", 'tuned for AMD "EPYC" \\ \\n\\x1b')
    assert "4 s of audio: RTF 1, peak memory 1000 MB (the median of 3)" in file.read_text("utf-8")
