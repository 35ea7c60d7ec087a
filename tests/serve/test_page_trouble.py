"""What goes wrong, as the page shows it."""

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.serve.chromium import Chromium, Page, opened
from tests.serve.running import LONG, WAIT_S, Running
from tests.serve.speaking import OVER, READY, TWO, seed, states


@pytest.fixture(scope="module")
def locked() -> Iterator[Running]:
    with Running(api_key="a-long-key", max_queued_s=60) as running:
        yield running


def test_what_is_wrong_with_a_text_is_shown(page: Page) -> None:
    page.write("#text", "It is late.\n\nЭто дом.")
    seed(page, 1)
    page.click("#speak")
    page.wait("document.querySelector('#trouble').getClientRects().length")
    assert "can say nothing of" in page.text("#trouble-words")
    assert "Stopped." in page.text("#status") or not page.seen("#result")
    page.write("#text", "")
    assert not page.seen("#trouble")  # it was about another text
    assert page.get("document.querySelector('#speak').ariaDisabled") == "true"
    page.write("#text", "word " * 4001)
    assert "5 characters too many" in page.text("#count")
    assert page.get("document.querySelector('#speak').ariaDisabled") == "true"


def test_it_asks_for_a_key_and_tells_when_a_busy_server_may_be_asked_again(
    browser: Chromium, locked: Running
) -> None:
    with opened(browser, locked.url + "/") as page:
        page.wait(READY)
        page.write("#text", TWO)
        page.click("#speak")
        page.wait("document.querySelector('#key').open")
        page.write("#key-field", "not-the-key")
        page.press("Enter")
        page.wait("document.querySelector('#key').open && document.querySelector('#key-field').value === ''")
        assert "not known" in page.text("#key-words")
        page.write("#key-field", "a-long-key")
        page.press("Enter")
        page.wait(f"document.querySelectorAll('.chunk').length === 2 && {OVER}")
        assert page.get("localStorage.getItem('alrakis.key')") == ""  # it was not to be remembered
        headers = {"authorization": "Bearer a-long-key"}
        body = {"input": LONG * 8}
        url = f"{locked.url}/api/speech"
        asked = httpx.stream("POST", url, json=body, headers=headers, timeout=WAIT_S)
        with locked.held(), asked as other:
            parts = other.iter_raw()  # when it goes, the connection does
            next(parts)
            page.click("#speak")
            page.wait("document.querySelector('#trouble').getClientRects().length")
            assert page.text("#trouble-head") == "The server is busy"
            assert re.search(r"Try again in \d+ s", page.text("#trouble-doings"))
        locked.wait_idle()


def test_a_connection_that_is_lost_is_told_and_what_is_missing_is_made_later(
    browser: Chromium, server: Running
) -> None:
    with opened(browser, server.url + "/", before=LOSE) as page:
        page.wait(READY)
        page.write("#text", TWO)
        page.click("#speak")
        page.wait("document.querySelector('#trouble').getClientRects().length")
        assert page.text("#trouble-head") == "No connection"
        assert states(page) == ["made", "missing"]
        page.get("window.lose = false")
        page.click("#trouble .second")
        page.wait("[...document.querySelectorAll('.chunk')].every(e => e.dataset.state === 'made')")
        assert not page.seen("#trouble")


# The connection breaks when the first chunk is there.
LOSE = """
window.lose = true;
const real = window.fetch;
window.fetch = async (path, options) => {
  const answer = await real(path, options);
  if (path !== "api/speech" || !window.lose) return answer;
  const reader = answer.body.getReader();
  const text = new TextDecoder();
  let came = "", sent = 0, broken = false;
  return new Response(new ReadableStream({
    async pull(to) {
      if (broken) return to.error(new TypeError("network error"));
      const { value } = await reader.read();
      came += text.decode(value, { stream: true });
      const first = came.match(/event: chunk\\n.*\\n\\n/);
      broken = first !== null;
      const end = broken ? first.index + first[0].length : came.length;
      to.enqueue(new TextEncoder().encode(came.slice(sent, end)));
      sent = end;
    },
  }, { highWaterMark: 0 }), { status: 200 });
};
"""


def test_a_server_that_wakes_up_and_one_that_is_away(browser: Chromium, server: Running) -> None:
    before = """
    window.mode = "loading";
    const real = window.fetch;
    window.fetch = async (path, options) => {
      if (window.mode === "away") throw new TypeError("Failed to fetch");
      if (path === "ready" && window.mode === "loading")
        return new Response('{"status": "loading", "reason": "not yet"}', { status: 503 });
      return real(path, options);
    };
    """
    with opened(browser, server.url + "/", before=before) as page:
        page.wait("document.querySelector('#speak').innerText.includes('Waking up')")
        assert page.get("document.querySelector('#speak').ariaDisabled") == "true"
        page.get("window.mode = 'ready'")
        page.wait(READY)
        page.get("window.mode = 'away'")
        page.click("#speak")
        page.wait("document.querySelector('#server').dataset.state === 'away'")
        assert page.text("#trouble-head") == "No connection"
        page.get("window.mode = 'ready'")
        page.wait(READY)
        page.wait("!document.querySelector('#trouble').getClientRects().length")
