"""The page, in a headless Chromium, against a running server."""

import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from alrakis.audio import pcm16
from alrakis.serve.page_api import page_assets
from alrakis.text.speakers import speakers
from tests.bench.record.test_report import contrast
from tests.serve.chromium import CTRL, Page
from tests.serve.running import LONG, Running
from tests.serve.speaking import OVER, READY, TWO, said, states

RATE = 24_000


def saved(page: Page) -> np.ndarray[Any, Any]:
    """The samples of the WAV file that the page saves."""
    page.click("#save-wav")
    path = page.downloaded(".wav")
    samples, rate = soundfile.read(path, dtype="int16")
    path.unlink()
    assert rate == RATE
    return samples


# Speaking.


def test_a_text_is_said_and_heard_while_it_is_made(page: Page, server: Running) -> None:
    said(page)
    assert page.get("[...document.querySelectorAll('.text')].map(e => e.innerText)")[:2] == TWO.split("\n\n")
    page.wait("window.loudest > 0.01")
    page.wait("window.played.length >= 2")
    first, second = page.get("window.played.slice(0, 2)")
    assert second["when"] >= first["when"] + first["seconds"] - 1e-3
    voice = page.get("document.querySelector('input[name=voice]:checked').value")
    expected = pcm16(server.alone(TWO, voice, seed=5))
    assert saved(page).tobytes() == expected
    assert "s of speech, made in" in page.text("#status")
    assert "s of speech, made in" in page.get("document.querySelector('#live').textContent")


def test_the_waveform_is_drawn_and_leads_to_places(page: Page) -> None:
    said(page)
    drawn = (
        "(c => { const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; "
        "return d.filter((v, i) => i % 4 === 3 && v > 0).length; })(document.querySelector('canvas'))"
    )
    page.wait(f"{drawn} > 1000")
    page.press("Escape")
    page.get("window.played.length = 0")
    page.click("#wave")  # its middle
    page.wait("window.played.length")
    last = page.get("window.played[0]")
    assert 0 < last["offset"] < last["seconds"]


def test_a_chunk_is_said_again_and_a_take_is_kept(page: Page, server: Running) -> None:
    said(page)
    voice = page.get("document.querySelector('input[name=voice]:checked').value")
    whole = saved(page)
    page.click(".chunk:nth-child(1) .redo")
    page.wait("document.querySelectorAll('.chunk:nth-child(1) .takes input').length === 2")
    takes = page.get(
        "[...document.querySelectorAll('.takes input')].map(e => [e.ariaLabel, e.checked])"
    )  # A and B
    assert [checked for _, checked in takes] == [False, True]
    other = int(re.fullmatch(r"Take B, seed (\d+)", takes[1][0])[1])  # type: ignore[index]
    assert other != 5
    with_b = saved(page)
    alone = np.frombuffer(pcm16(server.alone("I like pizza.", voice, seed=other)), "<i2")
    told = server.post("/api/speech", input=TWO, seed=5).text
    pause_s = json.loads(told.split("event: plan\ndata: ")[1].split("\n")[0])["chunks"][0]["pause_s"]
    assert pause_s > 0
    said_b = np.trim_zeros(alone, "b")
    assert np.array_equal(with_b[: len(said_b)], said_b)
    second = np.frombuffer(pcm16(server.alone("It is late.", voice, seed=6)), "<i2")
    assert np.array_equal(with_b[len(said_b) + round(pause_s * RATE) :], second)
    page.click(".chunk:nth-child(1) .takes label:nth-child(1) input")
    assert np.array_equal(saved(page), whole)


SPOKEN = "MAN: I like pizza.\n\nWOMAN: It is late."


def choose(page: Page, selector: str, value: str) -> None:
    """Choose something of a list, as a person does."""
    told = "new Event('change', { bubbles: true })"
    page.get(
        f"(s => {{ s.value = '{value}'; s.dispatchEvent({told}); }})(document.querySelector('{selector}'))"
    )


