"""The model hub: what its cache on this machine has, whether it can be reached, and downloads from it.

Its client's variables (HF_ENDPOINT, HF_HUB_OFFLINE, HF_HOME, ...) are read when they are needed. Whether
there is a network is found out before the client is asked, which would try again for half a minute.
"""

import contextlib
import logging
import os
import socket
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from alrakis.files.parsing import read_file
from alrakis.places.folders import hub_cache, variable

PATIENCE_S = 2.0  # for a name to be resolved and a connection to be made
_TRUE = ("1", "ON", "YES", "TRUE")  # as the hub's client reads its flags
_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080, "socks4": 1080}


class HubError(Exception):
    """A file cannot be had from the hub; the message is the reason, in a line."""


def snapshots(repository: str) -> list[Path]:
    """The folders of a repository's revisions in the cache, `main` first, then the newest."""
    folder = hub_cache() / f"models--{repository.replace('/', '--')}"
    try:
        found = sorted((folder / "snapshots").iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    except OSError:
        return []
    try:
        main = read_file(folder / "refs" / "main", 1000).decode("utf-8").strip()
    except (OSError, ValueError):
        main = "main"
    return sorted(found, key=lambda path: path.name != main)


def cached(repository: str, name: str) -> Path | None:
    """The path of a repository's file in the cache, or None."""
    for folder in snapshots(repository):
        path = folder / name
        with contextlib.suppress(OSError):
            if path.is_file():
                return path
    return None


def endpoint() -> str:
    """The hub's address."""
    return (variable("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


def unreachable() -> str | None:
    """Why nothing can be downloaded now, in a line; None if the hub answers. It takes PATIENCE_S at most."""
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        if (variable(name) or "").upper() in _TRUE:
            return f"offline mode is on ({name}={os.environ[name]})"
    address = urllib.parse.urlsplit(endpoint())
    through = _proxy(address.scheme, address.hostname or "")
    try:
        target = urllib.parse.urlsplit(through) if through else address
        host, port = target.hostname, target.port or _PORTS.get(target.scheme, 443)
    except ValueError as error:
        return f"{through or endpoint()} is no address: {error}"
    if not host:
        return f"{through or endpoint()} is no address"
    return _silence(host, port, f"the proxy {host}" if through else host)


def download(repository: str, name: str) -> Path:
    """Download a file into the hub's cache; a broken download is gone on with. Raises HubError."""
    reason = unreachable()
    if reason:
        raise HubError(reason)
    try:
        from huggingface_hub import hf_hub_download

        with _quiet("huggingface_hub"):
            return Path(hf_hub_download(repository, name, cache_dir=hub_cache(), endpoint=endpoint()))
    except Exception as error:  # of the client, its HTTP library, the system
        cause = error.__cause__ or error
        said = str(cause).strip().splitlines()
        raise HubError(f"{type(cause).__name__}: {said[0] if said else 'no reason given'}") from None


def _proxy(scheme: str, host: str) -> str | None:
    proxies = urllib.request.getproxies()
    through = proxies.get(scheme) or proxies.get("all")
    if not through or urllib.request.proxy_bypass(host):
        return None
    return through if "://" in through else f"http://{through}"


def _silence(host: str, port: int, what: str) -> str | None:
    """Why a connection cannot be made; resolving a name knows no time limit, so a thread waits for it."""
    said: list[str | None] = []

    def connect() -> None:
        try:
            socket.create_connection((host, port), timeout=PATIENCE_S).close()
            said.append(None)
        except socket.gaierror:
            said.append(f"the name {host!r} cannot be resolved: there is no network, or no name server")
        except (OSError, UnicodeError, OverflowError) as error:
            said.append(f"{what} cannot be reached: {getattr(error, 'strerror', None) or error}")

    thread = threading.Thread(target=connect, name="alrakis-hub", daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    return said[0] if said else f"{what} does not answer within {PATIENCE_S:g} s"


@contextlib.contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Let a library's logger tell errors only: what failed is told by us, once."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
