"""`python -m tests.fuzz`: damage files, have them read, and count what goes wrong.

Input N of a reader is the same every time: `python -m tests.fuzz --reader voice --first N --inputs 1`.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz.readers import READERS
from tests.fuzz.seeds import write_seeds
from tests.fuzz.worker import COUNTS, MOST, Shared, fuzz

WRONG = COUNTS[2:]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--reader", action="append", help="only this one; may be given again")
    parser.add_argument(
        "--inputs", type=int, default=10**9, help="how many; one reader alone has its share of them"
    )
    parser.add_argument(
        "--minutes", type=float, default=10**6, help="how long at most; one reader alone has its share"
    )
    parser.add_argument("--first", type=int, default=0, help="the number of the first input of each reader")
    parser.add_argument("--keep", type=Path, help="a folder for the inputs that something goes wrong with")
    args = parser.parse_args()
    chosen = [reader for reader in READERS if not args.reader or reader.name in args.reader]
    shares = sum(reader.share for reader in READERS)
    table: dict[str, tuple[Shared, float]] = {}
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None  # several times as fast as a disk
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=memory) as folder:
        tempfile.tempdir = folder
        os.environ["ALRAKIS_CACHE"] = f"{folder}/cache"
        if not os.fork():  # torch, which writes some seeds, is not to be in the readers' memory
            write_seeds(Path(folder) / "seeds")
            os._exit(0)
        if os.wait()[1]:
            sys.exit("the seeds cannot be written")
        for reader in chosen:
            began = time.monotonic()
            stop = args.first + -(-args.inputs * reader.share // shares)
            until = began + 60 * args.minutes * reader.share / shares
            shared = fuzz(
                reader, Path(folder) / "seeds", args.first, stop, until, args.keep and args.keep.resolve()
            )
            table[reader.name] = shared, time.monotonic() - began
            print(_row(reader.name, shared, table[reader.name][1]), file=sys.stderr, flush=True)
    _print(table)
    sys.exit(any(shared.count(what) for shared, _ in table.values() for what in WRONG))


def _row(name: str, shared: Shared, seconds: float) -> str:
    counts = " | ".join(f"{shared.count(what):,}" for what in COUNTS)
    slowest, largest = (shared.most(what) for what in MOST)
    return f"| {name} | {counts} | {slowest:.2f} | {largest:.0f} | {seconds:.0f} s |"


def _print(table: dict[str, tuple[Shared, float]]) -> None:
    print(f"| reader | {' | '.join(COUNTS + MOST)} | time |")
    print("|---" * (len(COUNTS) + len(MOST) + 2) + "|")
    whole = Shared()
    for name, (shared, seconds) in table.items():
        whole.numbers[: len(COUNTS)] += shared.numbers[: len(COUNTS)]
        for what in MOST:
            whole.measured(what, shared.most(what))
        print(_row(name, shared, seconds))
    print(_row("all", whole, sum(seconds for _, seconds in table.values())))


if __name__ == "__main__":
    main()