def test_speakers_of_the_text_get_voices_and_several_takes(page: Page, server: Running) -> None:
    page.click("#more")
    page.click("#further summary")
    assert page.seen("#cast-none")
    page.write("#text", SPOKEN)
    labels = page.get("[...document.querySelectorAll('.speaker-voice label')].map(e => e.innerText)")
    assert labels == ["MAN", "WOMAN"]
    assert not page.seen("#cast-none")
    choose(page, "#speaker-0", "demo/rms")
    choose(page, "#lang", "en")
    choose(page, "#takes", "2")
    assert page.get("document.querySelector('#more').classList.contains('changed')")
    said(page, SPOKEN)
    voice = page.get("document.querySelector('input[name=voice]:checked').value")
    cast = {"MAN": "demo/rms"}
    expected = pcm16(server.alone(SPOKEN, voice, cast=cast, seed=5, takes=2))
    assert saved(page).tobytes() == expected
    assert "best of 2" in page.text(".chunk .length")
    page.click(".chunk:nth-child(1) .redo")  # alone it has no label, and is still his
    page.wait("document.querySelectorAll('.chunk:nth-child(1) .takes input').length === 2")
    label = page.get("document.querySelectorAll('.takes input')[1].ariaLabel")
    other = int(label.rpartition(" ")[2])
    alone = np.frombuffer(pcm16(server.alone("I like pizza.", "demo/rms", seed=other, takes=2)), "<i2")
    heard = np.trim_zeros(alone, "b")
    assert np.array_equal(saved(page)[: len(heard)], heard)
    page.go(server.url + "/")  # what was chosen is kept
    page.wait(READY)
    assert page.get("document.querySelector('#takes').value + document.querySelector('#lang').value") == "2en"
    page.click("#more")
    page.click("#reset")
    assert page.get("document.querySelector('#takes').value + document.querySelector('#lang').value") == "1"


@pytest.mark.parametrize(
    "text",
    [
        SPOKEN,
        "MAN: Hello. WOMAN: Hello.",
        "No label: here. Neither 12:30 nor A: one.",
        "ÄRGER: so.\nLA DAME: oui.\nMAN:no.\nMAN：ja.",
        "MAN: \nWOMAN: I speak.\n  OLD MAN : yes.",
        "ONE: MAN: Hello.\nWOMAN:",
        "THE NAME OF THIS ONE IS LONGER THAN A LABEL: so.",
    ],
)
def test_the_page_finds_the_speakers_that_the_server_finds(page: Page, text: str) -> None:
    found = page.get(f"import('./more.js').then(({{ speakers }}) => speakers({json.dumps(text)}))")
    assert found == speakers([text])


# Something that the page itself does not ask for.
ALSO_ASK = """(ask => {{ window.fetch = (path, options) => ask(path, path !== "api/speech" ? options :
  {{ ...options, body: JSON.stringify({{ ...JSON.parse(options.body), ...{more} }}) }}); }})(window.fetch)"""


def test_parts_are_shown_as_they_were_written(page: Page) -> None:
    more = {"normalise": True, "lexicon": {"words": {"Suno": "soon oh"}}}
    page.get(ALSO_ASK.format(more=json.dumps(more)))
    said(page, "It is 5 ft 11 in.\n\nSuno said it.\n\nI like pizza.")
    parts = page.get("[...document.querySelectorAll('.text')].map(e => [e.innerText, e.title]).slice(0, 3)")
    assert [text for text, _ in parts] == ["It is 5 ft 11 in.", "Suno said it.", "I like pizza."]
    assert "eleven" in parts[0][1]
    assert [title for _, title in parts[1:]] == ["Said as: soon oh said it.", ""]
    name = page.get("document.querySelector('.chunk .say').getAttribute('aria-label')")
    assert name.endswith("It is 5 ft 11 in.")


def test_it_is_saved_as_mp3(page: Page) -> None:
    said(page)
    samples = saved(page)
    page.click("#save-mp3")
    path = page.downloaded(".mp3")
    heard, rate = soundfile.read(io.BytesIO(path.read_bytes()))
    path.unlink()
    assert path.name == "i-like-pizza-it-is-late.mp3"
    assert rate == RATE
    assert abs(len(heard) - len(samples)) < RATE / 10


