"""`alrakis serve`: what it is told, and what it says of mistakes."""

import socket
import sys
from pathlib import Path

import pytest

from alrakis.cli.program import make_parser
from alrakis.serve.settings import Settings
from tests.cli.programs import Run, refused


def test_every_setting_has_a_flag_and_every_flag_a_setting() -> None:
    words = (
        "serve --host h --port 1 --wyoming 2 --weights w --config c --set a=b --api-key k --api-key-file f "
        "--open --cors o --aliases a --listen l --max-text-chars 1 --max-body-bytes 1 --max-queued 1 "
        "--max-connections 1 --timeout 1 --read 1 --stall 1 --grace 1 --log-text"
    )
    given = vars(make_parser().parse_args(words.split(" ")))
    assert set(Settings.model_fields) == set(given) - {"run", "parser"}
    assert vars(make_parser().parse_args(["serve"])).keys() == {"run", "parser"}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--host", "0.0.0.0"], "give an api_key, or open"),
        (["--port", "99999"], "--port: "),
        (["--port", "x"], "invalid int value"),
        (["--prot", "1"], "did you mean '--port'"),
        (["--grace", "-1"], "--grace: "),
        (["--set", "thread=1"], "thread"),
        (["--config", "none"], "none"),
        (["--aliases", "none.toml"], "none.toml"),
        (["--api-key-file", "none"], "none"),
        (["--weights", "nowhere"], "nowhere"),
    ],
)
def test_mistakes(run: Run, options: list[str], told: str) -> None:
    weights = [] if "--weights" in options else ["--weights", "demo"]
    ended = run("serve", *weights, "--port", "0", *options)
    assert ended.code in (1, 2)
    assert told in ended.err
    assert "Traceback" not in ended.err


def test_a_mistake_is_told_before_anything_is_loaded(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        ended = run("serve", "--weights", "demo", "--port", str(other.getsockname()[1]))
    assert (ended.code, ended.out) == (1, "")
    assert "cannot listen" in ended.err
    refused(run("serve", "--weights", "demo", "--host", "0.0.0.0"), "api_key")


SERVE = ["fastapi", "prometheus-client", "pydantic-settings", "uvicorn", "wyoming"]


@pytest.mark.parametrize("package", SERVE)
def test_what_is_not_installed_is_told_with_the_extra(
    run: Run, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = [f'{one}>=0; extra == "serve"' for one in SERVE]  # as an installation with extras says it
    monkeypatch.setattr("importlib.metadata.requires", lambda name: wanted)
    module = package.replace("-", "_")
    for name in [name for name in sys.modules if name.startswith(("alrakis.serve", module))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    ended = run("serve", "--weights", "demo", "--port", "0")
    assert (ended.code, ended.out) == (1, "")
    assert f"error: {package} is not installed: pip install 'alrakis[serve]'" in ended.err


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("--port 70000", "--port: "),
        ("--port -1", "--port: "),
        ("--wyoming 70000", "--wyoming: "),
        ("--set threads=x", "threads"),
        ("--set nothing=1", "nothing"),
        ("--set threads", "KEY=VALUE"),
        ("--config nowhere", "presets"),
        ("--api-key-file .", "cannot be read"),
        ("--api-key-file nowhere", "cannot be read"),
        ("--api-key-file empty", "no key"),
        ("--api-key ,", "no key"),
        ("--aliases .", "cannot be read"),
        ("--listen nowhere/model", "model.bin"),
        ("--max-queued inf", "--max-queued: "),
        ("--host 0.0.0.0", "api_key"),
    ],
)
def test_what_cannot_be_is_told_before_it_listens(here: Path, run: Run, wrong: str, told: str) -> None:
    (here / "empty").write_text("\n")
    refused(run("serve", "--weights", "demo", "--port", "0", *wrong.split()), told)
