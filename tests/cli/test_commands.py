"""Every command is whole: named, explained with examples that it understands, and quick to be asked."""

import pkgutil
import re
import shlex
import subprocess
import sys
from types import ModuleType
from typing import Any

import pytest

import alrakis.cli
from alrakis.cli.commands import COMMANDS, Command
from alrakis.cli.program import make_parser
from tests.cli.programs import Run

SHARED = {
    "showing",
    "takes",
    "arguments",
    "book",
    "clusters",
    "reports",
    "commands",
    "machine_info",
    "output",
    "player",
    "program",
}  # of several commands


def named(command: Any) -> str:
    return str(command.NAME)


def test_every_command_in_the_folder_is_there_once() -> None:
    modules = {module.name for module in pkgutil.iter_modules(alrakis.cli.__path__)}
    assert sorted(map(named, COMMANDS)) == sorted(modules - SHARED)


@pytest.mark.parametrize("command", COMMANDS, ids=named)
def test_a_command_has_what_the_program_asks_for(command: Command, run: Run) -> None:
    assert isinstance(command, ModuleType)
    assert command.__name__ == f"alrakis.cli.{command.NAME}"
    assert "\n" not in command.SUMMARY
    shown = run(command.NAME, "--help").out
    for text in (command.DESCRIPTION, command.EXAMPLES):
        assert text.strip() in shown
    assert re.search(rf"^    {command.NAME}\s", run("--help").out, re.MULTILINE)


def examples(command: Command) -> list[list[str]]:
    """The words behind `alrakis` of every example, as a shell would give them."""
    lines = re.findall(r"^  .*?\balrakis ([^\n]*)", command.EXAMPLES, re.MULTILINE)
    calls = [call for line in lines for call in re.split(r"; alrakis | \| ", line)]
    return [
        shlex.split(re.sub(r"\s{2,}\(.*| > .*", "", call)) for call in calls if call.split()[0] != "aplay"
    ]


@pytest.mark.parametrize("command", COMMANDS, ids=named)
def test_examples_are_understood(command: Command) -> None:
    assert examples(command)
    for arguments in examples(command):
        args = make_parser().parse_args(arguments)
        assert args.run in [other.run for other in COMMANDS]


def test_help_imports_nothing_that_takes_time() -> None:
    code = "import sys\nfrom alrakis.cli.program import make_parser\nmake_parser().format_help()\n"
    code += "print(*(name for name in ('numpy', 'torch', 'onnxruntime', 'pydantic') if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
