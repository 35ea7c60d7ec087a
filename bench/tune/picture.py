"""The search of `tune` as a page: each config a line through the rounds that it was in."""

from importlib import resources

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from alrakis.bench.record.drawing import NARROW, WIDE
from alrakis.bench.record.metrics import megabytes, rtf_text
from alrakis.bench.record.plots import Line, line_plot
from alrakis.bench.record.tables import Table
from alrakis.bench.tune.search import Search, Trials
from alrakis.files.printable import printable

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{{ title }}</title>
<style>
{{ style }}</style>
</head>
<body>
<header><h1>{{ title }}</h1><p class="muted">{{ machine }}</p></header>
<main>
<div class="card">
{% for sentence in said %}
<p{% if loop.first %} class="answer"{% endif %}>{{ sentence }}</p>
{% endfor %}
</div>
{% if wide %}
<figure>
<figcaption><h2>The search</h2><p>RTF by the length of what was said, in seconds: lower is
faster. The better half of a round went on to the next, longer one; the finalists repeat it.</p>
</figcaption>
<div class="wide">{{ wide }}</div>
<div class="narrow">{{ narrow }}</div>
</figure>
{% endif %}
<h2>What was tried</h2>
<div class="scroll" tabindex="0" role="region" aria-label="table"><table>
<thead><tr>{% for column in table.columns %}<th scope="col">{{ column }}</th>{% endfor %}</tr></thead>
<tbody>
{% for row in table.rows %}
<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}
</tbody>
</table></div>
</main>
</body>
</html>
"""


def tried(search: Search, seconds: float, texts: int) -> Table:
    """A row for each config and batch that was tried, the best first."""
    best = search.best
    ranked = sorted(search.trials, key=lambda one: (not one.fits, -one.share, search.cost(one)))
    rows = []
    for trials in ranked:
        audio = work(trials.share * seconds, texts) if trials.rtfs else ""
        note = "the best" if trials is best else trials.problem
        rtf = trials.rtf if trials.rtfs else None
        rows.append([trials.candidate.label, audio, *_figures(rtf, trials.peak_bytes), note])
    if best is None:
        return Table(["config", "audio", "RTF", "peak memory", ""], rows)
    for size, outcome in search.batches.items():
        label, audio = best.candidate.changed(max_batch=size).label, work(best.share * seconds, size)
        rows.append([label, audio, *_figures(outcome.rtf, outcome.peak_bytes), outcome.problem])
    return Table(["config", "audio", "RTF", "peak memory", ""], rows)


def search_page(search: Search, seconds: float, texts: int, said: list[str], machine: str) -> str:
    """The page as HTML. said: the outcome in sentences."""
    lines = [
        Line(trials.candidate.label, _points(trials, seconds), "best" if trials is search.best else "ours")
        for trials in search.trials
        if trials.history
    ]
    x_title, unit = "seconds of speech, each round", "RTF"
    drawn = [line_plot(lines, width, x_title, unit) for width in (WIDE, NARROW)] if lines else ["", ""]
    style = resources.files("alrakis.bench.record").joinpath("report.css").read_text("utf-8")
    page = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, finalize=_shown)
    return page.from_string(_PAGE).render(
        title="The search for the fastest config",
        machine=machine,
        said=said,
        wide=drawn[0],
        narrow=drawn[1],
        table=tried(search, seconds, texts),
        style=Markup(style),
    )


def work(seconds: float, texts: int) -> str:
    """How much was said, in words."""
    return f"{seconds:.3g} s" + (f", {texts} texts" if texts > 1 else "")


def _points(trials: Trials, seconds: float) -> list[tuple[float, float]]:
    """The mean RTF in each round, by seconds of audio."""
    shares = dict.fromkeys(share for share, _ in trials.history)
    return [(share * seconds, _mean([rtf for at, rtf in trials.history if at == share])) for share in shares]


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _figures(rtf: float | None, peak_bytes: int | None) -> list[str]:
    return ["" if rtf is None else rtf_text(rtf), "" if peak_bytes is None else megabytes(peak_bytes)]


def _shown(value: object) -> object:
    return printable(value) if type(value) is str else value
