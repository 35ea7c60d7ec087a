"""`alrakis-bench report`: the page it writes, and what it refuses."""

from pathlib import Path

import pytest

from tests.bench.pages import Page
from tests.bench.programs import Bench
from tests.bench.results import everything, saved


def test_the_program(tmp_path: Path, bench: Bench) -> None:
    mine = saved(tmp_path, "mine", everything())
    ended = bench("report", mine, "-o", "page.html")
    assert (ended.code, ended.out) == (0, "")
    assert "page.html" in ended.err
    assert Page((tmp_path / "page.html").read_text("utf-8")).tables
    nowhere = bench("report", mine, "-o", "missing/page.html")
    assert nowhere.code == 1
    assert "no folder" in nowhere.err


@pytest.mark.parametrize("content", ["", '{"format": "alrakis-bench", "schema_version": 99}', "[]"])
def test_a_file_that_is_no_result_leaves_the_page_as_it_was(
    content: str, tmp_path: Path, bench: Bench
) -> None:
    (tmp_path / "bad.json").write_text(content)
    (tmp_path / "page.html").write_text("before")
    ended = bench("report", saved(tmp_path, "good", everything()), "bad.json", "-o", "page.html")
    assert ended.code == 2
    assert "bad.json" in ended.err
    assert (tmp_path / "page.html").read_text() == "before"
