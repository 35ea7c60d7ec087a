"""`alrakis-bench tune`: the file it writes, its options, and what it refuses."""

import argparse
import re
import subprocess
import sys
from pathlib import Path

import pytest

from alrakis.auto import choose_config, resolve_config
from alrakis.bench.commands.tune import _finish
from alrakis.bench.tune.candidates import Candidate
from alrakis.bench.tune.search import Outcome, Search
from alrakis.config import Config, load_config
from alrakis.evidence.tuned import tuned_here, tuned_path
from tests.bench.pages import Page
from tests.bench.programs import Bench, started

TINY = ["tune", "--weights", "synthetic-tiny", "--seconds", "0.4", "--config", "cpu-fp32", "-o", "mine.toml"]


def test_the_program_writes_a_config_that_alrakis_takes(tmp_path: Path, bench: Bench) -> None:
    ended = bench(*TINY, "--exact", "--budget", "1h")
    assert ended.code == 0, ended.err
    assert "the best" in ended.out
    config = load_config(tmp_path / "mine.toml")
    assert config.exact
    assert config.precision == "fp32"
    say = ["say", "Hello", "--weights", "synthetic-tiny", "--max-duration", "0.3", "-o", "hello.wav", "-q"]
    program = [
        sys.executable,
        "-c",
        "from alrakis.cli import main; main()",
        *say,
        "--config",
        "mine.toml",
    ]
    done = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "hello.wav").stat().st_size > 44


@pytest.mark.usefixtures("cache")
def test_quick_is_what_auto_goes_by_until_it_is_forgotten(tmp_path: Path, bench: Bench) -> None:
    options = [word for word in TINY if word not in ("-o", "mine.toml")]
    ended = bench(*options, "--quick", "--budget", "1h", "--report", "search.html", "--for", "memory")
    assert ended.code == 0, ended.err
    assert not list(tmp_path.glob("*.toml"))
    page = (tmp_path / "search.html").read_text("utf-8")
    assert Page(page).tables
    assert page.count("<svg") == 2
    found = tuned_here()
    assert found
    assert (found.preset, found.goal) == ("cpu-fp32", "memory")
    assert resolve_config("auto", {}).residency == found.changes.get("residency", "all")
    assert found.words in choose_config()[1]
    assert ended.err.rstrip().endswith("it trades nothing: Bark's own mathematics")
    forgotten = bench("tune", "--forget")
    assert forgotten.code == 0
    assert str(tuned_path()) in forgotten.err
    assert tuned_here() is None


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize(("names", "looks", "kept"), [(2, 2, False), (2, 20, True), (1, 2, True)])
def test_auto_goes_by_no_config_that_was_compared_with_nothing(
    names: int, looks: int, kept: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """A busy machine may measure one config in a minute: that says nothing of the others."""
    left = iter([9.0] * looks)  # so often there is time
    candidates = [Candidate(name) for name in ("cpu-int8", "cpu-fp32")[:names]]
    search = Search(candidates, lambda *_: Outcome(60.0, 10**8), 2.0, None, lambda: next(left, 0.0))
    search.run()
    assert search.best
    given = argparse.Namespace(quick=True, goal="latency", seconds=2.0, report=None, output=None)
    with caplog.at_level("WARNING", "alrakis"):
        _finish(search, search.best, given)
    assert (tuned_here() is not None) is kept
    assert ("only one config was measured" in caplog.text) is not kept


def test_a_place_that_auto_cannot_read_from_is_told_before_the_search(
    tmp_path: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ALRAKIS_CACHE", str(tmp_path / "file" / "cache"))
    ended = bench("tune", "--quick")
    assert ended.code == 1
    assert re.fullmatch(
        r"alrakis: error: cannot write \S+\.json: Not a directory; ALRAKIS_CACHE names another place\n",
        ended.err,
    )


def test_a_voice_is_said_with(tmp_path: Path, bench: Bench) -> None:
    ended = bench(*TINY, "--exact", "--voice", "v2/nobody")
    assert ended.code == 2
    assert "v2/nobody" in ended.err


@pytest.mark.parametrize("measured", [True, False])
def test_ctrl_c_leaves_the_best_so_far_or_nothing(measured: bool, tmp_path: Path) -> None:
    words, times = ("RTF", 2) if measured else ("tries", 1)  # the second is told after the first is kept
    with started(tmp_path, *TINY, stands=(words, times)) as program:
        for _ in range(times):
            program.wait_for(words)
        program.ctrl_c()
        ended = program.end()
    assert ended.code == 130, ended.err
    assert "Traceback" not in ended.err
    file = tmp_path / "mine.toml"
    assert file.exists() == measured
    if measured:
        assert isinstance(load_config(file), Config)
        assert "the best" in ended.out


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (["--budget", "soon"], 2, "--budget takes a time"),
        (["--memory-limit", "much"], 2, "--memory-limit takes a size"),
        (["--seconds", "0"], 2, "--seconds is above 0"),
        (["--any"], 2, "--any is of --quick"),
        (["--report", ""], 1, "is a folder"),
        (["--config", "cpu-int9"], 2, "did you mean 'cpu-int"),
        (["--config", "cpu-int8", "--exact"], 1, "no exact config to try"),
        (["--weights", "bark-tiny"], 2, "bark-tiny"),
        (["-o", "missing/mine.toml"], 1, "no folder"),
        (["--weights", "synthetic-tiny", "--budget", "0.01s"], 1, "budget (0.01s) was over"),
    ],
)
def test_what_cannot_be(arguments: list[str], code: int, why: str, bench: Bench, tmp_path: Path) -> None:
    ended = bench("tune", *arguments)
    assert ended.code == code, ended.err
    assert why in ended.err
    assert "Traceback" not in ended.err
    assert not list(tmp_path.glob("**/*.toml"))
