"""Completion scripts name every command and its options."""

import pytest

from alrakis.cli.commands import COMMANDS
from alrakis.cli.completion import SHELLS
from tests.cli.programs import Run


@pytest.mark.parametrize("shell", SHELLS)
def test_scripts_name_commands_and_options(shell: str, run: Run) -> None:
    ended = run("completion", shell)
    assert ended.code == 0
    assert all(command.NAME in ended.out for command in COMMANDS)
    assert "--weights" in ended.out or "weights" in ended.out
