"""Looking at a page in headless Chromium, as `chromium` of Debian or any other build of it on the path."""

import json
import re
import shutil
import subprocess
from html import escape, unescape
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = "no Chromium on the path: `make browser` installs Debian's (apt-get install chromium)"

# The page in a frame of some width, and around it what is read off it.
_LOOK = """<!doctype html><meta charset="utf-8"><body>
<script>
const look = event => {{
  const page = event.target.contentDocument, view = event.target.contentWindow;
  const style = element => view.getComputedStyle(element);
  const seen = selector => [...page.querySelectorAll(selector)].filter(e => e.getClientRects().length);
  const box = element => element.getBoundingClientRect().toJSON();
  const found = {{{questions}}};
  const answer = document.createElement("pre");
  answer.id = "answer";
  answer.textContent = JSON.stringify(found);
  document.body.append(answer);
}};
</script>
<iframe style="border:0;width:{width}px;height:900px" onload="look(event)" srcdoc="{page}"></iframe>"""


def find_chromium() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One Chromium with a profile of its own; each look starts it anew."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program, self._folder = program, folder

    def look(self, page: str, width: int, questions: dict[str, str], *, dark: bool = False) -> dict[str, Any]:
        """Answers to JavaScript expressions about a page that is shown `width` pixels wide."""
        asked = ", ".join(f"{name}: {expression}" for name, expression in questions.items())
        around = self._folder / "around.html"
        around.write_text(_LOOK.format(width=width, page=escape(page), questions=asked), "utf-8")
        dumped = self._run("--dump-dom", around, dark)
        answer = re.search(r'<pre id="answer">(.*?)</pre>', dumped, re.DOTALL)
        assert answer, dumped[-2000:]
        found: dict[str, Any] = json.loads(unescape(answer[1]))
        return found

    def screenshot(self, page: Path, picture: Path, width: int, *, dark: bool = False) -> None:
        self._run(f"--window-size={width},2400", page, dark, f"--screenshot={picture}")

    def _run(self, option: str, page: Path, dark: bool, *more: str) -> str:
        command = [self._program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        command += [f"--user-data-dir={self._folder / 'profile'}", "--no-first-run", "--hide-scrollbars"]
        command += [option, *more]
        command += [f"--blink-settings=preferredColorScheme={0 if dark else 1}", page.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout
