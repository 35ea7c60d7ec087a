"""The commands of `alrakis`, a file each.

A command is a module with NAME, SUMMARY (a line), DESCRIPTION and EXAMPLES (help texts),
`add_arguments(parser)` and `run(args)`, named in COMMANDS. `run` raises AlrakisError for what goes wrong;
what it needs of alrakis it imports when it runs, so that `alrakis --help` is quick.
"""

import argparse
from typing import Protocol

from alrakis.cli import batch, export, info, read, say, voices


class Command(Protocol):
    """What a module in this package offers."""

    NAME: str
    SUMMARY: str
    DESCRIPTION: str
    EXAMPLES: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, args: argparse.Namespace) -> None: ...


COMMANDS: tuple[Command, ...] = (say, read, batch, voices, export, info)
