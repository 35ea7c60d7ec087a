"""docs/serve.md says what is true: what a client can run here runs, and its tables are the code's."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from alrakis.serve.asked import SpeechRequest
from alrakis.serve.settings import Settings, flag
from tests.serve.running import Running

PAGE = (Path(__file__).parents[2] / "docs" / "serve.md").read_text("utf-8")
ADDRESS = "http://127.0.0.1:8000"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def rows(title: str) -> list[list[str]]:
    section = re.findall(rf"^## {title}\n(.*?)(?=^## )", PAGE, re.MULTILINE | re.DOTALL)[0]
    table = [line.strip("| ") for line in section.splitlines() if line.startswith("|")]
    return [re.split(r"\s*\|\s*", line) for line in table[2:]]


CURL = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("curl ")]


@pytest.mark.parametrize("line", CURL)
def test_curl(server: Running, line: str, tmp_path: Path) -> None:
    done = subprocess.run(
        ["bash", "-euc", line.replace(ADDRESS, server.url).replace("curl ", "curl -fsS ", 1)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    for file in re.findall(r"-o (\S+)", line):
        assert (tmp_path / file).stat().st_size > 1000


def test_the_address_that_is_asked_for_speech(server: Running) -> None:
    """SillyTavern's and Open WebUI's, as the page shows them."""
    shown = set(re.findall(rf"{ADDRESS}(/[\w/]*)", PAGE))
    assert {"/v1", "/v1/audio/speech", "/v1/audio/voices"} == shown
    for path in shown - {"/v1"}:
        assert server.get(path).status_code in (200, 405)


@pytest.mark.parametrize("block", blocks("python"))
def test_openai(server: Running, block: str, tmp_path: Path) -> None:
    program = block.replace(ADDRESS, server.url)
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for file in re.findall(r'to_file\("([^"]+)"\)', program):
        assert (tmp_path / file).stat().st_size > 1000


def test_every_field_is_told_with_its_default() -> None:
    told = {row[0].strip("`"): row[1].strip("`") for row in rows("The request")}
    assert told.keys() == SpeechRequest.model_fields.keys()
    for name, field in SpeechRequest.model_fields.items():
        if not field.is_required() and field.default is not None:
            default = str(field.default)
            assert (default.lower() if default in ("True", "False") else default) == told[name], name


def test_every_limit_is_told_with_its_default() -> None:
    told = {row[0].strip("`"): row[1] for row in rows("Limits")}
    limits = [name for name in Settings.model_fields if name.startswith("max_") or name.endswith("_s")]
    assert told == {flag(name): f"{Settings.model_fields[name].default}" for name in limits}


def test_every_option_is_told() -> None:
    for name in Settings.model_fields:
        assert flag(name) in PAGE or name in ("port", "weights", "config"), name
