"""The command line of alrakis: the program, what the commands share, and a module for each command."""

from alrakis.cli.program import main as main
