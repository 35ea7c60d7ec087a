"""A Chromium that a test clicks and types in, by the DevTools protocol over a pipe.

The pipe needs no package and no port. Screens, colours and downloads are emulated.
"""

import base64
import contextlib
import fcntl
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.threads import WAIT_S

# Chromium reads commands from descriptor 3 and writes to 4: this puts them there.
_START = "import os, sys; os.dup2({read}, 3); os.dup2({write}, 4); os.execv(sys.argv[1], sys.argv[1:])"
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
    "--mute-audio",
    "--disable-background-networking",
    "--disable-component-update",
    "--remote-debugging-pipe",
)
# Where the middle of an element is, once it is in sight.
_MIDDLE = """(e => {{
  e.scrollIntoView({{ block: "center" }});
  const box = e.getBoundingClientRect();
  return [box.x + box.width / 2, box.y + box.height / 2];
}})(document.querySelector({selector}))"""
_KEYS = {
    "Enter": (13, "\r"),
    "Escape": (27, ""),
    "Tab": (9, ""),
    "ArrowLeft": (37, ""),
    "ArrowUp": (38, ""),
    "ArrowRight": (39, ""),
    "ArrowDown": (40, ""),
    " ": (32, " "),
}
CTRL = 2


class Chromium:
    """One browser; works as a context manager."""

    def __init__(self, program: str, folder: Path) -> None:
        self.downloads = folder / "downloads"
        to_read, self._write = os.pipe()
        self._read, to_write = os.pipe()
        read, write = (fcntl.fcntl(one, fcntl.F_DUPFD, 10) for one in (to_read, to_write))
        command = [sys.executable, "-c", _START.format(read=read, write=write), program, *_OPTIONS]
        command.append(f"--user-data-dir={folder / 'profile'}")
        with open(folder / "chromium.log", "wb") as log:
            self._process = subprocess.Popen(command, pass_fds=(read, write), stdout=log, stderr=log)
        for one in (read, write, to_read, to_write):
            os.close(one)
        self._answers: dict[int, dict[str, Any]] = {}
        self._pages: dict[str, Page] = {}
        self._changed = threading.Condition()
        self._last = 0
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()

    def __enter__(self) -> "Chromium":
        return self

    def __exit__(self, *error: object) -> None:
        with contextlib.suppress(OSError, AssertionError):
            self.call("Browser.close")
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        os.close(self._write)
        os.close(self._read)

    def _listen(self) -> None:
        left = b""
        while part := os.read(self._read, 1 << 16):
            *messages, left = (left + part).split(b"\0")
            with self._changed:
                for message in map(json.loads, messages):
                    if "id" in message:
                        self._answers[message["id"]] = message
                    elif message.get("sessionId") in self._pages:
                        self._pages[message["sessionId"]].told(message["method"], message["params"])
                self._changed.notify_all()

    def call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        with self._changed:
            self._last += 1
            number = self._last
        message = {"id": number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        with self._changed:
            came = self._changed.wait_for(lambda: number in self._answers, WAIT_S)
            assert came, f"no answer to {method}"
            answer = self._answers.pop(number)
        assert "error" not in answer, (method, answer["error"])
        result: dict[str, Any] = answer["result"]
        return result

    def open(self, url: str, *, before: str = "") -> "Page":
        """A page of a profile of its own. before: JavaScript that runs before the page's."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        self.downloads.mkdir(exist_ok=True)
        self.call(
            "Browser.setDownloadBehavior",
            behavior="allow",
            browserContextId=context,
            downloadPath=str(self.downloads),
        )
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session, target)
        self._pages[session] = page
        for domain in ("Page", "Runtime", "Network", "Log"):
            page.call(f"{domain}.enable")
        if before:
            page.call("Page.addScriptToEvaluateOnNewDocument", source=before)
        page.look(1280)
        page.go(url)
        return page


class Page:
    """One page: what it was told to do, what it asked for, and what it complained of."""

    def __init__(self, browser: Chromium, session: str, target: str) -> None:
        self._browser, self._session, self._target = browser, session, target
        self.requests: list[str] = []
        self.complaints: list[str] = []

    def told(self, method: str, params: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(params["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
            self.complaints.append(json.dumps(params["args"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.complaints.append(params["entry"]["text"])

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        return self._browser.call(method, self._session, **params)

    def close(self) -> None:
        self._browser.call("Target.closeTarget", targetId=self._target)

    def go(self, url: str) -> None:
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")

    def look(self, width: int, height: int = 900, *, dark: bool = False, scale: float = 1) -> None:
        """The screen: how wide, how high, and in which colours; nothing moves."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=False,
        )
        features = [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        self.call("Emulation.setEmulatedMedia", features=features)

    def get(self, expression: str) -> Any:
        """What an expression comes to, in JSON; promises are waited for."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True, userGesture=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait(self, expression: str) -> None:
        """Until an expression is true; it may await something."""
        ends = time.monotonic() + WAIT_S
        while not self.get(f"(async () => !!({expression}))()"):
            assert time.monotonic() < ends, (expression, self.text("main"), self.complaints)
            time.sleep(0.05)

    def text(self, selector: str) -> str:
        return str(self.get(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"))

    def seen(self, selector: str) -> bool:
        """Whether an element is there and takes room."""
        return bool(self.get(f"!!document.querySelector({json.dumps(selector)})?.getClientRects().length"))

    def click(self, selector: str) -> None:
        """With the mouse, in the middle of an element."""
        x, y = self.get(_MIDDLE.format(selector=json.dumps(selector)))
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            button = "none" if kind == "mouseMoved" else "left"
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button=button, clickCount=1)

    def press(self, key: str, modifiers: int = 0) -> None:
        code, text = _KEYS[key]
        name = "Space" if key == " " else key
        common = {"key": key, "code": name, "windowsVirtualKeyCode": code, "modifiers": modifiers}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def write(self, selector: str, text: str) -> None:
        """Type over what a field has."""
        self.get(f"(e => {{ e.focus(); e.select(); }})(document.querySelector({json.dumps(selector)}))")
        self.call("Input.insertText", text=text)

    def picture(self, path: Path, *, whole: bool = True) -> None:
        """A screenshot, as PNG."""
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))

    def downloaded(self, ending: str) -> Path:
        """A file that was saved, when it is whole."""
        ends = time.monotonic() + WAIT_S
        while True:
            found = [path for path in self._browser.downloads.iterdir() if path.suffix == ending]
            if found and found[0].stat().st_size:
                return found[0]
            assert time.monotonic() < ends, list(self._browser.downloads.iterdir())
            time.sleep(0.05)


@contextlib.contextmanager
def opened(browser: Chromium, url: str, **options: Any) -> Iterator[Page]:
    """A page that is closed at the end."""
    page = browser.open(url, **options)
    try:
        yield page
    finally:
        page.close()
