"""One run: targets started, asked in turn, and everything they answered kept."""

import time
from contextlib import ExitStack
from datetime import datetime, timezone
from typing import Any, Protocol

from alrakis.auto import resolve_config
from alrakis.bench.measure.energy import Meters
from alrakis.bench.measure.machine import environment
from alrakis.bench.record.schema import Accuracy, Environment, Results, Sample, TargetInfo, Workload
from alrakis.bench.session.plan import FRESH, Plan
from alrakis.bench.summaries import summaries
from alrakis.bench.targets.peers import PEERS
from alrakis.bench.targets.process import Process, Target, TargetError
from alrakis.version import __version__

WARM_UP_S = 0.5  # of audio, at most


class Show(Protocol):
    """Who is told how far the run is."""

    def doing(self, what: str) -> None:
        """This begins now."""

    def done(self, target: str, planned: bool, seconds: float, result: str) -> None:
        """It took so long. planned: it was one of the calls that `Plan` counts."""

    def failed(self, target: str, calls: int, why: str) -> None:
        """A target fails, and so many planned calls with it."""


class Session:
    """What was measured so far; `measure` goes on until all is done, or somebody stops it."""

    def __init__(self, plan: Plan, show: Show, command: list[str]) -> None:
        self._plan, self._show, self._command = plan, show, command
        self._started = datetime.now(timezone.utc).isoformat(timespec="seconds")
        self._began_s = time.perf_counter()
        self._environment: Environment | None = None
        self._meters = Meters()
        self._samples: list[Sample] = []
        self._accuracy: list[Accuracy] = []
        self._load_s: dict[str, float] = {}
        self._errors: dict[str, list[str]] = {target.name: [] for target in plan.targets}
        self._processes: dict[str, Process] = {}
        self._dead: set[str] = set()  # targets that could not be loaded, or crashed
        self._warm: set[tuple[str, int]] = set()  # target, batch

    def measure(self) -> None:
        """Everything in the plan: what runs in turn first, then what has processes of its own."""
        self._show.doing("the machine: reading its memory")
        self._environment = environment(self._plan.threads)
        workloads = self._plan.workloads
        in_turn = [one for one in workloads if one.scenario not in (*FRESH, "accuracy")]
        try:
            for target in self._plan.targets:
                if any(target in self._plan.takers(workload) for workload in in_turn):
                    self._load(target)
            for workload in in_turn:
                self._measure_in_turn(workload)
        finally:
            with ExitStack() as stack:
                for process in self._processes.values():
                    stack.callback(process.close, at_once=True)
                self._processes.clear()
        for workload in workloads:
            if workload.scenario == "accuracy":
                self._measure_accuracy(workload)
            elif workload.scenario in FRESH:
                self._measure_fresh(workload)

    def results(self, *, complete: bool) -> Results:
        """What was measured so far."""
        plan = self._plan
        return Results(
            alrakis=__version__,
            started=self._started,
            duration_s=time.perf_counter() - self._began_s,
            complete=complete,
            command=self._command,
            suite=plan.suite,
            repeats=plan.repeats,
            notes=[*self._meters.notes, *plan.notes],
            environment=self._environment or environment(plan.threads),
            workloads=list(plan.workloads),
            targets=[self._target_info(target) for target in plan.targets],
            samples=self._samples,
            accuracy=self._accuracy,
            summaries=summaries(self._samples),
        )

    def _load(self, target: Target) -> None:
        self._show.doing(f"loading {target.name}")
        process = Process(target)
        self._processes[target.name] = process
        try:
            self._load_s[target.name] = process.ask(do="load")["load_s"]
        except TargetError as error:
            calls = sum(self._plan.calls(w) for w in self._plan.workloads if target in self._plan.takers(w))
            self._fail(target, f"loading: {error}", calls, dead=True)

    def _measure_in_turn(self, workload: Workload) -> None:
        """Rounds through all targets: A B C A B C, one at work while the others sleep."""
        takers = self._plan.takers(workload)
        for number in range(self._plan.calls(workload)):
            for target in list(takers):
                if target.name in self._dead:
                    takers.remove(target)
                    continue
                process = self._processes[target.name]
                try:
                    self._warm_up(process, workload)
                    self._show.doing(self._title(workload, target, number))
                    self._keep(workload, target, number, self._timed(process, workload))
                except TargetError as error:
                    takers.remove(target)
                    left = self._plan.calls(workload) - number
                    self._fail(target, f"{workload.name}: {error}", left, dead=not error.alive)

    def _warm_up(self, process: Process, workload: Workload) -> None:
        """A short call that is not counted: before a target's first, and its first with so many rows."""
        name, batch = process.target.name, workload.batch
        if (name, batch) in self._warm:
            return
        self._show.doing(f"{workload.name}: {name}, warming up")
        began = time.perf_counter()
        process.ask(**self._command_of(workload, seconds=min(WARM_UP_S, workload.seconds)))
        self._warm.add((name, batch))
        self._show.done(name, False, time.perf_counter() - began, "")

    def _measure_fresh(self, workload: Workload) -> None:
        """Rounds through all targets, each call in a process of its own, from its start on."""
        takers = [target for target in self._plan.takers(workload) if target.name not in self._dead]
        for number in range(self._plan.calls(workload)):
            for target in list(takers):
                self._show.doing(self._title(workload, target, number))
                try:
                    with Process(target) as process:
                        self._keep(workload, target, number, self._from_start(process, workload))
                except TargetError as error:
                    takers.remove(target)
                    left = self._plan.calls(workload) - number
                    self._fail(target, f"{workload.name}: {error}", left, dead=False)

    def _measure_accuracy(self, workload: Workload) -> None:
        for target in self._plan.takers(workload):
            if target.name in self._dead:
                continue
            self._show.doing(f"accuracy: {target.name} beside fp32")
            began = time.perf_counter()
            other = Target(target.name, target.program, workload.weights, target.threads, target.overrides)
            try:
                with Process(other) as process:
                    rows = process.ask(do="accuracy", seconds=workload.seconds)["rows"]
            except TargetError as error:
                self._fail(target, f"{workload.name}: {error}", 1, dead=False)
                continue
            for row in rows:
                self._accuracy.append(Accuracy(workload=workload.name, target=target.name, **row))
            self._show.done(target.name, True, time.perf_counter() - began, f"accuracy: {target.name}")

    def _timed(self, process: Process, workload: Workload) -> dict[str, Any]:
        began, before = time.perf_counter(), self._meters.read()
        reply = process.ask(**self._command_of(workload))
        spent = self._meters.spent(before, self._meters.read())
        return {**reply, "began_s": began - self._began_s, "ttfa_s": reply["wall_s"], "energy_j": spent}

    def _from_start(self, process: Process, workload: Workload) -> dict[str, Any]:
        before = self._meters.read()
        process.ask(do="load")
        load_s = time.perf_counter() - process.began_s
        reply = process.ask(**self._command_of(workload), fresh=True)
        wall_s = time.perf_counter() - process.began_s
        spent = self._meters.spent(before, self._meters.read())
        return {
            **reply,
            "began_s": process.began_s - self._began_s,
            "load_s": load_s,
            "ttfa_s": wall_s,
            "energy_j": spent,
        }

    def _command_of(self, workload: Workload, seconds: float | None = None) -> dict[str, Any]:
        return {
            "do": "run",
            "texts": [workload.text] * workload.batch,
            "seconds": workload.seconds if seconds is None else seconds,
            "voice": self._plan.voice_file if workload.voice else None,
        }

    def _keep(self, workload: Workload, target: Target, number: int, reply: dict[str, Any]) -> None:
        reply.pop("torch")
        decode = reply["stages"]["coarse_decode"]
        share = None
        if reply["step_bytes"] and decode["seconds"] and self._environment:
            read_bytes = reply["step_bytes"] * decode["steps"]
            share = read_bytes / decode["seconds"] / (self._environment.read_bandwidth or 1)
        rtf = reply["wall_s"] / reply["audio_s"]
        sample = Sample(
            workload=workload.name,
            target=target.name,
            round=number,
            rtf=rtf,
            bandwidth_share=share,
            **{"load_s": None, **reply},
        )
        self._samples.append(sample)
        took_s = sample.ttfa_s
        self._show.done(target.name, True, took_s, f"{workload.name}: {target.name} RTF {rtf:.2f}")

    def _fail(self, target: Target, why: str, calls: int, *, dead: bool) -> None:
        self._errors[target.name].append(why)
        if dead:
            self._dead.add(target.name)
        self._show.failed(target.name, calls, why)

    def _title(self, workload: Workload, target: Target, number: int) -> str:
        return f"{workload.name}: {target.name}, {number + 1} of {self._plan.calls(workload)}"

    def _target_info(self, target: Target) -> TargetInfo:
        if target.is_peer:
            config = dict(PEERS[target.program].config)
        else:
            config = resolve_config(target.program, target.overrides).model_dump(mode="json")
        return TargetInfo(
            name=target.name,
            kind="peer" if target.is_peer else "alrakis",
            threads=target.threads,
            config=config,
            load_s=self._load_s.get(target.name),
            error="; ".join(self._errors[target.name]) or None,
        )
