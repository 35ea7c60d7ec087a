"""The commands of `alrakis-bench`: modules as `alrakis.cli.commands` describes them."""

from alrakis.bench.commands import compare, peers, report, results, run, submit, tune
from alrakis.cli.commands import Command

COMMANDS: tuple[Command, ...] = (run, compare, report, peers, submit, results, tune)
