"""The command line of alrakis: the program, what its commands share, and a file a command."""

from alrakis.cli.program import main as main
