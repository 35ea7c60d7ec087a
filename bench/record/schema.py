"""The JSON file of `alrakis-bench run`: its models, and functions to write and read it.

`result.schema.json` holds the same format as JSON Schema; it is printed by
`python -m alrakis.bench.record.schema` and contains the docstrings of the models. Names of seconds end in
`_s`, of bytes in `_bytes`, of joules in `_j`. Values that a machine does not report are null.
"""

import json
import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from alrakis.bench.record.names import Scenario, StageName
from alrakis.errors import InputError
from alrakis.files.parsing import LimitError, first_problem, read_json, reason
from alrakis.files.writing import replace_file
from alrakis.places.given import given_path

Format = Literal["alrakis-bench"]
Version = Literal[1]
FORMAT: Format = "alrakis-bench"
SCHEMA_VERSION: Version = 1
_MOST_BYTES = 16 << 20  # a full run has 0.2 MB

Amount = Annotated[float, Field(ge=0, le=1e15, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GPUInfo(_Model):
    name: str
    memory_bytes: Count | None
    driver: str


class Environment(_Model):
    """The machine, and what was installed on it."""

    platform: str
    python: str
    cpu: str
    cpu_features: list[str] = Field(description="instruction sets that matter here")
    logical_cores: Count
    physical_cores: Count
    usable_cores: Count = Field(description="physical cores that this process may use")
    affinity: list[int] | None = Field(description="logical cores that this process may use")
    memory_bytes: Count
    memory_available_bytes: Count | None
    gpus: list[GPUInfo]
    versions: dict[str, str | None] = Field(description="by package; null: not installed")
    git_revision: str | None = Field(description="of a checkout; ends in -dirty where it was changed")
    load_average: Amount | None = Field(description="of the last minute before the start")
    read_bandwidth: Amount | None = Field(description="bytes a second that all threads read together")
    threads: Count = Field(description="threads that read for the bandwidth, and that targets were given")
    variables: dict[str, str] = Field(description="environment variables that change speed")

    @property
    def machine(self) -> str:
        """A description of the machine; two results are from the same machine if theirs are equal."""
        gpus = "".join(f"; {gpu.name}" for gpu in self.gpus)
        gib = self.memory_bytes / 2**30
        # one name may stand for several processors, as "AMD EPYC" does on machines that are rented
        sets = f" ({', '.join(self.cpu_features)})" if self.cpu_features else ""
        return f"{self.cpu}{sets}; {self.usable_cores} of {self.physical_cores} cores; {gib:.0f} GiB{gpus}"


class Workload(_Model):
    """What was asked of every target. Two runs are of the same workload when all but `name` is equal."""

    name: str = Field(description="unique in the file; samples refer to it")
    scenario: Scenario
    weights: str
    text: str
    seconds: Amount = Field(description="of audio; the length is forced")
    voice: str | None
    batch: Annotated[int, Field(ge=1)]

    @property
    def identity(self) -> tuple[object, ...]:
        """All fields except the name, `batch` last; equal for equal work."""
        return tuple(self.model_dump(exclude={"name"}).values())


class TargetInfo(_Model):
    """A program with its config. One that failed has an error, and whatever was measured before it."""

    name: str = Field(description="unique in the file; samples refer to it")
    kind: Literal["alrakis", "peer"]
    threads: Count | None
    config: dict[str, Any] | None = Field(description="resolved; null where the target never started")
    load_s: Amount | None = Field(description="from `load` to ready, process start and imports left out")
    error: str | None = Field(description="why it has no samples, or no more of them")


class Work(_Model):
    """One stage of one sample."""

    seconds: Amount
    steps: Count = Field(description="prefills, decode steps, fine passes or codec decodes")


class _Measured(_Model):
    """Something measured of one target in one workload."""

    workload: str
    target: str


class Sample(_Measured):
    """One measured call."""

    round: Count = Field(description="samples of one round were taken in turn")
    began_s: Amount = Field(description="since the run began")
    wall_s: Amount
    audio_s: Amount = Field(description="of all rows of the batch")
    rtf: Amount
    ttfa_s: Amount = Field(description="call entry (cold-start: process start) to the first samples")
    stages: dict[StageName, Work] = Field(description="loading and the rest of wall_s are in none")
    load_s: Amount | None = Field(description="cold-start: process start to ready")
    peak_rss_bytes: Count | None
    peak_gpu_bytes: Count | None
    step_bytes: Count | None = Field(description="that a coarse decode step must read, on average")
    bandwidth_share: Amount | None = Field(description="of read_bandwidth, reached in coarse decode steps")
    energy_j: dict[str, Amount] = Field(description="by meter; empty where none can be read")
    calibration_s: tuple[Amount, Amount] | None = Field(
        None, description="seconds that one and the same product took just before and just after"
    )
    other_cpus: Amount | None = Field(None, description="processors that other work kept busy meanwhile")


class Accuracy(_Measured):
    """A target against fp32 on the same tokens. top1 and kl are over `positions` draws."""

    part: Literal["text", "coarse", "fine", "audio"]
    positions: Count
    top1: Share | None = Field(description="share in which the likeliest token is fp32's")
    kl_mean: Amount | None = Field(description="nats")
    kl_max: Amount | None
    log_mel_distance_db: Amount | None = Field(description="audio: root of the mean square over all bands")


class Summary(_Measured):
    """One figure of one target in one workload, over its samples. interval: 95%, bootstrapped."""

    metric: str
    samples: Count
    median: Amount
    q1: Amount
    q3: Amount
    interval: tuple[Amount, Amount] | None = Field(description="of the median; null for a single sample")


class Results(_Model):
    """A whole run."""

    format: Format = FORMAT
    schema_version: Version = SCHEMA_VERSION
    alrakis: str = Field(description="the version that measured")
    started: str = Field(description="ISO 8601, UTC", pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[Z+:.\d]*$")
    duration_s: Amount
    complete: bool = Field(description="false: stopped before the end")
    command: list[str]
    suite: str
    repeats: Count
    notes: list[str] = Field(description="what could not be measured, and why")
    environment: Environment
    workloads: list[Workload]
    targets: list[TargetInfo]
    samples: list[Sample] = Field(description="in the order they were taken")
    accuracy: list[Accuracy]
    summaries: list[Summary]

    def workload(self, name: str) -> Workload:
        return next(workload for workload in self.workloads if workload.name == name)

    def why_not(self, workload: str, target: TargetInfo) -> str:
        """Why a target has no samples in a workload, or no more of them; empty if it did not fail there.

        Errors stand behind the names of workloads; `loading` is of all.
        """
        names = "|".join(re.escape(name) for name in ("loading", *(one.name for one in self.workloads)))
        parts = re.split(rf"(?:^|; )({names}): ", target.error or "")
        found = dict(zip(parts[1::2], parts[2::2], strict=True))
        return found.get(workload) or found.get("loading", "")

    def samples_of(self, workload: str, target: str) -> list[Sample]:
        """The samples of one target in one workload, in the order they were taken."""
        return [s for s in self.samples if (s.workload, s.target) == (workload, target)]


def save_results(results: Results, path: str | os.PathLike[str]) -> Path:
    """Write the results to a JSON file, replacing it in one step. Raises OutputError."""
    return replace_file(path, (results.model_dump_json(indent=1) + "\n").encode())


def load_results(path: str | os.PathLike[str]) -> Results:
    """Read the JSON file of a run. Raises InputError if it is damaged, foreign or of another version."""
    path = given_path(path)
    try:
        values = read_json(path, _MOST_BYTES)
    except (OSError, LimitError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {reason(error)}") from None
    except ValueError as error:
        raise InputError(f"{path} is cut off or no JSON: {reason(error)}; measure again") from None
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise InputError(f"{path} is not a result of `alrakis-bench run`")
    version = values.get("schema_version")
    if version != SCHEMA_VERSION:
        raise InputError(
            f"{path} has schema version {version!r:.40}; this alrakis reads version {SCHEMA_VERSION}: "
            "measure again, or use the alrakis that wrote it"
        )
    try:
        results = Results.model_validate(values)
    except ValidationError as error:
        first = first_problem(error.errors(include_url=False))
        more = f" ({error.error_count()} such places)" if error.error_count() > 1 else ""
        raise InputError(f"{path} is damaged at {first}{more}") from None
    return _consistent(results, path)


def _consistent(results: Results, path: str | os.PathLike[str]) -> Results:
    """The results, if names are unique and refer to something. Raises InputError otherwise."""
    workloads, targets = {w.name for w in results.workloads}, {t.name for t in results.targets}
    if len(workloads) < len(results.workloads) or len(targets) < len(results.targets):
        raise InputError(f"{path} is damaged: a workload or a target is there twice")
    measured: list[_Measured] = [*results.samples, *results.accuracy, *results.summaries]
    for item in measured:
        if item.workload not in workloads or item.target not in targets:
            raise InputError(f"{path} is damaged: it has no {item.workload!r} or no {item.target!r}")
    return results


def json_schema() -> str:
    """The JSON Schema of a result file: the content of `result.schema.json`."""
    return json.dumps(Results.model_json_schema(mode="serialization"), indent=1) + "\n"


if __name__ == "__main__":
    print(json_schema(), end="")
