"""The commands of `alrakis-bench`, a file each, as `alrakis.cli.commands` describes a command."""

from alrakis.bench.commands import compare, report, run, tune
from alrakis.cli.commands import Command

COMMANDS: tuple[Command, ...] = (run, compare, report, tune)
