"""Reaching a cluster: what names one, and what is told where none is."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alrakis.cluster import address as address_module
from alrakis.cluster.address import check_address, connected
from alrakis.errors import BackendError, InputError
from tests.cli.programs import alrakis_process
from tests.jobs.batches import QUICK, write_items
from tests.processes import free_port


@pytest.mark.parametrize("address", ["local", "auto", "10.0.0.1:6379", "head.example.com:6379"])
def test_what_names_a_cluster(address: str) -> None:
    check_address(address)


@pytest.mark.parametrize("address", ["", "head", "10.0.0.1", "http://head:8265", "ray://head:10001"])
def test_what_names_none(address: str) -> None:
    with pytest.raises(InputError):
        check_address(address)


def test_within_the_block_this_is_a_driver_with_our_own_signals(one_machine: str) -> None:
    import ray

    before = signal.getsignal(signal.SIGTERM)
    with connected(one_machine):
        assert ray.is_initialized()
        assert signal.getsignal(signal.SIGTERM) is before
        with connected(one_machine):  # it is in one already
            pass
        assert ray.is_initialized()
    assert not ray.is_initialized()
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.cluster
def test_workers_here_go_behind_nothing_else_that_runs(ray_here: None) -> None:
    """Ray would give them the place of what can wait."""
    code = """
import os
from alrakis.cluster.address import connected
with connected("local"):
    import ray
    print(ray.get(ray.remote(lambda: os.nice(0)).remote()))
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert int(told) == os.nice(0)


def test_where_there_is_none_it_is_told_in_a_line(ray_here: None) -> None:
    address = f"127.0.0.1:{free_port()}"
    with (
        pytest.raises(BackendError, match=f"there is no Ray cluster at {address}") as error,
        connected(address),
    ):
        pass
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", None])
def test_what_listens_there_may_be_something_else(
    ray_here: None, monkeypatch: pytest.MonkeyPatch, answer: bytes | None
) -> None:
    """It answers otherwise, or not at all."""
    monkeypatch.setattr(address_module, "REACH_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"

        def serve() -> None:
            caller, _ = server.accept()
            with caller:
                caller.recv(100)
                if answer is None:
                    over.wait()
                else:
                    caller.sendall(answer)

        over = threading.Event()
        serving = threading.Thread(target=serve)
        serving.start()
        with pytest.raises(BackendError, match=f"there is no Ray cluster at {address}: "), connected(address):
            pass
        over.set()
        serving.join()


@pytest.mark.cluster
def test_a_cluster_whose_token_is_not_known_is_told_of_in_a_line(one_machine: str, here: Path) -> None:
    write_items(here, {"text": "Hello."})
    strange = {"HOME": str(here), "RAY_AUTH_TOKEN": "", "RAY_AUTH_MODE": "token"}
    arguments = ["batch", "t.jsonl", "-o", "out", *QUICK, "--ray", one_machine]
    ended = alrakis_process(*arguments, folder=here, **strange)
    assert ended.code == 1
    assert f"the cluster at {one_machine} asks for its token: set RAY_AUTH_MODE=token" in ended.err
    assert "Traceback" not in ended.err
    ended = alrakis_process(*arguments, folder=here, HOME=str(here), RAY_AUTH_MODE="disabled")
    assert ended.code == 1
    assert "if it asks for a token, set RAY_AUTH_MODE=token" in ended.err


@pytest.mark.cluster
def test_a_cluster_without_a_token_is_told_of_to_who_has_one(
    machines: Callable[..., Any], here: Path
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "disabled")
        address = machines(1).address
    write_items(here, {"text": "Hello."})
    arguments = ["batch", "t.jsonl", "-o", "out", *QUICK, "--ray", address]
    ended = alrakis_process(*arguments, folder=here)
    assert ended.code == 1
    assert "RAY_AUTH_MODE, here token, must be that of its head" in ended.err
    assert alrakis_process(*arguments, folder=here, RAY_AUTH_MODE="disabled").code == 0
