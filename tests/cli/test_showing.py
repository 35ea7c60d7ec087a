"""Whatever comes from a file, a name or an argument reaches a terminal printable: every place is tried."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alrakis.bench.cli import main as bench_main
from alrakis.cli.showing import show, show_json
from alrakis.errors import OutputError
from alrakis.export.store import Store, artifact_cache
from alrakis.jobs.reading_manifest import ChunkState, Manifest, TakeState
from alrakis.progress import tell
from tests.bench.results import AROUND_1, environment, results, saved
from tests.cli.programs import TINY, Ended, Run
from tests.cli.programs import environment as surroundings
from tests.jobs.books import job

# a title, a clearing of the screen in C0 and in C1, directions turned, and lines that look like ours
HOSTILE = "a\x1b]0;b\x07\x1b[2J\x9b2J\x7f\x85\u202ec\u2066d\r\nalrakis: wrote x.wav\u2028e"
NAME = HOSTILE.replace("/", "")


def check(shown: str) -> None:
    """All is printable, and no line of a message but the first looks like one of ours."""
    for line in shown.splitlines():
        assert line.isprintable(), ascii(line)
        assert line != "alrakis: wrote x.wav"
    assert any(escape in shown for escape in ("\\x1b", "\\x9b", "\\u202e"))


def read_list(run: Run) -> Ended:
    Path("work").mkdir()
    said = {"text": HOSTILE, "speaker": HOSTILE}
    take = TakeState(**said, seed=1, voice=HOSTILE, state="silent")
    chunk = ChunkState(chunk=1, **said, pause="end", take=1, takes=[take])
    Manifest(settings=job(), chunks=[chunk]).save(Path("work"))
    return run("read", "x", "--list", "--work", "work")


def a_folder_of_work(run: Run) -> Ended:
    Path("x.txt").write_text("Hello.")
    Path(NAME).mkdir()
    (Path(NAME) / "photo").touch()
    return run("read", "x.txt", "-o", "x.wav", "--work", NAME, *TINY)


def rows(run: Run) -> Ended:
    ids = [HOSTILE.translate({10: None, 13: None, 27: None, 7: None, 47: None, 58: None}), "x"]
    lines = [{"text": HOSTILE, "id": ids[0]}, {"text": HOSTILE, "id": ids[0]}, {"text": "", "voice": HOSTILE}]
    Path("t.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return run("batch", "t.jsonl", "-o", "out", *TINY)


def fields(run: Run) -> Ended:
    Path("t.jsonl").write_text(json.dumps({"text": "a", HOSTILE: 1}))
    return run("batch", "t.jsonl", "-o", "out")


def columns(run: Run) -> Ended:
    Path("t.csv").write_text(f'"{HOSTILE}"\nb')
    return run("batch", "t.csv", "-o", "out")


def artifacts(run: Run) -> Ended:
    facts = {"part": HOSTILE, "precision": HOSTILE, "identity": HOSTILE, "exporter": 1}

    def build(folder: Path) -> dict[str, Any]:
        (folder / "x").touch()
        return {"weights": HOSTILE}

    store = Store(artifact_cache())
    store.root.mkdir(parents=True, exist_ok=True)
    made = store.make({**facts, "part": "text", "precision": "int8"}, build, 0)
    path = made.folder / "manifest.json"
    told = json.loads(path.read_text())
    path.write_text(json.dumps({**told, "facts": facts, "notes": {"weights": HOSTILE}}))
    return run("info")


def config(run: Run) -> Ended:
    Path("c.toml").write_text(
        f"{json.dumps(HOSTILE)} = 1\nbackend = {json.dumps(HOSTILE)}".replace("\x7f", "")
    )
    return run("say", "Hi", "--config", "c.toml")


def transformers(run: Run) -> Ended:
    Path("config.json").write_text(json.dumps({"model_type": "bark"}))
    shards = {f"{part}.x": NAME for part in ("semantic", "coarse_acoustics", "fine_acoustics")}
    Path("model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    Path("vocab.txt").write_text("[UNK]")
    return run("say", "Hi", "--weights", ".", "--config", "torch-fp32")


def compare(run: Run) -> Ended:
    Path(NAME).mkdir()
    names = [
        saved(
            Path(NAME),
            f"{NAME[:20]}{i}",
            results({HOSTILE: AROUND_1, "b": AROUND_1}, environment=environment(HOSTILE + str(i))),
        )
        for i in range(2)
    ]
    ended = run("compare", *names, program=bench_main)
    alone = run("compare", names[0], program=bench_main)
    return Ended(0, ended.out + alone.out, ended.err + alone.err)


def foreign_results(run: Run) -> Ended:
    Path("r.json").write_text(json.dumps({"format": "alrakis-bench", "schema_version": HOSTILE}))
    return run("compare", "r.json", program=bench_main)


ARGUMENTS: dict[str, list[str]] = {
    "an argument": ["say", "Hi", f"--{HOSTILE}".replace(" ", "")],
    "an output": ["say", "Hi", "-o", f"{NAME}/x.wav"],
    "an extension": ["say", "Hi", "-o", f"x.{NAME}"],
    "a voice": ["say", "Hi", *TINY, "--voice", HOSTILE],
    "a voice file": ["say", "Hi", *TINY, "--voice", f"{HOSTILE}.npz"],
    "weights": ["say", "Hi", "--weights", HOSTILE],
    "a folder of weights": ["say", "Hi", "--weights", f"./{NAME}"],
    "a config": ["say", "Hi", "--config", HOSTILE],
    "a key": ["say", "Hi", "--set", f"{HOSTILE}=1"],
    "a value": ["say", "Hi", "--set", f"backend={HOSTILE}"],
    "a text": ["say", "-f", NAME],
    "a number": ["say", "Hi", "--max-duration", HOSTILE],
    "a language": ["voices", "--lang", HOSTILE],
    "a place to export to": ["export", "--clean", "-o", NAME],
    "a place without artifacts": [
        "say",
        "Hi",
        "--weights",
        "demo",
        "--config",
        "cpu-int8",
        "--set",
        f"artifacts={NAME}",
    ],
}


@pytest.mark.parametrize("arguments", ARGUMENTS.values(), ids=ARGUMENTS)
def test_arguments(run: Run, arguments: list[str]) -> None:
    ended = run(*arguments)
    assert ended.code in (1, 2)
    check(ended.out + ended.err)


TRIED = (
    read_list,
    a_folder_of_work,
    rows,
    fields,
    columns,
    artifacts,
    config,
    transformers,
    compare,
    foreign_results,
)


@pytest.mark.parametrize("attempt", TRIED, ids=lambda attempt: attempt.__name__)
def test_what_files_say(run: Run, cache: Path, attempt: Callable[[Run], Ended]) -> None:
    ended = attempt(run)
    check(ended.out + ended.err)


def test_the_environment_in_info(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALRAKIS_CACHE", f"/{NAME}")
    check(run("info").out)
    assert json.loads(run("info", "--json").out)["environment"]["ALRAKIS_CACHE"] == f"/{NAME}"
    assert all(line.isprintable() for line in run("info", "--json").out.splitlines())


def test_what_is_told_without_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    tell(HOSTILE)
    show(HOSTILE, HOSTILE)
    show_json({HOSTILE: HOSTILE})
    out, err = capsys.readouterr()
    check(out.partition("{")[0] + err)
    assert json.loads(out[out.index("{") :]) == {HOSTILE: HOSTILE}
    assert "\x7f" not in out


def test_a_report_of_hostile_results(tmp_path: Path) -> None:
    from alrakis.bench.record.report import write_report
    from alrakis.bench.record.runs import load_runs

    file = saved(tmp_path, "x", results({HOSTILE: AROUND_1, "b": AROUND_1}, environment=environment(HOSTILE)))
    page = write_report(load_runs([file]))
    page = page.replace("\N{NO-BREAK SPACE}", " ")  # between figures and their units
    assert all(line.isprintable() for line in page.splitlines())


@pytest.mark.parametrize("command", [["voices"], ["voices", "--json"], ["info"]])
def test_a_closed_standard_output_is_an_error(command: list[str]) -> None:
    words = " ".join(f"'{word}'" for word in [sys.executable, "-m", "alrakis", *command])
    done = subprocess.run(["sh", "-c", f"{words} >&-"], capture_output=True, text=True, env=surroundings())
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "alrakis: error: standard output is closed: there is nothing to print on\n"


def test_a_closed_standard_output_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    for print_one in (show, show_json):
        with pytest.raises(OutputError, match="standard output is closed"):
            print_one("x")


def test_letters_that_an_output_cannot_encode_are_escaped() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from alrakis.cli.showing import show; show('naïve ♪')"],
        capture_output=True,
        env=surroundings(PYTHONIOENCODING="ascii"),
    )
    assert done.stdout == b"na\\xefve \\u266a\n"
