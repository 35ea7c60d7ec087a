"""One run: starts the targets, has them work in turn, and keeps what they answer."""

import time
from contextlib import ExitStack
from datetime import datetime, timezone
from typing import Any

from alrakis.auto import resolve_config
from alrakis.bench.measure.energy import Meters
from alrakis.bench.measure.machine import environment
from alrakis.bench.measure.noise import Calibration, OtherWork
from alrakis.bench.peers.environments import versions_of
from alrakis.bench.record.schema import Accuracy, Environment, Results, Sample, TargetInfo, Workload
from alrakis.bench.record.statistics import summaries
from alrakis.bench.session.plan import FRESH, LONG_CALL_S, Plan
from alrakis.bench.session.progress import RunProgress
from alrakis.bench.targets.peers import PEERS
from alrakis.bench.targets.process import WARM_UP_S, Process, Target, TargetError
from alrakis.version import __version__


class Session:
    """Measures a plan. `results` can be asked for at any time, also after `measure` was interrupted."""

    def __init__(self, plan: Plan, command: list[str]) -> None:
        self._plan, self._command = plan, command
        self._progress: RunProgress
        self._started = datetime.now(timezone.utc).isoformat(timespec="seconds")
        self._began_s = time.perf_counter()
        self._environment: Environment | None = None
        self._meters = Meters()
        self._calibration = Calibration()
        self._samples: list[Sample] = []
        self._accuracy: list[Accuracy] = []
        self._load_s: dict[str, float] = {}
        self._errors: dict[str, list[str]] = {target.name: [] for target in plan.targets}
        self._processes: dict[str, Process] = {}
        self._spared: list[str] = []  # targets and workloads
        self._dead: set[str] = set()  # targets that could not be loaded, or crashed
        self._warm: set[tuple[str, str, int]] = set()  # what has had a warm-up
        self._gpu_bandwidth: dict[str, float | None] = {}  # of targets that use a GPU

    @property
    def has_measured(self) -> bool:
        return bool(self._samples or self._accuracy)

    def measure(self, progress: RunProgress) -> None:
        """Measure everything in the plan, workloads with running processes first."""
        self._progress = progress
        progress.started("the machine: reading its memory")
        self._environment = environment(self._plan.threads)
        workloads = self._plan.workloads
        in_turn = [workload for workload in workloads if workload.scenario not in (*FRESH, "accuracy")]
        try:
            for target in self._plan.targets:
                if any(target in self._plan.targets_of(workload) for workload in in_turn):
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
            notes=[*self._meters.notes, *plan.notes, *self._notes()],
            environment=self._environment or environment(plan.threads),
            workloads=list(plan.workloads),
            targets=[self._target_info(target) for target in plan.targets],
            samples=self._samples,
            accuracy=self._accuracy,
            summaries=summaries(self._samples),
        )

    def _notes(self) -> list[str]:
        if not self._spared:
            return []
        return [f"not repeated, since one call took over {LONG_CALL_S:g} s: {', '.join(self._spared)}"]

    def _load(self, target: Target) -> None:
        self._progress.started(f"loading {target.name}")
        process = Process(target, self._plan.call_limit_s)
        self._processes[target.name] = process
        try:
            reply = process.ask(do="load")
            self._load_s[target.name] = reply["load_s"]
            self._gpu_bandwidth[target.name] = reply["gpu_bandwidth"]
        except TargetError as error:
            self._fail(target, f"loading: {error}", self._plan.calls_of(target), dead=True)

    def _measure_in_turn(self, workload: Workload) -> None:
        """Rounds of one call of each target (A B C A B C); while one works, the others sleep."""
        targets = self._plan.targets_of(workload)
        for number in range(self._plan.calls(workload)):
            for target in list(targets):
                if target.name in self._dead:
                    targets.remove(target)
                    continue
                process = self._processes[target.name]
                try:
                    self._warm_up(process, workload)
                    self._progress.started(self._title(workload, target, number))
                    sample = self._keep(workload, target, number, self._timed(process, workload))
                    if self._plan.is_enough(sample.wall_s) and number + 1 < self._plan.calls(workload):
                        targets.remove(target)
                        self._spare(target, workload, number)
                except TargetError as error:
                    targets.remove(target)
                    self._fail_workload(target, workload, number, error, dead=not error.alive)

    def _warm_up(self, process: Process, workload: Workload) -> None:
        """A short call that is not counted, before the first call of a target with this batch size.

        On a GPU it is as long as the workload: libraries there prepare for each shape that they meet.
        """
        on_gpu = self._gpu_bandwidth.get(process.target.name) is not None
        key = process.target.name, workload.name if on_gpu else "", workload.batch
        if key not in self._warm:
            self._progress.started(f"{workload.name}: {process.target.name}, warming up")
            seconds = workload.seconds if on_gpu else min(WARM_UP_S, workload.seconds)
            process.ask(**self._call(workload, seconds))
            self._warm.add(key)

    def _measure_fresh(self, workload: Workload) -> None:
        """Rounds of one call of each target, each call in a process of its own."""
        targets = [target for target in self._plan.targets_of(workload) if target.name not in self._dead]
        for number in range(self._plan.calls(workload)):
            for target in list(targets):
                self._progress.started(self._title(workload, target, number))
                try:
                    with Process(target, self._plan.call_limit_s) as process:
                        self._keep(workload, target, number, self._timed_from_start(process, workload))
                except TargetError as error:
                    targets.remove(target)
                    self._fail_workload(target, workload, number, error, dead=False)

    def _measure_accuracy(self, workload: Workload) -> None:
        for target in self._plan.targets_of(workload):
            if target.name in self._dead:
                continue
            self._progress.started(f"accuracy: {target.name} beside fp32")
            began = time.perf_counter()
            other = Target(target.name, target.program, workload.weights, target.threads, target.overrides)
            try:
                with Process(other, self._plan.call_limit_s) as process:
                    reply = process.ask(do="accuracy", seconds=workload.seconds, voice=workload.voice)
            except TargetError as error:
                self._fail_workload(target, workload, 0, error, dead=False)
                continue
            self._accuracy += [
                Accuracy(workload=workload.name, target=target.name, **part) for part in reply["parts"]
            ]
            self._progress.called(target.name, time.perf_counter() - began, f"accuracy: {target.name}")

    def _timed(self, process: Process, workload: Workload) -> dict[str, Any]:
        """A call of a loaded process: the fields of its sample."""
        calibration_s = self._calibration.take()
        began, others, before = time.perf_counter(), OtherWork(process.pid), self._meters.read()
        reply = process.ask(**self._call(workload, workload.seconds))
        return {
            **reply,
            "began_s": began - self._began_s,
            "ttfa_s": reply["wall_s"],
            "energy_j": self._meters.spent(before, self._meters.read()),
            "other_cpus": others.taken(),
            "calibration_s": (calibration_s, self._calibration.take()),
        }

    def _timed_from_start(self, process: Process, workload: Workload) -> dict[str, Any]:
        """Loading and the first call of a process that was just started: the fields of its sample."""
        calibration_s, others, before = self._calibration.take(), OtherWork(process.pid), self._meters.read()
        self._gpu_bandwidth[process.target.name] = process.ask(do="load")["gpu_bandwidth"]
        load_s = time.perf_counter() - process.began_s
        reply = process.ask(**self._call(workload, workload.seconds), fresh=True)
        wall_s = time.perf_counter() - process.began_s
        spent = self._meters.spent(before, self._meters.read())
        return {
            **reply,
            "began_s": process.began_s - self._began_s,
            "load_s": load_s,
            "ttfa_s": wall_s,
            "energy_j": spent,
            "other_cpus": others.taken(),
            "calibration_s": (calibration_s, self._calibration.take()),
        }

    def _call(self, workload: Workload, seconds: float) -> dict[str, Any]:
        """The command that has a process generate this many seconds of audio."""
        voice = self._plan.voice_file if workload.voice else None
        return {"do": "run", "texts": [workload.text] * workload.batch, "seconds": seconds, "voice": voice}

    def _keep(self, workload: Workload, target: Target, number: int, fields: dict[str, Any]) -> Sample:
        fields.pop("torch")
        decode = fields["stages"]["coarse_decode"]
        share = None
        if fields["step_bytes"] and decode["seconds"] and self._environment:
            read_bytes = fields["step_bytes"] * decode["steps"]
            bandwidth = self._gpu_bandwidth.get(target.name) or self._environment.read_bandwidth or 1
            share = read_bytes / decode["seconds"] / bandwidth
        rtf = fields["wall_s"] / fields["audio_s"]
        sample = Sample(
            workload=workload.name,
            target=target.name,
            round=number,
            rtf=rtf,
            bandwidth_share=share,
            **{"load_s": None, **fields},
        )
        self._samples.append(sample)
        self._progress.called(target.name, sample.ttfa_s, f"{workload.name}: {target.name} RTF {rtf:.2f}")
        return sample

    def _spare(self, target: Target, workload: Workload, number: int) -> None:
        """Leave out the rest of a target's calls in a workload: one takes too long to be repeated."""
        self._spared.append(f"{target.name} in {workload.name}")
        self._progress.spared(target.name, self._plan.calls(workload) - number - 1)

    def _fail_workload(
        self, target: Target, workload: Workload, number: int, error: TargetError, *, dead: bool
    ) -> None:
        """A target fails in its call of this number; the rest of its calls in the workload are not made."""
        self._fail(target, f"{workload.name}: {error}", self._plan.calls(workload) - number, dead=dead)

    def _fail(self, target: Target, reason: str, calls: int, *, dead: bool) -> None:
        self._errors[target.name].append(reason)
        if dead:
            self._dead.add(target.name)
        self._progress.failed(target.name, calls, reason)

    def _title(self, workload: Workload, target: Target, number: int) -> str:
        return f"{workload.name}: {target.name}, {number + 1} of {self._plan.calls(workload)}"

    def _target_info(self, target: Target) -> TargetInfo:
        if target.is_peer:
            config = {**PEERS[target.program].config, **versions_of(target.program)}
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
