"""Reaching a Ray cluster, or starting one on this machine."""

import contextlib
import logging
import os
import re
import secrets
import signal
import socket
import threading
from collections.abc import Iterator
from typing import Any

from alrakis.errors import BackendError, InputError

LOCAL = "local"
REACH_S = 10.0
_TOKEN_HINT = "set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN or ~/.ray/auth_token to what its head has"
_TLS = "RAY_USE_TLS"  # Ray's variable: what it then says first, nobody can read
_SETTINGS = b"\x04"
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + _SETTINGS + bytes(5)  # RFC 9113, 3.4
_HOST = re.compile(r"[^\s/]+:\d{1,5}")


def check_address(address: str) -> None:
    """Raises InputError for what names no cluster."""
    if address in (LOCAL, "auto") or _HOST.fullmatch(address):
        return
    if address.startswith("ray://"):
        raise InputError(
            f"{address} is Ray Client's, which loses work with its connection: run alrakis on the cluster "
            "(`ray job submit -- alrakis batch ... --ray auto`), or give HOST:PORT of its head"
        )
    raise InputError(
        f"--ray is local, auto (the cluster that this machine is in) or HOST:PORT, not {address!r}"
    )


@contextlib.contextmanager
def connected(address: str) -> Iterator[None]:
    """Within the block this process is a driver of the cluster; one that it is in already is left as it is.

    Raises ModuleNotFoundError without Ray, InputError for what names no cluster, BackendError where none is.
    """
    check_address(address)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if address == LOCAL:
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")  # listen to this machine alone
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))  # else one is left in ~/.ray
        os.environ.setdefault("RAY_worker_niceness", "0")  # else all that runs here goes before its workers
    import ray

    if ray.is_initialized():
        yield
        return
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address == LOCAL:
        quiet["include_dashboard"] = False
    with _silent(), contextlib.ExitStack() as stack:
        stack.callback(ray.shutdown)
        _init(address, quiet)
        yield


def _init(address: str, quiet: dict[str, Any]) -> None:
    import ray

    _reach(address)
    with _own_signals():
        try:
            ray.init(address, **quiet)
        except ray.exceptions.AuthenticationError:
            raise BackendError(f"the cluster at {address} asks for its token: {_TOKEN_HINT}") from None
        except ConnectionError as error:
            reason = " ".join(str(error).split())
            raise BackendError(
                f"there is no Ray cluster at {address}: {reason:.300}; if it asks for a token, {_TOKEN_HINT}"
            ) from None
        except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
            reason = " ".join(str(error).split())
            raise BackendError(f"there is no Ray cluster at {address}: {reason:.300}") from None


def _reach(address: str) -> None:
    """Raises BackendError where nobody listens who could be Ray, for whom Ray waits minutes."""
    host, colon, port = address.rpartition(":")
    if not colon:
        return
    try:
        with socket.create_connection((host.strip("[]"), int(port)), REACH_S) as speaking:
            if _TLS in os.environ:
                return
            speaking.sendall(_PREFACE)
            answer = speaking.recv(9)
    except (OSError, OverflowError) as error:
        raise BackendError(f"there is no Ray cluster at {address}: {error}") from None
    if answer[3:4] != _SETTINGS:
        raise BackendError(f"there is no Ray cluster at {address}: something else listens there")


@contextlib.contextmanager
def _own_signals() -> Iterator[None]:
    """Keep our answer to SIGTERM, which Ray replaces by one of its own."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Ray tells of workers that end on standard output, and has no switch for it; that stream is ours."""
    from ray._private import worker

    before = getattr(worker, "print_to_stdstream", None)
    worker.print_to_stdstream = lambda *data, **how: None
    try:
        yield
    finally:
        worker.print_to_stdstream = before
