"""The hub's cache as its client leaves it, and one plain line, soon, where there is no network."""

import logging
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from alrakis.places import hub
from tests.threads import WAIT_S

COMMIT = "a" * 40


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    proxies = [f"{kind}_proxy" for kind in ("http", "https", "all", "no")]
    settings = ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_ENDPOINT"]
    for name in [*settings, *proxies, *map(str.upper, proxies)]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    return tmp_path


def snapshot(cache: Path, repository: str, commit: str = COMMIT) -> Path:
    folder = cache / f"models--{repository.replace('/', '--')}" / "snapshots" / commit
    folder.mkdir(parents=True)
    return folder


def test_files_of_any_revision_are_found_those_of_main_first(cache: Path) -> None:
    assert hub.snapshots("suno/bark") == []
    pinned, main = snapshot(cache, "suno/bark", "b" * 40), snapshot(cache, "suno/bark")
    (pinned / "x").touch()
    assert hub.cached("suno/bark", "x") == pinned / "x"
    (cache / "models--suno--bark" / "refs").mkdir()
    (cache / "models--suno--bark" / "refs" / "main").write_text(COMMIT)
    assert hub.snapshots("suno/bark")[0] == main
    (main / "x").touch()
    assert hub.cached("suno/bark", "x") == main / "x"
    assert hub.cached("suno/bark", "y") is None


@pytest.mark.parametrize("name", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_offline_mode_counts_as_it_is_now(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub  # noqa: F401  # it was imported before the variable is set

    monkeypatch.setenv(name, "1")
    assert hub.unreachable() == f"offline mode is on ({name}=1)"
    with pytest.raises(hub.HubError, match="offline mode"):
        hub.download("suno/bark", "text.pt")


def test_no_network_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "PATIENCE_S", WAIT_S)
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    said = [hub.unreachable()]
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    said.append(hub.unreachable())
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:99999")
    said.append(hub.unreachable())
    monkeypatch.setenv("HF_ENDPOINT", "nothing")
    said.append(hub.unreachable())
    monkeypatch.setenv("HF_ENDPOINT", "http://example.org")
    monkeypatch.setenv("http_proxy", "127.0.0.1:9")
    said.append(hub.unreachable())
    assert all(line and "\n" not in line for line in said)
    assert "resolved" in str(said[0]) or "not answer" in str(said[0])
    assert "127.0.0.1 cannot be reached" in str(said[1])
    assert "is no address" in str(said[2])
    assert "is no address" in str(said[3])
    assert "the proxy 127.0.0.1 cannot be reached" in str(said[4])


def test_a_name_server_that_is_silent_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    silent, over = socket.socket(), threading.Event()
    monkeypatch.setattr(hub, "PATIENCE_S", 0.1)
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: over.wait() and silent)
    assert hub.unreachable() == "huggingface.co does not answer within 0.1 s"
    over.set()


def test_a_hub_that_listens_is_reachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "PATIENCE_S", WAIT_S)
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.getsockname()[1]}/")
        assert hub.unreachable() is None
        assert not hub.endpoint().endswith("/")


def test_the_clients_noise_is_not_heard(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("huggingface_hub")
    before = logger.level
    with hub._quiet("huggingface_hub"):
        logger.warning("'(MaxRetryError)' thrown while requesting HEAD")
    assert logger.level == before
    assert capsys.readouterr().err == ""


def test_python_gets_one_plain_error(tmp_path: Path) -> None:
    """No chain of the client's exceptions, and words of Python."""
    program = "import alrakis; alrakis.generate_audio('hi', weights='bark-small', config='cpu-int8')"
    environment = {**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path)}
    environment["XDG_CACHE_HOME"] = str(tmp_path)
    environment.pop("HF_HUB_CACHE")
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert done.stderr.count("Traceback") == 1
    assert "During handling" not in done.stderr
    assert "direct cause" not in done.stderr
    for name in ("text.pt", "coarse.pt", "fine.pt", "encodec_24khz", "vocab.txt", 'weights="demo"'):
        assert name in done.stderr
    assert "--weights" not in done.stderr


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_a_pipe_in_the_cache_is_not_waited_for(cache: Path) -> None:
    folder = snapshot(cache, "suno/bark")
    (cache / "models--suno--bark" / "refs").mkdir()
    os.mkfifo(cache / "models--suno--bark" / "refs" / "main")
    os.mkfifo(folder / "x")
    assert hub.snapshots("suno/bark") == [folder]
    assert hub.cached("suno/bark", "x") is None
