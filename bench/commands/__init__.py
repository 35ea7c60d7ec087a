"""The commands of `alrakis-bench`, a file each, as `alrakis.commands` describes a command."""

from alrakis.bench.commands import compare, report, run, tune
from alrakis.commands import Command

COMMANDS: tuple[Command, ...] = (run, compare, report, tune)
