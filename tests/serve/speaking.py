"""What tests do at the page."""

from tests.serve.chromium import Page

TWO = "I like pizza.\n\nIt is late."
# What is played, when, and how loud it is at the loudspeaker, of late: a page that is slow misses nothing.
LISTEN = """
window.played = []; window.loudest = 0;
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (when, offset) {
  window.played.push({ when, offset, seconds: this.buffer.duration });
  return start.call(this, when, offset);
};
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (to, ...more) {
  if (to instanceof AudioDestinationNode) {
    const ear = new AnalyserNode(this.context, { fftSize: 32768 }), heard = new Float32Array(ear.fftSize);
    connect.call(this, ear);
    setInterval(() => {
      ear.getFloatTimeDomainData(heard);
      for (const one of heard) window.loudest = Math.max(window.loudest, Math.abs(one));
    }, 20);
  }
  return connect.call(this, to, ...more);
};
"""
OVER = "document.querySelector('#progress').classList.contains('over')"
READY = "document.querySelector('#server').dataset.state === 'ready' && document.querySelector('.voice')"


def seed(page: Page, number: int) -> None:
    if not page.seen("#settings"):
        page.click("#more")
    page.write("#seed", str(number))


def said(page: Page, text: str = TWO, number: int = 5) -> None:
    """Have a text said, to its end."""
    page.write("#text", text)
    seed(page, number)
    page.click("#speak")
    page.wait("document.querySelector('.chunk')")
    page.wait(OVER)
    page.wait("document.querySelector('.entry')")  # kept, and listed: nothing on the page moves any more


def states(page: Page) -> list[str]:
    found: list[str] = page.get("[...document.querySelectorAll('.chunk')].map(e => e.dataset.state)")
    return found
