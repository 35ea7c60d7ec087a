"""Tables of a page that commands write."""

import re
import shutil
from pathlib import Path

import pytest

from alrakis.bench.figures.document import marked, put_table, table_in, write_table
from alrakis.bench.figures.tables import FIGURES, main
from alrakis.errors import InputError

PERFORMANCE = Path(__file__).parents[3] / "docs" / "performance.md"
PAGE = "before\n<!-- figures: speed -->\n\n| old |\n\n<!-- end -->\nafter\n"


def test_a_table_takes_the_place_of_the_old_one_and_nothing_else_changes() -> None:
    page = put_table(PAGE, "speed", "| a |\n|---|\n| 1 \\\\ |")
    assert page == PAGE.replace("| old |", "| a |\n|---|\n| 1 \\\\ |")
    assert put_table(page, "speed", "| old |") == PAGE


def test_what_has_no_place_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no place for large"):
        put_table(PAGE, "large", "| a |")
    with pytest.raises(InputError, match="cannot read"):
        write_table(tmp_path / "nowhere.md", "speed", "| a |")


def test_only_the_table_of_what_is_printed() -> None:
    assert table_in("a title\n\n| a |\n|---|\n| 1 |\n") == "| a |\n|---|\n| 1 |"


def test_every_table_of_the_page_has_its_place() -> None:
    """What is between two markers is a table, and every figure's table is between markers."""
    text = PERFORMANCE.read_text("utf-8")
    shown = re.findall(r"^python -m alrakis.bench.figures ([\w-]+)", text, re.MULTILINE)
    assert marked(text) == [name for name in shown if name != "long-memory"]
    assert set(marked(text)) <= set(FIGURES)
    for name in marked(text):
        inside = re.search(rf"<!-- figures: {name} -->\n(.*?)<!-- end -->", text, re.DOTALL)
        assert inside
        lines = [line for line in inside[1].splitlines() if line]
        assert lines
        assert all(line.startswith("|") for line in lines)


def test_a_copy_of_the_page_is_written_with_tiny_weights(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    shutil.copy(PERFORMANCE, page)
    before = page.read_text("utf-8")
    words = ["--weights", "synthetic-tiny", "--repeats", "1", "--config", "cpu-int8"]
    with pytest.raises(SystemExit) as end:
        main(["memory", "--into", str(page), *words])
    assert end.value.code == 0
    after = page.read_text("utf-8")
    assert after != before
    assert marked(after) == marked(before)
    assert put_table(after, "memory", "x") == put_table(before, "memory", "x")  # nothing else changed


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["speed", "--into", "page.md"], "there is no place for speed"),
        (["all", "--into", "nowhere.md"], "cannot read"),
        (["all", "--into", "latin.md"], "it is not UTF-8 text"),
        (["all", "--into", "missing/page.md"], "no folder"),
        (["speed", "--repeats", "0"], "--repeats is at least 1"),
    ],
)
def test_what_cannot_be_is_told_before_hours_of_measuring(
    words: list[str],
    why: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(FIGURES, "speed", lambda _: pytest.fail("it was measured"))
    (tmp_path / "page.md").write_text(PAGE.replace("speed", "voice"))
    (tmp_path / "latin.md").write_bytes("é".encode("latin-1"))
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code in (1, 2)
    assert why in capsys.readouterr().err


def test_all_needs_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["all"])
    assert end.value.code == 2
    assert "needs --into" in capsys.readouterr().err
