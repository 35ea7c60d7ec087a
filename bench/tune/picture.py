"""The search of `tune` as a page: each config a line through the rounds that it was in."""

from importlib import resources

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from alrakis.bench.record.bars import Bar, bar_chart
from alrakis.bench.record.charts import REAL_TIME
from alrakis.bench.record.drawing import NARROW, WIDE
from alrakis.bench.record.metrics import megabytes, rtf_text
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
<figcaption><h2>The search</h2><p>RTF of the longest piece that each config said: shorter
is faster. The better half of a round went on to the next, longer one, and the finalists repeated it.</p>
<ul class="legend">
{% for name, role in legend %}
<li><i style="background: var(--{{ role }})"></i>{{ name }}</li>
{% endfor %}
</ul>
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

_LEGEND = [("the best", "best"), ("got as far", "ours"), ("left out earlier", "peer")]


def tried(search: Search, seconds: float, texts: int) -> Table:
    """A row for each config and batch that was tried, the best first."""
    best = search.best
    rows = []
    for trials in _ranked(search):
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
    bars = [_bar(trials, search, seconds) for trials in _ranked(search) if trials.history]
    drawn = [bar_chart(bars, width, REAL_TIME, "RTF") for width in (WIDE, NARROW)] if bars else ["", ""]
    style = resources.files("alrakis.bench.record").joinpath("report.css").read_text("utf-8")
    page = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, finalize=_shown)
    return page.from_string(_PAGE).render(
        title="The search for the fastest config",
        machine=machine,
        said=said,
        legend=_LEGEND,
        wide=drawn[0],
        narrow=drawn[1],
        table=tried(search, seconds, texts),
        style=Markup(style),
    )


def work(seconds: float, texts: int) -> str:
    """How much was said, in words."""
    return f"{seconds:.3g} s" + (f", {texts} texts" if texts > 1 else "")


def _ranked(search: Search) -> list[Trials]:
    """The best first, then those that got as far, then those that were left out earlier."""
    return sorted(search.trials, key=lambda one: (not one.fits, -one.share, search.cost(one)))


def _bar(trials: Trials, search: Search, seconds: float) -> Bar:
    """A config's RTF, and how far it got."""
    best = trials is search.best
    far = max(share for one in search.trials for share, _ in one.history)
    role = "best" if best else "ours" if trials.share == far else "peer"
    count = len(trials.history)
    note = f"{count} trial{'s' if count > 1 else ''}, the longest {trials.share * seconds:.3g} s"
    return Bar(trials.candidate.label, ((trials.rtf, role),), rtf_text(trials.rtf), note, None, best)


def _figures(rtf: float | None, peak_bytes: int | None) -> list[str]:
    return ["" if rtf is None else rtf_text(rtf), "" if peak_bytes is None else megabytes(peak_bytes)]


def _shown(value: object) -> object:
    return printable(value) if type(value) is str else value
