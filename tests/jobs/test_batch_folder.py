"""The folder of a batch: a manifest that grows by lines, and whose edits and other settings are told."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest

from alrakis.errors import InputError, OutputError
from alrakis.jobs.batch_folder import BatchFolder, Finished
from alrakis.jobs.batch_texts import BatchItem
from tests.cli.programs import Run, refused
from tests.jobs.batches import QUICK
from tests.jobs.books import job


def test_a_manifest_of_something_else_is_told_what_differs(texts: Path, run: Run) -> None:
    arguments = ["batch", "t.txt", "-o", "out", *QUICK]
    run(*arguments)
    path = texts / "out" / "manifest.jsonl"
    before = path.read_bytes()
    refused(run(*arguments, "--seed", "8"), "seed was 7, now 8")
    refused(run(*arguments, "--text-temp", "0.5"), "text_temp was 0.7, now 0.5")
    assert path.read_bytes() == before
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
    assert folder.begin(job(seed=7), items).done == {}
    assert folder.settings() == job(seed=7)
    a, b, c = (finished(folder, item) for item in items[:3])
    folder.add([a, b])
    folder.add([c.model_copy(update={"state": "failed", "error": "because"})])
    (tmp_path / "b.wav").unlink()
    assert BatchFolder(tmp_path).begin(job(seed=7), items).done == {"a": a}
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
        assert list(folder.begin(job(seed=7), items).done) == [item.id for item in items[: max(0, kept)]]


def test_settings_that_differ_are_told_and_more_items_are_no_difference(tmp_path: Path) -> None:
    folder, (a, b) = BatchFolder(tmp_path), items_of("a", "b")
    folder.begin(job(seed=7), [a])
    folder.add([finished(folder, a)])
    before = folder.path.read_bytes()
    with pytest.raises(InputError, match="seed was 7, now 8"):
        folder.begin(job(seed=8), [a])
    assert folder.path.read_bytes() == before
    standing = folder.begin(job(seed=7), [a, b])
    assert (standing.done.keys(), standing.changed, standing.gone) == ({"a"}, [], 0)


@pytest.mark.parametrize("change", [{"text": "x"}, {"voice": "x"}, {"lang": "de"}, {"seed": 5}])
def test_an_item_that_was_corrected_is_to_be_made_and_keeps_its_file(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    """However often it is stopped in between, the audio of before is moved only for another."""
    folder, (a, b) = BatchFolder(tmp_path), items_of("a", "b")
    folder.begin(job(seed=7), [a, b])
    folder.add([finished(folder, a), finished(folder, b)])
    corrected = replace(a, **change)
    for _ in range(3):
        folder = BatchFolder(tmp_path)
        standing = folder.begin(job(seed=7), [corrected, b])
        assert (standing.done.keys(), standing.changed, standing.gone) == ({"b"}, ["a"], 0)
        folder.add([finished(folder, corrected, "failed")])
        assert files(tmp_path) == {"a.wav", "b.wav"}
    folder.begin(job(seed=7), [corrected, b])
    folder.keep_earlier("a.wav")
    folder.keep_earlier("b.wav")
    assert files(tmp_path) == {"a.1.wav", "b.wav"}
    folder.add([finished(folder, corrected).model_copy(update={"seed": corrected.seed or 1})])
    standing = BatchFolder(tmp_path).begin(job(seed=7), [corrected, b])
    assert (standing.done.keys(), standing.changed, standing.gone) == ({"a", "b"}, [], 0)


def test_an_item_that_names_another_file_is_made_there(tmp_path: Path) -> None:
    folder, (a,) = BatchFolder(tmp_path), items_of("a")
    folder.begin(job(seed=7), [a])
    folder.add([finished(folder, a)])
    renamed = replace(a, file="x.wav")
    assert folder.begin(job(seed=7), [renamed]).changed == ["a"]
    folder.keep_earlier("x.wav")
    folder.add([finished(folder, renamed)])
    assert folder.begin(job(seed=7), [renamed]).done.keys() == {"a"}
    assert files(tmp_path) == {"a.wav", "x.wav"}


def test_what_is_asked_for_no_longer_is_left_and_known_again(tmp_path: Path) -> None:
    folder, (a, b) = BatchFolder(tmp_path), items_of("a", "b")
    folder.begin(job(seed=7), [a, b])
    folder.add([finished(folder, a), finished(folder, b)])
    standing = folder.begin(job(seed=7), [b])
    assert (standing.done.keys(), standing.changed, standing.gone) == ({"b"}, [], 1)
    assert folder.begin(job(seed=7), [a, b]).done.keys() == {"a", "b"}
    other = replace(b, id="c", file="A.wav")  # on some systems the same file
    folder.begin(job(seed=7), [other, b])
    folder.keep_earlier("A.wav")
    folder.add([finished(folder, other)])
    assert folder.begin(job(seed=7), [a, b]).done.keys() == {"b"}, "its file is another's now"


@pytest.mark.parametrize("persons", ["a.2.wav", "a.2.srt", "a.2.vtt", "a.2.json"])
def test_the_name_of_an_earlier_file_is_nobodys(tmp_path: Path, persons: str) -> None:
    folder, (a, second) = BatchFolder(tmp_path), items_of("a", "a.1")
    folder.begin(job(seed=7), [a])
    folder.add([finished(folder, a)])
    (tmp_path / persons).write_bytes(b"a person's own")
    folder.begin(job(seed=7), [replace(a, text="x"), second])
    folder.keep_earlier("a.wav")
    assert files(tmp_path) == {persons, "a.3.wav"}
    assert (tmp_path / "a.3.wav").read_bytes() == b"sound"


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"manifest.jsonl"}


@pytest.mark.parametrize(
    "head", ['{"alrakis_batch": 2, "settings": {}}', "[]", "{}", "x", '{"alrakis_batch": 2}']
)
def test_a_first_line_of_something_else_is_told(tmp_path: Path, head: str) -> None:
    folder = BatchFolder(tmp_path)
    folder.path.write_text(head + "\n")
    with pytest.raises(InputError, match="line 1 is not as alrakis wrote it"):
        folder.begin(job(), [])


@pytest.mark.parametrize("name", ["manifest.jsonl", ".lock", "a.wav", "a.srt"])
def test_nothing_is_written_through_a_link_in_a_folder(tmp_path: Path, name: str) -> None:
    place, elsewhere = tmp_path / "batch", tmp_path / "elsewhere"
    place.mkdir()
    (place / name).symlink_to(elsewhere)
    folder = BatchFolder(place)

    def work() -> None:
        with folder.hold():
            folder.begin(job(), items_of("a"))
            folder.check(["b.wav", "a.wav"])
            folder.save({"a.wav": b"sound", "a.srt": b"text"})

    with pytest.raises((InputError, OutputError), match=f"{name} is a link"):
        work()
    assert not elsewhere.exists()


def test_one_trial_serves_all_files_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "there.wav").write_bytes(b"sound")
    tried: list[str] = []
    sys.addaudithook(lambda event, given: tried.append(str(given[0])) if event == "open" else None)
    BatchFolder(tmp_path).check(["there.wav", *(f"{i}.wav" for i in range(1000))])
    assert len([path for path in tried if path.endswith(".part")]) == 1


@pytest.mark.parametrize(
    "files", [["x" * 300 + ".wav"], ["a.wav", "\xe9" * 150 + ".wav"], ["a.wav", "f.wav"]]
)
def test_a_file_that_cannot_be_written_is_told_beforehand(tmp_path: Path, files: list[str]) -> None:
    (tmp_path / "f.wav").mkdir()
    with pytest.raises(InputError, match=r"cannot write|is a folder"):
        BatchFolder(tmp_path).check(files)
