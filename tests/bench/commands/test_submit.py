"""`alrakis-bench submit` and `alrakis-bench results`."""

import json
from pathlib import Path

from markdown_it import MarkdownIt

from alrakis.bench.record.evidence import evidence_of
from alrakis.bench.record.gallery import gallery, load_folder
from alrakis.bench.record.runs import Run
from alrakis.bench.record.schema import load_results
from alrakis.bench.record.submission import anonymised
from alrakis.evidence.fastest import Evidence, evidence, fastest
from tests.bench.programs import Bench
from tests.bench.results import everything, results, saved, times, workload

ROOT = Path(__file__).parents[3]


def test_a_run_is_submitted_and_shown(tmp_path: Path, bench: Bench) -> None:
    mine = saved(tmp_path, "mine", everything())
    (tmp_path / "all").mkdir()
    ended = bench("submit", mine, "-o", "all")
    assert ended.code == 0, ended.err
    (file,) = (tmp_path / "all").iterdir()
    assert file.name in ended.err
    assert load_results(file) == anonymised(everything())
    ended = bench("results", "all", "--evidence", "fastest.json")
    assert ended.code == 0, ended.err
    shown = (tmp_path / "all" / "README.md").read_text("utf-8")
    assert "AMD Ryzen 7 4800U (AVX2), 8 cores" in shown
    assert "<h1>Bark small on AMD Ryzen" in (tmp_path / "all" / "index.html").read_text("utf-8")
    rows = Evidence.model_validate_json((tmp_path / "fastest.json").read_text()).rows
    assert [(row.kind, row.config) for row in rows] == [("x86 with AVX2", "cpu-int8")]


def test_what_cannot_be(tmp_path: Path, bench: Bench) -> None:
    stopped = saved(tmp_path, "stopped", results({"x": times(1)}, complete=False))
    assert bench("submit", stopped).code == 2
    assert bench("results", "nowhere").code == 2
    assert "is a folder" in bench("results", ".", "--evidence", "").err
    (tmp_path / "bad.json").write_text("{}")
    ended = bench("results", ".")
    assert ended.code == 2
    assert "bad.json" in ended.err
    assert not (tmp_path / "README.md").exists()


HOSTILE = "[a](http://x.yz) <b>`c`</b> *d* | www.e.fg &lt;\x1b[2J\u202e"


def test_names_of_others_are_text_in_the_readme() -> None:
    made = everything(HOSTILE, cpu=HOSTILE)
    text = gallery([Run("one", made), Run("two", everything(cpu=f"# {HOSTILE}"))])["README.md"]
    assert "http://" not in text
    assert "www.e" not in text
    assert "\x1b" not in text
    shown = MarkdownIt("commonmark").enable("table").render(text)
    assert "<b>" not in shown
    assert shown.count("<a ") == 1  # the page
    assert "<em>" not in shown
    assert "[a](http://x.yz) &lt;b&gt;`c`&lt;/b&gt; *d* | www.e.fg &amp;lt;" in shown
    columns = {line.count("<td") + line.count("<th") for line in shown.split("<tr>")[1:]}
    assert len(columns) == 1


def test_a_day_that_is_a_path_is_no_day(tmp_path: Path, bench: Bench) -> None:
    """It would be a part of the file's name."""
    mine = Path(saved(tmp_path, "mine", everything()))
    mine.write_text(mine.read_text().replace("2026-11-20T12:00:00Z", "../../2026"))
    ended = bench("submit", str(mine), "-o", str(tmp_path))
    assert ended.code == 2
    assert "is damaged at started" in ended.err


def test_a_speed_that_cannot_be_is_no_evidence() -> None:
    made = results({"cpu-int8": times(1e-9)}, [workload(voice="synthetic")])
    assert Evidence.model_validate_json(evidence_of([Run("mine", made)])).rows == ()


def test_what_ships_is_made_of_the_results_that_are_here() -> None:
    """`make results` was run after the last change."""
    folder = ROOT / "bench" / "results"
    runs = load_folder(folder)
    for name, text in gallery(runs).items():
        assert (folder / name).read_text("utf-8") == text, f"{name}: make results"
    assert (ROOT / "engine" / "evidence" / "fastest.json").read_text("utf-8") == evidence_of(runs)


def test_results_that_ship_name_nobody() -> None:
    for file in (ROOT / "bench" / "results").glob("*.json"):
        assert anonymised(load_results(file)) == load_results(file)
        assert not any(word in file.read_text("utf-8") for word in ("/home/", "/root", "/tmp", "C:"))


def test_evidence_is_of_presets_as_they_are_and_the_fastest_close_one_is_found() -> None:
    rtfs = {"cpu-fp32": times(5), "cpu-int8": times(2), "mine": times(0.1)}
    made = results(rtfs, [workload(voice="synthetic")])
    text = evidence_of([Run("mine", made)])
    rows = Evidence.model_validate_json(text).rows
    # `target` makes all of them int8: what is called cpu-fp32 was another config then
    assert [(row.config, row.rtf) for row in rows] == [("cpu-int8", 2.005)]
    assert [row.config for row in fastest("x86 with AVX2", ["cpu-int8"], rows)] == ["cpu-int8"]
    assert fastest("x86 with AMX", ["cpu-int8"], rows) == []
    assert all(row.rtf > 0 for row in evidence().rows)
    assert json.loads(text)["format"] == "alrakis-evidence"
