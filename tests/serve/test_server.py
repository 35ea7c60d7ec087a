"""The server as a program: its address, signals, mistakes."""

import json
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from alrakis.errors import BackendError
from alrakis.serve.server import address_of, listen
from tests.cli.programs import HELD, alrakis_process, command, environment
from tests.serve.running import LONG, SHORT, WAIT_S, Running, wait_for

SERVE = ["serve", "--weights", "demo", "--config", "cpu-fp32", "--set", "threads=1", "--port", "0"]


class Program:
    """`alrakis serve` in a process of its own."""

    def __init__(self, *options: str, folder: Path, first: str = "", **changes: str) -> None:
        self.process = subprocess.Popen(
            command(*SERVE, *options, first=first),
            cwd=folder,
            stderr=subprocess.PIPE,
            env=environment(**changes),
        )
        self.said: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        wait_for(lambda: self.line("curl ") or self.process.poll() is not None)
        self.url = self.line("listening on ").rpartition(" ")[2]

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line.decode().rstrip("\n"))

    def line(self, part: str) -> str:
        return next((line for line in list(self.said) if part in line), "")

    def ready(self) -> "Program":
        wait_for(lambda: self.get("/ready").status_code == 200)
        return self

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", timeout=WAIT_S)

    def end(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(WAIT_S)
        self._reader.join()
        return code


@contextmanager
def program(*options: str, folder: Path, first: str = "", **changes: str) -> Iterator[Program]:
    running = Program(*options, folder=folder, first=first, **changes)
    try:
        yield running
    finally:
        running.end()


def test_it_says_where_it_is_and_how_to_hear_it(tmp_path: Path) -> None:
    with program(folder=tmp_path) as running:
        running.ready()
        line = running.line("curl ").removeprefix("alrakis: ")
        done = subprocess.run(["bash", "-euc", line], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "morning.mp3").stat().st_size > 2000
        httpx.post(f"{running.url}/v1/audio/speech", json={"input": ""}, timeout=WAIT_S)
    logged = [json.loads(line) for line in running.said if line.startswith("{")]
    requests = [line for line in logged if line["event"] == "request" and line["method"] == "POST"]
    assert [line["status"] for line in requests] == [200, 400]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_lets_finish_what_is_under_way(tmp_path: Path, number: int, code: int) -> None:
    with program("--grace", "1000", folder=tmp_path, first=HELD) as running:
        running.ready()
        answers: list[httpx.Response] = []
        body = {"input": SHORT, "stream": False}
        asking = threading.Thread(
            target=lambda: answers.append(
                httpx.post(f"{running.url}/v1/audio/speech", json=body, timeout=WAIT_S)
            )
        )
        asking.start()
        wait_for(lambda: b"under_way 1.0" in running.get("/metrics").content)
        running.process.send_signal(number)
        wait_for(lambda: running.get("/ready").status_code == 503)
        (tmp_path / "go-on").touch()
        asking.join()
        assert answers[0].status_code == 200
        assert running.process.wait(WAIT_S) == code
    assert running.said[-1] == "alrakis: stopped"
    assert not any("Traceback" in line for line in running.said)


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    with program("--grace", "1000", folder=tmp_path) as running:
        running.ready()
        body = {"input": LONG * 4, "response_format": "wav"}
        with httpx.stream("POST", f"{running.url}/v1/audio/speech", json=body, timeout=WAIT_S) as answer:
            parts = answer.iter_raw()  # once it is forgotten, httpx closes the connection
            next(parts)
            running.process.send_signal(signal.SIGTERM)
            wait_for(lambda: running.get("/ready").status_code == 503)
            running.process.send_signal(signal.SIGTERM)
            assert running.process.wait(WAIT_S) == 143
    assert not any("Traceback" in line for line in running.said)


def test_a_signal_while_the_weights_are_loaded(tmp_path: Path) -> None:
    with program(folder=tmp_path, ALRAKIS_CACHE=str(tmp_path / "cache")) as running:
        assert running.end() == 143


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("begun", [False, True])
def test_signals_before_it_serves(begun: bool, count: int, capfd: pytest.CaptureFixture[str]) -> None:
    """However many, and whether its loop runs already: it ends, and of itself."""
    running = Running()
    server, real = running.server, running.server.startup

    async def startup(sockets: list[socket.socket] | None = None) -> None:
        await real(sockets)
        for _ in range(count):
            server.handle_exit(signal.SIGTERM, None)

    if begun:
        server.startup = startup  # type: ignore[method-assign]
    else:
        for _ in range(count):
            server.handle_exit(signal.SIGTERM, None)
    thread = running._thread
    thread.start()
    thread.join()
    running._listening.close()
    running.engine.close()
    assert "Traceback" not in capfd.readouterr().err + json.dumps(running.lines)


def test_a_port_in_use_is_told_in_a_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ended = alrakis_process(*SERVE[:-1], str(port), folder=tmp_path)
    assert ended.code == 1
    assert f"error: cannot listen on 127.0.0.1 port {port}: Address already in use" in ended.err
    assert "Traceback" not in ended.err


def test_weights_that_are_missing_end_it_with_the_reason(tmp_path: Path) -> None:
    given = ["serve", "--weights", "bark-small", "--port", "0"]
    ended = alrakis_process(
        *given, folder=tmp_path, HF_HUB_OFFLINE="1", XDG_CACHE_HOME=str(tmp_path), HF_HOME=str(tmp_path)
    )
    assert ended.code == 1
    assert "alrakis: error: " in ended.err.splitlines()[-1] or "alrakis: error: " in ended.err
    assert "offline mode is on" in ended.err
    assert "Traceback" not in ended.err


def test_a_full_disk_for_the_log_ends_nothing(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    with open("/dev/full", "w") as full:
        process = subprocess.Popen(command(*SERVE), cwd=tmp_path, stderr=full, env=environment())
    try:
        wait_for(lambda: ports_of(process.pid))
        url = f"http://127.0.0.1:{ports_of(process.pid)[0]}"
        wait_for(lambda: httpx.get(f"{url}/ready", timeout=WAIT_S).status_code == 200)
        for _ in range(3):
            answer = httpx.post(f"{url}/v1/audio/speech", json={"input": SHORT}, timeout=WAIT_S)
            assert answer.status_code == 200
        assert b"log_failures_total 0.0" not in httpx.get(f"{url}/metrics", timeout=WAIT_S).content
    finally:
        process.terminate()
        assert process.wait(WAIT_S) == 143


def ports_of(pid: int) -> list[int]:
    """Where a process listens; its standard error tells nobody."""
    connections = psutil.Process(pid).net_connections("tcp")
    return [one.laddr.port for one in connections if one.status == psutil.CONN_LISTEN]


def test_addresses() -> None:
    with listen("127.0.0.1", 0) as one:
        assert address_of(one, "0.0.0.0") == f"http://127.0.0.1:{one.getsockname()[1]}"
        assert address_of(one, "::1").startswith("http://[::1]:")
        with pytest.raises(BackendError, match="cannot listen"):
            listen("127.0.0.1", one.getsockname()[1])
    with pytest.raises(BackendError, match="no address"):
        listen("no such host", 1)
    with pytest.raises(BackendError, match="cannot listen on"):
        listen("192.0.2.1", 0)
