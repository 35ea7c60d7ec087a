"""What is sent to other machines by its code, where alrakis is not there or is another."""

import pickle
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from alrakis.cluster import abroad
from alrakis.cluster.facts import Facts, Need, facts_here
from alrakis.config import load_config
from alrakis.version import __version__

CONFIG = load_config("cpu-fp32")


@pytest.fixture
def called_n(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no Ray, and this machine is called n."""
    ray = SimpleNamespace(get_runtime_context=lambda: SimpleNamespace(get_node_id=lambda: "n"))
    monkeypatch.setitem(sys.modules, "ray", ray)


class Plain:
    """A worker that opens when it is told to, and gives jobs back."""

    def open(self, recipe: str) -> tuple[str, list[str]]:
        return "facts", [] if recipe == "open" else [recipe]

    def do(self, job: Any) -> Any:
        return job


def test_this_machine_is_ours() -> None:
    assert abroad.unlike(__version__) is None
    found = abroad.look(__version__, "demo", CONFIG.model_dump_json(), None)
    assert isinstance(found, dict)
    assert Facts(**found) == facts_here(Need("demo", CONFIG, None))


def test_another_version_is_told(called_n: None) -> None:
    told = f"it has alrakis {__version__}, and 9.9 is needed"
    assert abroad.look("9.9", "what it would need") == told
    assert abroad.Seat().open("9.9", b"not looked at", b"nor this") == ("n", None, [told])


def test_a_seat_becomes_a_worker(called_n: None) -> None:
    seat = abroad.Seat()
    assert seat.open(__version__, pickle.dumps(Plain), pickle.dumps("open")) == ("n", "facts", [])
    assert seat.do("a job") == "a job"
    assert seat.open(__version__, pickle.dumps(Plain), pickle.dumps("no"))[2] == ["no"]


def test_it_runs_where_alrakis_is_not(tmp_path: Path) -> None:
    cloudpickle = pytest.importorskip("ray.cloudpickle")
    abroad.by_its_code()
    (tmp_path / "sent").write_bytes(cloudpickle.dumps((abroad.look, abroad.Seat)))
    code = """
import pickle, sys, types
sys.modules["alrakis"] = None
import ray
ray.get_runtime_context = lambda: types.SimpleNamespace(get_node_id=lambda: "n")
look, Seat = pickle.load(open("sent", "rb"))
assert look("1", "x") == "alrakis is not installed"
assert Seat().open("1", b"", b"") == ("n", None, ["alrakis is not installed"])
"""
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
