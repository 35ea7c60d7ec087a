"""`alrakis-bench peers`: environments for other implementations of Bark."""

import argparse
import logging

from alrakis.bench.peers.recipes import RECIPES
from alrakis.errors import InputError

NAME = "peers"
SUMMARY = "install, list and remove other implementations of Bark"
DESCRIPTION = """\
Make a virtual environment for a peer, with versions that were tried together, in alrakis' cache.
`alrakis-bench run --peer` then runs it there; without one it runs where alrakis is, if it is there."""
EXAMPLES = """\
examples:
  alrakis-bench peers list
  alrakis-bench peers install optimum-onnx
  alrakis-bench peers remove optimum-onnx"""

logger = logging.getLogger("alrakis")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("list", "install", "remove"))
    parser.add_argument("name", metavar="NAME", nargs="?", help=f"{', '.join(RECIPES)}; `list` takes none")


def run(args: argparse.Namespace) -> None:
    from alrakis.bench.peers.environments import install, remove
    from alrakis.bench.peers.recipes import recipe_of
    from alrakis.progress import working

    if args.action == "list":
        if args.name is not None:
            raise InputError(f"`list` lists all peers, and takes no name: not {args.name!r}")
        _list()
        return
    if args.name is None:
        raise InputError(f"which peer? There are {', '.join(RECIPES)}")
    recipe = recipe_of(args.name)
    if args.action == "remove":
        logger.info("removed %s" if remove(args.name) else "%s was not installed", args.name)
        return
    logger.info("installing %s: %s", args.name, recipe.takes)
    with working(f"installing {args.name}"):
        made = install(args.name)
    versions = ", ".join(f"{name} {version}" for name, version in made.versions.items())
    logger.info("installed %s in %s: %s", made.name, made.folder, versions)
    logger.info("--peer %s runs there", " and --peer ".join(recipe.peers))


def _list() -> None:
    from alrakis.bench.peers.environments import installed
    from alrakis.bench.record.tables import Table
    from alrakis.bench.record.terminal import make_console, print_table

    there = {one.name: one for one in installed()}
    rows = []
    for name, recipe in RECIPES.items():
        one = there.get(name)
        versions = [f"{package} {version}" for package, version in one.versions.items()] if one else []
        rows.append([name, ", ".join(recipe.peers), ", ".join(versions[:4]) or "not installed"])
    print_table(make_console(), "peers", Table(["name", "--peer", "environment"], rows), words=(1, 2))
