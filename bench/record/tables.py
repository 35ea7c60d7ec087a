"""Tables that both the terminal and the HTML report show."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from alrakis.bench.record.names import STAGES, StageName
from alrakis.bench.record.runs import Run
from alrakis.bench.record.schema import Accuracy, Environment, Sample
from alrakis.bench.record.statistics import quartiles

STAGE_TITLES: dict[StageName, str] = {stage: stage.replace("_", ", ") for stage in STAGES}


@dataclass(frozen=True)
class Table:
    """Text in rows and columns."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def is_figure(self, column: int) -> bool:
        """Whether a column holds figures, which stand on the right, and not words."""
        cells = [row[column] for row in self.rows if row[column]]
        return all(cell[0].isdigit() for cell in cells)


def accuracy_table(accuracy: Sequence[tuple[str, Accuracy]]) -> Table:
    """One row for each part of each target. accuracy: pairs of the target's label and its figures."""
    columns = ["target", "part", "draws", "likeliest is fp32's", "KL, mean", "KL, most", "log-mel distance"]
    rows = [
        [
            label,
            part.part,
            str(part.positions or ""),
            _cell(part.top1, "{:.1%}"),
            _cell(part.kl_mean, "{:.2g}"),
            _cell(part.kl_max, "{:.2g}"),
            _cell(part.log_mel_distance_db, "{:.2f} dB"),
        ]
        for label, part in accuracy
    ]
    return Table(columns, rows)


def median_cell(
    samples: Iterable[Sample], value: Callable[[Sample], float | None], text: Callable[[float], str]
) -> str:
    """The median of a value as text; empty if no sample has the value."""
    known = [number for number in map(value, samples) if number is not None]
    return text(quartiles(known).median) if known else ""


def _cell(value: float | None, form: str) -> str:
    return "" if value is None else form.format(value)


def machine_table(runs: Sequence[Run]) -> Table:
    """What each run was measured on, one column for each run; rows that would be empty are left out."""
    environments = [run.results.environment for run in runs]
    packages = sorted({package for environment in environments for package in environment.versions})
    rows = [[title, *map(text, environments)] for title, text in _ENVIRONMENT]
    rows += [
        [name, *(environment.versions.get(name) or "" for environment in environments)] for name in packages
    ]
    rows.append(["alrakis", *map(_version, runs)])
    rows.append(["measured", *(run.results.started for run in runs)])
    return Table(["", *(run.label for run in runs)], [row for row in rows if any(row[1:])])


def _version(run: Run) -> str:
    revision = run.results.environment.git_revision
    return run.results.alrakis + (f" ({revision})" if revision else "")


def _cores(environment: Environment) -> str:
    physical, usable = environment.physical_cores, environment.usable_cores
    limit = "" if usable == physical else f", {usable} of the cores usable"
    return f"{physical} cores, {environment.logical_cores} threads{limit}"


def _gpus(environment: Environment) -> str:
    def memory(size: int | None) -> str:
        return "" if size is None else f", {size / 2**30:.0f} GiB"

    return "; ".join(f"{g.name}{memory(g.memory_bytes)}, driver {g.driver or '?'}" for g in environment.gpus)


_ENVIRONMENT: tuple[tuple[str, Callable[[Environment], str]], ...] = (
    ("CPU", lambda e: e.cpu),
    ("instruction sets", lambda e: ", ".join(e.cpu_features)),
    ("cores", _cores),
    ("memory", lambda e: f"{e.memory_bytes / 2**30:.1f} GiB"),
    ("memory reads at", lambda e: f"{e.read_bandwidth / 1e9:.1f} GB/s" if e.read_bandwidth else ""),
    ("GPU", _gpus),
    ("threads given", lambda e: str(e.threads)),
    ("load before", lambda e: _cell(e.load_average, "{:.2f}")),
    ("system", lambda e: e.platform),
    ("Python", lambda e: e.python),
    ("variables", lambda e: ", ".join(f"{name}={value}" for name, value in e.variables.items())),
)
