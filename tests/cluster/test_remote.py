"""What is sent to other machines by its code, where alrakis is not there or is another."""

import os
import pickle
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from alrakis.cluster import remote
from alrakis.cluster.facts import Facts, Need, facts_here
from alrakis.config import load_config
from alrakis.version import __version__
from tests.cluster.clusters import copy_alrakis

CONFIG = load_config("cpu-fp32")
OURS = remote.alrakis_here()


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
    assert OURS[0] == __version__
    assert remote.unlike(OURS) is None
    found = remote.look(OURS, "demo", CONFIG.model_dump_json(), None)
    assert isinstance(found, dict)
    assert Facts(**found) == facts_here(Need("demo", CONFIG, None))


@pytest.mark.parametrize(
    ("needed", "told"),
    [
        (("9.9", OURS[1]), f"it has alrakis {__version__}, and 9.9 is needed"),
        (
            (__version__, "abc"),
            f"its alrakis {__version__} has other files ({OURS[1]}, not abc): install there what is here",
        ),
    ],
)
def test_another_alrakis_is_told(called_n: None, needed: tuple[str, str], told: str) -> None:
    assert remote.look(needed, "what it would need") == told
    assert remote.RemoteWorker().open(needed, b"not looked at", b"nor this") == ("n", None, [told])


def test_alrakis_is_known_by_its_files_wherever_they_are(tmp_path: Path) -> None:
    """Installed as one folder, it is the checkout's; what decides nothing may be there besides."""
    package = copy_alrakis(tmp_path)

    def found() -> tuple[str, str]:
        code = "from alrakis.cluster import remote; print(remote.__file__, *remote.alrakis_here())"
        told = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": ""},
            capture_output=True,
            text=True,
            check=True,
        )
        file, version, files = told.stdout.split()
        assert Path(file) == package / "cluster" / "remote.py"
        return version, files

    assert found() == OURS
    assert list(package.rglob("*.pyc"))
    (package / "bench").mkdir()
    (package / "bench" / "more.py").write_text("SPEED = 1\n")
    (package / "text" / ".#pace.py").symlink_to("nowhere")  # as an editor leaves it
    assert found() == OURS
    for changed in ("text/pace.py", "configs/cpu-int8.toml", "export/build.py"):
        before = (package / changed).read_bytes()
        (package / changed).write_bytes(before + b"# edited\n")
        assert found()[0] == __version__
        assert found()[1] != OURS[1], changed
        (package / changed).write_bytes(before)
    (package / "text" / "more.py").touch()
    assert found()[1] != OURS[1]


def test_a_worker_is_made_when_it_is_opened(called_n: None) -> None:
    worker = remote.RemoteWorker()
    assert worker.open(OURS, pickle.dumps(Plain), pickle.dumps("open")) == ("n", "facts", [])
    assert worker.do("a job") == "a job"
    assert worker.open(OURS, pickle.dumps(Plain), pickle.dumps("no"))[2] == ["no"]


def test_it_runs_where_alrakis_is_not(tmp_path: Path) -> None:
    cloudpickle = pytest.importorskip("ray.cloudpickle")
    remote.by_its_code()
    (tmp_path / "sent").write_bytes(cloudpickle.dumps((remote.look, remote.RemoteWorker)))
    code = """
import pickle, sys, types
sys.modules["alrakis"] = None
import ray
ray.get_runtime_context = lambda: types.SimpleNamespace(get_node_id=lambda: "n")
look, RemoteWorker = pickle.load(open("sent", "rb"))
assert look(("1", "a"), "x") == "alrakis is not installed"
assert RemoteWorker().open(("1", "a"), b"", b"") == ("n", None, ["alrakis is not installed"])
"""
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
