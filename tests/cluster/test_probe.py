"""Machines that are not alike are refused by their names, before the first text is said."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alrakis.cluster import probe
from alrakis.cluster.facts import Facts, Need
from alrakis.cluster.nodes import Node, Size
from alrakis.cluster.probe import Likeness, checked_nodes
from alrakis.config import load_config
from alrakis.errors import BackendError
from tests.cli.programs import Run
from tests.cluster.clusters import copy_alrakis, pool_at, until
from tests.cluster.odd import Echo
from tests.jobs.batches import QUICK, write_items

KNOWN = Facts("onnxruntime 1.30.0", (), None, "AVX2")
NEED = Need("demo", load_config("cpu-int8"), None)


def check(monkeypatch: pytest.MonkeyPatch, here: Facts, *found: Facts | str) -> Facts:
    """What `checked_nodes` says of machines that have this."""
    listed = [(Node(str(n), f"m{n}", 1, 0), facts) for n, facts in enumerate(found)]
    monkeypatch.setattr(probe, "facts_here", lambda need: here)
    monkeypatch.setattr(probe, "_found", lambda need, nodes: listed)
    return checked_nodes(NEED, []).known


def test_machines_that_are_alike(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    assert check(monkeypatch, KNOWN, KNOWN, KNOWN) == KNOWN
    lazy = replace(KNOWN, runtime=None, missing=("cpu",))
    assert check(monkeypatch, lazy, KNOWN).runtime == KNOWN.runtime
    assert not caplog.records
    check(monkeypatch, KNOWN, KNOWN, replace(KNOWN, processor="NEON"))
    assert "int8 differs between kinds of processors, and here are AVX2, NEON" in caplog.text


def test_machines_that_join_are_compared_with_those_before(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Also where the machine that plans cannot speak."""
    monkeypatch.setattr(probe, "facts_here", lambda need: replace(KNOWN, runtime=None))
    likeness = Likeness(NEED)
    assert likeness.problems(KNOWN) == []
    (told,) = likeness.problems(replace(KNOWN, runtime="onnxruntime 1.2"))
    assert told.startswith("it has onnxruntime 1.2, and onnxruntime 1.30.0 is needed")
    for kind, count in (("AVX2", 0), ("NEON", 1), ("AVX2", 1), ("AVX512", 2)):
        likeness.problems(replace(KNOWN, processor=kind))
        likeness.tell_kinds()
        assert len(caplog.records) == count, kind
    assert "here are AVX2, AVX512, NEON" in caplog.records[-1].getMessage()


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
# The last has nothing to run: its alrakis is a copy that was edited.
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
    "its alrakis 0.1.0 has other files (": "",
}


def add_odd(cluster: Any, here: Path, number: int, code: str) -> Any:
    """A machine whose Python runs some code first."""
    folder = here / f"odd{number}"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(code)
    if not code:
        edited = copy_alrakis(folder) / "text" / "pace.py"
        edited.write_text(edited.read_text("utf-8") + "# edited\n", "utf-8")
    path = os.pathsep.join([str(folder), os.environ["PYTHONPATH"]])
    return cluster.add(1, node_name=f"odd-{number}", env_vars={"PYTHONPATH": path})


@pytest.mark.cluster
def test_machines_with_something_else_are_refused_at_the_start_and_left_out_when_they_join(
    here: Path, run: Run, machines: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    cluster = machines(1)
    write_items(here, {"text": "Hello."})
    with pool_at(cluster.address, Size(1, None, 1)) as pool:
        until(lambda: len(pool.nodes) == 1)
        odd = [add_odd(cluster, here, number, code) for number, code in enumerate(ODD.values())]
        until(lambda: sum(hired.refused for hired in pool._hired) == len(ODD))
        for number, told in enumerate(ODD):
            (line,) = [r.getMessage() for r in caplog.records if f"odd-{number} " in r.getMessage()]
            assert line.startswith(f"odd-{number} cannot work: {told}")
            assert line.endswith(", and is left out")
        assert pool.submit(Echo("x")).result()[0] == "x"

        ended = run("batch", "t.jsonl", "-o", "out", *QUICK, "--ray", cluster.address)
        assert ended.code == 1
        for number, told in enumerate(ODD):
            assert f"odd-{number}: {told}" in ended.err
        assert "Traceback" not in ended.err
        assert len((here / "out" / "manifest.jsonl").read_text().splitlines()) == 1

        for machine in odd:
            cluster.remove(machine)
        cluster.add(1, node_name="like the others")
        until(lambda: "like the others" in pool.nodes)