# How many takes the browser has kept.
KEPT = """await new Promise(resolve => {
  indexedDB.open("alrakis").onsuccess = ({ target: { result: database } }) => {
    database.transaction("speeches").objectStore("speeches").getAll().onsuccess = ({ target }) => {
      database.close();
      resolve(target.result.flatMap(one => one.chunks).reduce((sum, one) => sum + one.takes.length, 0));
    };
  };
})"""


def test_what_was_said_is_there_after_a_reload_and_can_be_deleted(page: Page, server: Running) -> None:
    said(page)
    page.click(".chunk:nth-child(2) .redo")
    page.wait("document.querySelector('.takes input')")
    page.wait("document.querySelectorAll('.entry').length === 1")
    page.wait(f"({KEPT}) === 3")
    whole = saved(page)
    page.go(server.url + "/")
    page.wait("document.querySelectorAll('.entry').length === 1")
    page.click(".entry")
    page.wait("document.querySelectorAll('.chunk').length === 2")
    assert page.get("document.querySelectorAll('.takes input').length") == 2
    assert np.array_equal(saved(page), whole)
    page.click("#entries .square")
    page.wait("document.querySelectorAll('.entry').length === 0")
    assert not page.seen("#past")


def test_a_voice_is_found_chosen_and_heard(page: Page) -> None:
    page.click("#pick-voice")
    page.wait("document.querySelector('#voices').open")
    page.write("#voice-search", "wom")
    assert page.get("[...document.querySelectorAll('.voice')].filter(e => !e.hidden).length") == 1
    page.click(".voice:not([hidden]) .hear")
    page.wait("window.loudest > 0.01")
    page.click(".voice:not([hidden]) label span")
    page.wait("!document.querySelector('#voices').open")
    assert "woman" in page.text("#pick-voice")
    page.go(page.get("location.href"))
    page.wait(READY)
    assert "woman" in page.text("#pick-voice")  # the next time as well


def test_seeds_are_drawn_or_kept(page: Page) -> None:
    said(page, "I like pizza.", 77)
    assert "Seed 77" in page.text("#facts")
    assert page.get("document.querySelector('#lock').checked")
    page.click("#dice")
    drawn = page.get("document.querySelector('#seed').value")
    assert drawn not in ("", "77")
    page.click("#lock")
    page.click("#speak")
    page.wait(f"document.querySelector('#facts').innerText.match(/Seed \\d+/) && {OVER}")
    page.wait(f"!document.querySelector('#facts').innerText.endsWith({json.dumps(' 77')})")


# Keys, screen readers, screens.


# What the button has said: what is played may be over before anybody looks.
WATCH = """{
  window.shown = [];
  const toggle = document.querySelector("#toggle"), look = () => window.shown.push(toggle.ariaLabel);
  new MutationObserver(look).observe(toggle, { attributes: true, attributeFilter: ["aria-label"] });
}"""


def test_it_is_used_by_keys_alone(page: Page, server: Running) -> None:
    page.write("#text", TWO)
    page.press("Enter", CTRL)
    page.wait(f"document.querySelectorAll('.chunk').length === 2 && {OVER}")
    page.wait("document.querySelector('#toggle').ariaLabel === 'Play'")  # it is over
    page.get("document.activeElement.blur()")
    page.get(WATCH)
    page.press(" ")
    page.wait("window.shown.includes('Pause')")
    page.press("Escape")
    page.wait("document.querySelector('#toggle').ariaLabel === 'Play'")
    page.press("ArrowDown")
    page.press("ArrowDown")
    focused = "document.activeElement.ariaLabel"
    assert page.get(focused).endswith("part 2: It is late.")
    page.press("ArrowUp")
    assert page.get(focused).endswith("part 1: I like pizza.")
    page.write("#text", LONG)
    with server.held():
        page.press("Enter", CTRL)
        page.wait("document.querySelectorAll('.chunk').length > 3")
        page.press("Escape")
        page.wait("document.querySelector('#speak').innerText.includes('Speak')")
    assert "missing" in states(page)
    server.wait_idle()


