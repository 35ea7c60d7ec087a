"""The table that `auto` goes by, made of result files: what was fastest on which kind of processor."""

from collections.abc import Sequence

from alrakis.bench.record.runs import Run
from alrakis.bench.record.series import Series, group_series, lead_group
from alrakis.bench.record.words import machine_words, work_words
from alrakis.config import load_config, preset_names
from alrakis.evidence.fastest import Evidence, Row
from alrakis.evidence.kinds import OTHER, kind_of

_DIGITS = 6  # more than are shown: what is rounded twice may end in another digit than on the page
_DECISIVE = ("backend", "precision", "max_coarse_history", "sliding_window_len", "fine_window")


def evidence_of(runs: Sequence[Run]) -> str:
    """The JSON of the table. Of several runs on one kind, the one with a voice and most configs counts."""
    best: dict[str, list[Row]] = {}
    ranks: dict[str, tuple[bool, int, str]] = {}
    for run in runs:
        kind = kind_of(run.results.environment.cpu_features)
        rows = _rows(run, kind)
        if not rows or kind == OTHER:
            continue
        rank = (" with " in rows[0].work, len(rows), run.results.started)
        if kind not in best or rank > ranks[kind]:
            best[kind], ranks[kind] = rows, rank
    every = tuple(row for kind in sorted(best) for row in sorted(best[kind], key=lambda row: row.rtf))
    return Evidence(rows=every).model_dump_json(indent=1) + "\n"


def _rows(run: Run, kind: str) -> list[Row]:
    """A row for each preset that a run timed on the CPU, of the work that is told of first."""
    lead = [series for series in lead_group(group_series(run)) if series.values("rtf")]
    ours = [series for series in lead if series.ours and series.name in preset_names()]
    return [
        Row(
            kind=kind,
            config=series.name,
            rtf=round(series.median("rtf"), _DIGITS),
            work=work_words(series.workload),
            machine=machine_words(run.results.environment),
            measured=run.results.started[:10],
        )
        for series in ours
        if not series.samples[0].peak_gpu_bytes and _as_today(series) and round(series.median("rtf"), _DIGITS)
    ]


def _as_today(series: Series) -> bool:
    """Whether a preset did then what it does now; an older file may be of other windows."""
    today, then = load_config(series.name).model_dump(mode="json"), series.target.config or {}
    return all(then.get(key, today[key]) == today[key] for key in _DECISIVE)
