"""Running a server: its socket, the loading of weights, signals, and a graceful end."""

import asyncio
import contextlib
import functools
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI

from alrakis.engine import Engine
from alrakis.errors import BackendError
from alrakis.serve import LOADING
from alrakis.serve.app import make_app
from alrakis.serve.connections import connection_class
from alrakis.serve.logs import Log, Logging, Write, to_stderr
from alrakis.serve.service import Service
from alrakis.serve.settings import Settings
from alrakis.serve.wyoming_server import WyomingServer

BACKLOG = 256  # connections that are taken in at once: each is an open file
SEND_BYTES = 1 << 17  # that the system keeps for a client who does not read; the engine waits beyond them
KEEP_ALIVE_S = 30
TELL_S = 2.0  # after the grace period: for those who are told that it is over


class Server(uvicorn.Server):
    """uvicorn's, which at a first signal lets its service finish, and at a second ends at once."""

    def __init__(
        self,
        config: uvicorn.Config,
        service: Service,
        wyoming: contextlib.AbstractAsyncContextManager[None] | None = None,
    ) -> None:
        super().__init__(config)
        self.service = service
        self._wyoming = wyoming
        self.failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending: asyncio.Task[None] | None = None
        self.signals: list[int] = []

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals end the server within the block; the first of them is told to the program after it."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = [signal.SIGINT, signal.SIGTERM]
        before = {number: signal.signal(number, self.handle_exit) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        if self.signals:
            signal.raise_signal(self.signals[0])

    def handle_exit(self, sig: int, frame: Any) -> None:
        """A signal came."""
        self.signals.append(sig)
        if self._loop is None:  # it has not begun
            self.should_exit = True
        elif len(self.signals) > 2:
            self.should_exit = self.force_exit = True
        else:
            self._loop.call_soon_threadsafe(self.end if len(self.signals) == 1 else self.end_now)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """uvicorn's, which leaves the application unended where it is in a hurry: that is a traceback."""
        await super().shutdown(sockets)
        if self.force_exit:
            await self.lifespan.shutdown()

    def end_now(self) -> None:
        """End without waiting for what is under way, which is told. For the event loop's thread."""
        self.service.give_up()
        self.should_exit = True

    def end(self) -> None:
        """End when what is under way is finished, or has had its time. For the event loop's thread."""
        if self._ending is None:
            self._ending = asyncio.ensure_future(self._end())

    async def _end(self) -> None:
        await self.service.stop(self.service.settings.grace_s)
        self.should_exit = True

    def give_up(self, error: BaseException) -> None:
        """The weights cannot be had: end, and let `run_server` raise it."""
        self.failure = error
        self.service.failed(error)
        self.should_exit = True

    @asynccontextmanager
    async def loaded(self, api: FastAPI) -> AsyncIterator[None]:
        """Load the weights while the server answers already."""
        self._loop = asyncio.get_running_loop()
        load(self.service, self._loop, self.give_up)
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(self.service.close)
            if self._wyoming is not None:
                await stack.enter_async_context(self._wyoming)
            yield


def load(
    service: Service, loop: asyncio.AbstractEventLoop, failed: Callable[[BaseException], None]
) -> threading.Thread:
    """Load the weights in a thread that ends with the process."""

    def work() -> None:
        try:
            service.engine.preload()
            told: Callable[[], None] = service.loaded
        except BaseException as error:  # told by the thread that waits
            told = functools.partial(failed, error)
        with contextlib.suppress(RuntimeError):  # the server has ended meanwhile
            loop.call_soon_threadsafe(told)

    thread = threading.Thread(target=work, name=LOADING, daemon=True)
    thread.start()
    return thread


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises BackendError, in a line, where that cannot be."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise BackendError(f"there is no address {host!r} to listen on: {error}") from None
    family, kind, protocol, _, address = found[0]
    listening = socket.socket(family, kind, protocol)
    try:
        if hasattr(socket, "SO_REUSEADDR") and socket.SO_REUSEADDR:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)  # of each connection
        listening.bind(address)
        listening.listen(BACKLOG)
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        reason = error.strerror or error
        raise BackendError(
            f"cannot listen on {host} port {port}: {reason}; give another --port, or end what uses it"
        ) from None
    return listening


def make_server(
    engine: Engine, settings: Settings, wyoming: socket.socket | None = None, write: Write = to_stderr
) -> tuple[Server, Log]:
    """A server that does not run yet, and its log. wyoming: for Home Assistant. Raises ConfigError."""
    service = Service(engine, settings)
    log = Log(text=settings.log_text, failed=service.metrics.unlogged.inc, write=write)
    holder: list[Server] = []

    @asynccontextmanager
    async def lifespan(api: FastAPI) -> AsyncIterator[None]:
        async with holder[0].loaded(api):
            yield

    config = uvicorn.Config(
        make_app(service, log, lifespan),
        http=connection_class(
            head_s=settings.read_s, stall_s=settings.stall_s, most=settings.max_connections
        ),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=int(TELL_S),
        backlog=BACKLOG,
    )
    home = WyomingServer(service, log).serving(wyoming) if wyoming is not None else None
    holder.append(Server(config, service, home))
    return holder[0], log


def run_server(
    engine: Engine, settings: Settings, started: Callable[[str], None] = lambda address: None
) -> None:
    """Serve until a signal comes. started: is told the address as soon as it listens.

    Raises BackendError where it cannot listen, ConfigError for settings that do not go with the weights,
    InputError for a recogniser that is none, and what stops the weights from being loaded.
    """
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(listen(settings.host, settings.port))
        home = (
            None if settings.wyoming is None else stack.enter_context(listen(settings.host, settings.wyoming))
        )
        server, log = make_server(engine, settings, home)
        started(address_of(listening, settings.host))
        stack.enter_context(Logging(log))
        asyncio.run(server.serve(sockets=[listening]))
    if server.failure is not None:
        raise server.failure


def address_of(listening: socket.socket, host: str) -> str:
    """What a client on this machine calls."""
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://{f'[{name}]' if ':' in name else name}:{listening.getsockname()[1]}"
