"""`alrakis export`: make, check, measure or remove the files that the ONNX Runtime backend runs."""

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from alrakis.cli.arguments import add_engine_options, given, parse_overrides
from alrakis.cli.showing import show
from alrakis.errors import InputError

if TYPE_CHECKING:
    from alrakis.config import Config
    from alrakis.export.artifacts import Artifacts, Part
    from alrakis.export.store import Artifact

logger = logging.getLogger("alrakis")

NAME = "export"
SUMMARY = "prepare weights for ONNX Runtime ahead of time, check and measure what was prepared"
DESCRIPTION = """\
Turn weights into the files that the ONNX Runtime backend runs. This happens by itself when they are first
needed, into the cache; here it is done ahead of time, or into a folder to be copied elsewhere."""
EXAMPLES = """\
examples:
  alrakis export --weights bark-small --precision int8
  alrakis export --weights bark-small --precision int8 --verify    (measured against fp32)
  alrakis export --weights bark-small --precision int4 -o small-int4
  alrakis say "Hello" --weights bark-small --config cpu-int4 --set artifacts=small-int4
  alrakis export --clean                                           (they are made again when needed)"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_engine_options(parser)
    parser.add_argument(
        "--precision", choices=("fp32", "int8", "int4"), help="default: the config's (auto: int8)"
    )
    parser.add_argument(
        "-o", "--output", type=given, metavar="DIR", help="export into this folder instead of the cache"
    )
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--verify", action="store_true", help="measure every stage against fp32, and keep the report"
    )
    group.add_argument(
        "--check",
        action="store_true",
        help="check every byte of what is there; in the cache, what is damaged is made again",
    )
    group.add_argument("--clean", action="store_true", help="remove all exports from the cache or DIR")


def run(args: argparse.Namespace) -> None:
    root = None if args.output is None else Path(args.output)
    if args.clean:
        _clean(root)
        return
    from alrakis.progress import working
    from alrakis.weights.types import CodecWeights

    artifacts, parts, root = _open(args, root)
    try:
        for part in parts:
            with working("checking" if args.check else "exporting"):
                artifact = (
                    artifacts.ensure(part, whole=True) if args.check else artifacts.export_into(root, part)
                )
            _show(artifact)
            if args.verify and not isinstance(part, CodecWeights):
                with working("measuring"):
                    report = artifacts.verify(artifact, part)
                show(*(f"  {line}" for line in report.lines()))
    finally:
        artifacts.close()


def _open(args: argparse.Namespace, root: Path | None) -> "tuple[Artifacts, list[Part], Path]":
    """What is to be exported or checked, and the folder for it."""
    from alrakis.backends.onnx.session import check_version, settle_cache
    from alrakis.export.artifacts import Artifacts
    from alrakis.export.store import artifact_cache
    from alrakis.places.given import given_path
    from alrakis.spec import STAGES
    from alrakis.weights import open_weights

    config = settle_cache(_config(args))
    for warning in config.warnings:
        logger.warning("%s", warning)
    check_version(config.kv_cache)
    root = root or (given_path(config.artifacts) if config.artifacts else None)
    if root and args.check:
        config = config.model_copy(update={"artifacts": str(root)})
    weights = open_weights(args.weights)
    weights.fetch()
    artifacts = Artifacts(weights, config)
    return artifacts, [*map(weights.stage, STAGES), weights.codec()], root or artifact_cache()


def _show(artifact: "Artifact") -> None:
    facts = artifact.facts
    size = f"{artifact.size_bytes / 1e6:.1f} MB"
    show(f"{facts['part']:<7}{facts['precision']:<5}{size:>10}  {artifact.folder}")


def _clean(root: Path | None) -> None:
    from alrakis.export.store import Store, artifact_cache

    store = Store(root or artifact_cache())
    if root and not root.is_dir():
        raise InputError(f"there is no folder {root}")
    freed = [store.remove(folder) for folder in store.folders()]
    store.remove_unfinished()
    show(f"removed {len(freed)} artifacts ({sum(freed) / 1e6:.1f} MB) from {store.root}")


def _config(args: argparse.Namespace) -> "Config":
    """The config given; with only a precision, the CPU preset of that precision."""
    from alrakis.auto import resolve_config

    overrides = parse_overrides(args.overrides)
    name = args.config
    if args.precision is not None:
        if name == "auto":
            name = f"cpu-{args.precision}"
        overrides["precision"] = args.precision
    config = resolve_config(name, overrides)
    if config.backend != "onnx":
        raise InputError(
            f"the config {config.name!r} runs on {config.backend}, which needs no export; "
            "give --precision, or a config of the onnx backend (cpu-int8)"
        )
    return config