def test_a_voice_is_chosen_by_keys_alone(page: Page) -> None:
    """A key that closes the list does not open it again, whatever has the focus then."""
    page.get("document.querySelector('#pick-voice').focus()")
    for _ in range(2):
        page.press("Enter")
        page.wait("document.querySelector('#voices').open")
        before = page.get("document.querySelector('input[name=voice]:checked').value")
        page.press("ArrowDown")
        page.press("Enter")
        page.wait("!document.querySelector('#voices').open")
        assert page.get("document.activeElement.id") == "pick-voice"
        assert page.get("document.querySelector('input[name=voice]:checked').value") != before


NAMED = ("button", "textbox", "searchbox", "slider", "radio", "checkbox", "combobox", "link", "radiogroup")


def test_everything_that_can_be_used_has_a_name(page: Page) -> None:
    said(page)
    page.click(".chunk:nth-child(2) .redo")
    page.wait("document.querySelector('.takes input')")
    for opening in (None, "#pick-voice"):
        if opening:
            page.click(opening)
        nodes = page.call("Accessibility.getFullAXTree")["nodes"]
        used = [node for node in nodes if not node["ignored"] and node["role"]["value"] in NAMED]
        assert len(used) > 5
        assert [node for node in used if not node["name"]["value"].strip()] == []
    page.press("Escape")
    assert page.get("document.documentElement.lang") == "en"
    assert page.get("document.querySelector('#live').ariaLive") == "polite"
    ids = page.get("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    page.press("Tab")
    assert page.get("getComputedStyle(document.activeElement).outlineStyle") != "none"


# Every text in sight, its colour, and the nearest one behind it.
COLOURS = """
[...document.querySelectorAll("body *")].filter(e => e.getClientRects().length
  && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())
  && !e.closest("[aria-disabled=true], .visually-hidden")).map(e => {
    let behind = e;
    const clear = "rgba(0, 0, 0, 0)";
    while (behind && getComputedStyle(behind).backgroundColor === clear) behind = behind.parentElement;
    const back = getComputedStyle(behind ?? document.body).backgroundColor;
    return [e.innerText, getComputedStyle(e).color, back];
  })
"""


@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_and_can_be_read(page: Page, dark: bool) -> None:
    said(page)
    for width in (1280, 768, 360):
        page.look(width, dark=dark)
        assert page.get("document.documentElement.scrollWidth") <= width
        narrow = (
            "[...document.querySelectorAll('button, .takes label')].filter(e => e.getClientRects().length)"
            ".map(e => e.getBoundingClientRect()).filter(b => b.width < 24 || b.height < 24).length"
        )
        assert page.get(narrow) == 0
    texts = [text for text in page.get(COLOURS) if re.fullmatch(r"rgb\([\d, ]+\)", text[2])]
    assert len(texts) > 15
    assert [text for text in texts if contrast(text[1], text[2]) < 4.5] == []


# The files.


def test_the_policy_is_kept_by_what_is_written() -> None:
    assets = page_assets()
    index = assets["index.html"].content.decode()
    assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?![^>]*\ssrc=)", index)
    for name, asset in assets.items():
        text = asset.content.decode()
        assert not re.search(r"\beval\(|new Function|innerHTML|https?://(?!www\.w3\.org/)", text), name
        assert len(text.splitlines()) <= 400, name
    wanted = {*re.findall(r'(?:src|href)="([\w.]+\.\w+)"', index)} - {"openapi.json"}
    for name in (name for name in assets if name.endswith(".js")):
        wanted |= set(re.findall(r'from "\./([\w.]+)"', assets[name].content.decode()))
    assert wanted == assets.keys() - {"index.html"}
    assert {Path(name).suffix for name in assets} == {".html", ".css", ".js", ".svg"}
