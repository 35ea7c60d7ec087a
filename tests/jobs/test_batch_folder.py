"""The folder of a batch: a manifest that grows by lines, and whose edits and other settings are told."""

import re
from pathlib import Path
from typing import Literal

import pytest

from alrakis.errors import InputError
from alrakis.jobs.batch_folder import BatchFolder, Finished
from alrakis.jobs.batch_texts import BatchItem
from tests.cli.programs import Run, refused
from tests.jobs.batches import QUICK, TEXTS
from tests.jobs.books import job


def test_a_manifest_of_something_else_is_told_what_differs(texts: Path, run: Run) -> None:
    arguments = ["batch", "t.txt", "-o", "out", *QUICK]
    run(*arguments)
    path = texts / "out" / "manifest.jsonl"
    before = path.read_bytes()
    refused(run(*arguments, "--seed", "8"), "seed was 7, now 8")
    refused(run(*arguments, "--text-temp", "0.5"), "text_temp was 0.7, now 0.5")
    (texts / "t.txt").write_text("\n".join([*TEXTS[:2], "Another text.", *TEXTS[3:5]]))
    refused(run(*arguments), "row '0003'", TEXTS[2], "Another text.", "row '0006'", "another output folder")
    assert path.read_bytes() == before
    (texts / "t.txt").write_text("\n".join(TEXTS))
    path.write_bytes(before.replace(b'"done"', b'"fine"', 1))
    refused(run(*arguments), "line 2 is not as alrakis wrote it")
    path.write_bytes(b"{}\n")
    refused(run(*arguments), "line 1 is not as alrakis wrote it")


def items_of(*names: str) -> list[BatchItem]:
    return [
        BatchItem(line=i, id=name, file=f"{name}.wav", text=f"Text {name}.") for i, name in enumerate(names)
    ]


def finished(folder: BatchFolder, item: BatchItem, state: Literal["done", "failed"] = "done") -> Finished:
    """An item that was made: its file is there, if it did not fail."""
    if state == "done":
        (folder.folder / item.file).write_bytes(b"sound")
    return Finished(
        id=item.id,
        file=item.file,
        state=state,
        text=item.text,
        voice=item.voice,
        seed=item.line,
        lang=item.lang,
    )


def test_what_is_done_is_what_has_a_line_and_a_file(tmp_path: Path) -> None:
    folder, items = BatchFolder(tmp_path), items_of("a", "b", "c", "d")
    assert folder.settings() is None
    assert folder.begin(job(seed=7), items) == {}
    assert folder.settings() == job(seed=7)
    a, b, c = (finished(folder, item) for item in items[:3])
    folder.add([a, b])
    folder.add([c.model_copy(update={"state": "failed", "error": "because"})])
    (tmp_path / "b.wav").unlink()
    assert BatchFolder(tmp_path).begin(job(seed=7), items) == {"a": a}
    assert len(folder.path.read_text().splitlines()) == 2, "what is to be made again has no line any more"


def test_a_manifest_cut_anywhere_keeps_its_whole_lines(tmp_path: Path) -> None:
    """A killed process leaves a line that is not finished: it is left out, those before it are not."""
    folder, items = BatchFolder(tmp_path), items_of("a", "é", "c")
    folder.begin(job(seed=7), items)
    folder.add([finished(folder, item) for item in items])
    whole = folder.path.read_bytes()
    for cut in range(len(whole) + 1):
        folder.path.write_bytes(whole[:cut])
        kept = whole[:cut].count(b"\n") - 1
        assert list(folder.begin(job(seed=7), items)) == [item.id for item in items[: max(0, kept)]]


def test_settings_and_items_that_differ_are_told_and_more_items_are_none(tmp_path: Path) -> None:
    folder, (a, b) = BatchFolder(tmp_path), items_of("a", "b")
    folder.begin(job(seed=7), [a])
    folder.add([finished(folder, a)])
    before = folder.path.read_bytes()
    for settings, item, told in (
        (job(seed=8), a, "seed was 7, now 8"),
        (job(seed=7), b, "row 'a' was 'Text a.', now there is none"),
        (job(seed=7), a.model_copy(update={"text": "x"}), "row 'a': text was 'Text a.', now 'x'"),
        (job(seed=7), a.model_copy(update={"file": "x.wav"}), "row 'a': file was 'a.wav', now 'x.wav'"),
        (job(seed=7), a.model_copy(update={"voice": "x"}), "row 'a': voice was None, now 'x'"),
        (job(seed=7), a.model_copy(update={"lang": "de"}), "row 'a': lang was None, now 'de'"),
        (job(seed=7), a.model_copy(update={"seed": 5}), "row 'a': seed was 0, now 5"),
    ):
        with pytest.raises(InputError, match=re.escape(told)):
            folder.begin(settings, [item])
        assert folder.path.read_bytes() == before
    assert folder.begin(job(seed=7), [a, b]).keys() == {"a"}


@pytest.mark.parametrize(
    "head", ['{"alrakis_batch": 2, "settings": {}}', "[]", "{}", "x", '{"alrakis_batch": 2}']
)
def test_a_first_line_of_something_else_is_told(tmp_path: Path, head: str) -> None:
    folder = BatchFolder(tmp_path)
    folder.path.write_text(head + "\n")
    with pytest.raises(InputError, match="line 1 is not as alrakis wrote it"):
        folder.begin(job(), [])
