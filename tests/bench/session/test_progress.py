"""The progress of a run."""

import io

from rich.console import Console
from rich.progress import Progress

from alrakis.bench.session.plan import Plan, make_workloads
from alrakis.bench.session.progress import RunProgress
from alrakis.bench.targets.process import Target


def test_calls_are_counted_and_the_time_left_is_estimated() -> None:
    out = io.StringIO()
    targets = tuple(Target(name, name, "synthetic-tiny") for name in ("cpu-fp32", "cpu-int8"))
    workloads = make_workloads(("latency",), "synthetic-tiny", 2.0, None, ())
    bar = Progress(console=Console(file=out, width=100), disable=True)
    progress = RunProgress(Plan("quick", targets, workloads, 3, 3, 1, None), bar)
    (task,) = bar.tasks
    assert task.total == 6
    progress.started("latency:\x1b cpu-fp32")
    assert task.description == "latency:\\x1b cpu-fp32"
    progress.called("cpu-fp32", 10.0, "latency: cpu-fp32 RTF 5.00")
    assert (task.completed, task.fields["left"]) == (1, "about 50 s left")  # cpu-int8 is taken to be as fast
    progress.called("cpu-int8", 2.0, "latency: cpu-int8 RTF 1.00")
    assert task.fields["left"] == "about 24 s left"
    progress.failed("cpu-int8", 2, "it crashed")
    assert task.total == 4
    progress.spared("cpu-fp32", 1)
    assert task.total == 3
    assert out.getvalue().splitlines() == [
        "latency: cpu-fp32 RTF 5.00",
        "latency: cpu-int8 RTF 1.00",
        "cpu-int8 failed: it crashed",
    ]
