"""Machines that are not alike are refused by their names, before the first text is said."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alrakis.cluster import probe
from alrakis.cluster.facts import Facts, Need
from alrakis.cluster.nodes import Node
from alrakis.cluster.probe import checked_nodes
from alrakis.config import load_config
from alrakis.errors import BackendError
from tests.cli.programs import Run
from tests.jobs.batches import QUICK, write_items

KNOWN = Facts("1.0", "onnxruntime 1.30.0", (), None, "AVX2")
NEED = Need("demo", load_config("cpu-int8"), False)


def check(monkeypatch: pytest.MonkeyPatch, here: Facts, *found: Facts | str) -> Facts:
    """What `checked_nodes` says of machines that have this."""
    listed = [(Node(str(n), f"m{n}", 1, 0), facts) for n, facts in enumerate(found)]
    monkeypatch.setattr(probe, "facts_here", lambda need: here)
    monkeypatch.setattr(probe, "_found", lambda need, nodes: listed)
    return checked_nodes(NEED, [])


def test_machines_that_are_alike(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    assert check(monkeypatch, KNOWN, KNOWN, KNOWN) == KNOWN
    lazy = replace(KNOWN, runtime=None, missing=("cpu",))
    assert check(monkeypatch, lazy, KNOWN).runtime == KNOWN.runtime
    assert not caplog.records
    check(monkeypatch, KNOWN, KNOWN, replace(KNOWN, processor="NEON"))
    assert "int8 differs between kinds of processors, and here are AVX2, NEON" in caplog.text


def test_all_that_differ_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BackendError) as error:
        check(
            monkeypatch, KNOWN, KNOWN, "alrakis is not installed", replace(KNOWN, runtime="onnxruntime 1.2")
        )
    assert str(error.value).splitlines() == [
        "not all machines would say the same:",
        "  - m1: alrakis is not installed",
        "  - m2: it has onnxruntime 1.2, and onnxruntime 1.30.0 is needed: another may draw other tokens",
    ]


# What a machine's Python runs first: it makes alrakis another version, onnxruntime another, or hides both.
ODD = {
    "it has alrakis 9.9.9, and 0.1.0 is needed": "import alrakis\nalrakis.__version__ = '9.9.9'\n",
    "it has onnxruntime 0.1.0, and onnxruntime": """
import importlib.metadata as m
real = m.version
m.version = lambda name: '0.1.0' if name == 'onnxruntime' else real(name)
""",
    "it lacks pip install 'alrakis[cpu]'": """
import importlib.util as u
real = u.find_spec
u.find_spec = lambda name, *more: None if name == 'onnxruntime' else real(name, *more)
""",
    "alrakis is not installed": "import sys\nsys.modules['alrakis'] = None\n",
}


@pytest.mark.cluster
@pytest.mark.parametrize("told", ODD)
def test_a_machine_with_something_else_is_refused(
    here: Path, run: Run, machines: Callable[..., Any], told: str
) -> None:
    (here / "odd").mkdir()
    (here / "odd" / "sitecustomize.py").write_text(ODD[told])
    cluster = machines(1)
    path = os.pathsep.join([str(here / "odd"), os.environ["PYTHONPATH"]])
    cluster.add(1, node_name="the-odd-one", env_vars={"PYTHONPATH": path})
    write_items(here, {"text": "Hello."})
    ended = run("batch", "t.jsonl", "-o", "out", *QUICK, "--ray", cluster.address)
    assert ended.code == 1
    assert f"the-odd-one: {told}" in ended.err
    assert "Traceback" not in ended.err
    assert len((here / "out" / "manifest.jsonl").read_text().splitlines()) == 1
