"""`alrakis completion`: a script that completes commands, options and files in a shell."""

import argparse

from alrakis.cli.showing import show_text

NAME = "completion"
SUMMARY = "print a script that completes commands and options in your shell"
DESCRIPTION = "Print a completion script for a shell. It has to be read once in each session."
EXAMPLES = """\
examples:
  alrakis completion bash > ~/.local/share/bash-completion/completions/alrakis
  alrakis completion zsh > ~/.zsh/_alrakis            (a folder in $fpath)
  alrakis completion tcsh > ~/.alrakis.completion     (source it in ~/.tcshrc)"""
SHELLS = ("bash", "zsh", "tcsh")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=SHELLS, help="for which shell")


def run(args: argparse.Namespace) -> None:
    import shtab

    from alrakis.cli.program import make_parser

    parser = make_parser()
    for command in _commands(parser):
        for action in command._actions:
            if action.metavar in ("FILE", "AUDIO", "TOML", "NAME|FILE", "NPZ", "NAME|NPZ"):
                action.complete = shtab.FILE  # type: ignore[attr-defined]
            elif action.metavar in ("DIR", "NAME|DIR"):
                action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    show_text(shtab.complete(parser, args.shell))


def _commands(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """The parsers of all commands."""
    found = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found += list(action.choices.values())
    return found
