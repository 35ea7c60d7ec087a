"""The commands of `alrakis`, each a module of this package.

A command has NAME, SUMMARY (a line), DESCRIPTION and EXAMPLES (help texts), `add_arguments(parser)` and
`run(args)`, which raises AlrakisError if something goes wrong. Most imports are inside `run`, so that
`alrakis --help` is fast.
"""

import argparse
from typing import Protocol

from alrakis.cli import batch, completion, export, info, read, say, serve, voices


class Command(Protocol):
    """What the module of a command has."""

    NAME: str
    SUMMARY: str
    DESCRIPTION: str
    EXAMPLES: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, args: argparse.Namespace) -> None: ...


COMMANDS: tuple[Command, ...] = (say, read, batch, serve, voices, export, info, completion)
