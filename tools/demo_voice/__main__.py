"""`python -m demo_voice STEP`: the way from texts to the demo voice's weights, a command a step."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from alrakis.weights.demo.weights import FOLDER
from demo_voice import steps

RENEWED = {
    "from_nothing": "begin with random parameters",
    "new_codec": "train the codec on, and all that follows",
    "new_refiner": "train the refiner on, and the fine model and the decoder that follow",
}


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo_voice", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="STEP")
    for step in steps.STEPS:
        _add_work(commands.add_parser(step.__name__, help=step.__doc__))
    _add_work(commands.add_parser("all", help="every step of these, one after the other"))
    wer = commands.add_parser("evaluate", help="word error rates of the packed voice, a table (`make wer`)")
    wer.add_argument("--weights", type=Path, default=FOLDER, help="folder (default: the package's)")
    wer.add_argument("--configs", nargs="+", help="default: one of each backend and precision")
    wer.add_argument("--sets", nargs="+", choices=("dev", "long", "number"), help="default: all")
    wer.add_argument("--drawn", nargs="+", choices=("greedy", "default"), default=["greedy", "default"])
    wer.add_argument("--voices", nargs="+", help="as demo/rms; default: none, and each of the demo's")
    wer.add_argument("--limit", type=int, help="only so many sentences of each set")
    wer.add_argument("--show", action="store_true", help="print what was heard")
    windows = commands.add_parser("windows", help="what windows unlike Bark's cost, a table (`make windows`)")
    windows.add_argument("--weights", type=Path, default=FOLDER, help="folder (default: the package's)")
    windows.add_argument(
        "--split", nargs="+", metavar="HISTORY/WINDOW", help="of cpu-int8, instead of the presets' own"
    )
    windows.add_argument("--limit", type=int, help="only so many sentences of each set")
    windows.add_argument("--keep", type=Path, help="a folder that keeps the figures of single utterances")
    _add_looks(commands)
    return parser


def _add_looks(commands: Any) -> None:
    """What looks at packed weights otherwise."""
    gain = commands.add_parser("fine_gain", help="what the fine stage is worth, a table")
    gain.add_argument("--weights", type=Path, default=FOLDER, help="folder (default: the package's)")
    gain.add_argument("--limit", type=int, default=24, help="sentences (default: %(default)s)")
    picture = commands.add_parser("spectrogram", help="spectrograms of flite and of packed weights, a PNG")
    picture.add_argument("--weights", type=Path, nargs="+", default=[FOLDER], help="folders, one or more")
    picture.add_argument("-o", "--output", type=Path, default=Path("out/spectrogram.png"))


def main(arguments: Sequence[str] | None = None) -> None:
    asked = make_parser().parse_args(arguments)
    import torch

    torch.set_num_threads(1)  # two steps at a time, a core each, beat one with two threads
    if asked.command == "evaluate":
        _evaluate(asked)
        return
    if asked.command == "windows":
        from demo_voice.windows import judge, variants

        judge(asked.weights, variants(asked.split), asked.limit, asked.keep)
        return
    if asked.command == "fine_gain":
        from demo_voice.fine_gain import fine_gain

        print("\n".join(fine_gain(asked.weights, steps.SPEAKERS, asked.limit)))
        return
    if asked.command == "spectrogram":
        from demo_voice.spectrogram import draw_spectrograms

        distances = draw_spectrograms(asked.weights, asked.output)
        print(f"{asked.output}: log-mel distances to flite " + ", ".join(f"{one:.3f}" for one in distances))
        return
    make = steps.toy if asked.toy else steps.whole
    work = make(asked.work, **{name: getattr(asked, name) for name in RENEWED})
    for step in steps.STEPS:
        if asked.command in (step.__name__, "all"):
            print(f"{step.__name__}: {step.__doc__}", flush=True)
            step(work)


def _add_work(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--work", type=Path, default=Path("out/demo_voice"), help="default: %(default)s")
    parser.add_argument("--toy", action="store_true", help="a little of everything, to try the steps")
    for name, what in RENEWED.items():
        parser.add_argument(f"--{name.replace('_', '-')}", action="store_true", help=what)


def _evaluate(asked: argparse.Namespace) -> None:
    from demo_voice.evaluate import CONFIGS, SETS, VOICES, evaluate

    for drawn in asked.drawn:
        evaluate(
            asked.weights,
            asked.configs or CONFIGS,
            asked.sets or SETS,
            greedy=drawn == "greedy",
            voices=asked.voices or VOICES,
            limit=asked.limit,
            show=asked.show,
        )


if __name__ == "__main__":
    main()
