"""`python -m alrakis.bench.cluster driver` and `overhead`: what docs/cluster.md tells, on this machine."""

import argparse
import os
import resource
import tempfile
import time
from pathlib import Path

from alrakis.bench.cluster import overhead
from alrakis.bench.cluster.nothing import BYTES, Nothing
from alrakis.cluster import pool
from alrakis.cluster.nodes import Size
from alrakis.cluster.planner import Planner
from alrakis.cluster.speaking import cluster_at
from alrakis.jobs.batch_texts import BatchItem
from alrakis.jobs.batching import Batch
from alrakis.jobs.bucket import batch_folder
from alrakis.jobs.rows import BatchTask
from alrakis.jobs.settings import Asked, job_settings

TEXT = "This is the text of row {}, and it is about as long as a sentence is."
PARTS = 10  # of a run, for each of which memory is told


def main() -> None:
    """Run what the arguments name."""
    parser = argparse.ArgumentParser(prog="python -m alrakis.bench.cluster", description=__doc__)
    parser.add_argument("what", choices=("driver", "overhead"))
    parser.add_argument("--rows", type=int, help="of driver (10000), of overhead (200)")
    parser.add_argument("--bytes", type=int, default=192_000, help="of each file: 4 s of wav")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--turns", type=int, default=3, help="of overhead")
    parser.add_argument("--out", help="where files go: a folder or an address (default: one that is removed)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if args.what == "driver":
            _driver(args, args.rows or 10_000, args.out or f"{folder}/out")
        else:
            texts = [TEXT.format(number) for number in range(args.rows or 200)]
            overhead.compare(texts, args.turns, Path(folder))


def _driver(args: argparse.Namespace, rows: int, place: str) -> None:
    """Rows a second that one driver gives out, takes in and writes, and its memory on the way."""
    os.environ[BYTES] = str(args.bytes)
    vars(pool)["Worker"] = Nothing
    items = [
        BatchItem(line=number, id=f"{number:06}", file=f"{number:06}.wav", text=TEXT.format(number))
        for number in range(rows)
    ]
    planner, folder = Planner("demo", "cpu-fp32", threads=1), batch_folder(place)
    settings = job_settings(planner, Asked(seed=1), None, None, {})
    size = Size(args.workers, args.workers, 0.5)
    began_s = time.perf_counter()
    with folder.hold(), cluster_at("local", size) as cluster:
        batch = Batch(planner, BatchTask(items, settings), folder, cluster.sayer)
        first_s = None
        for count, _ in enumerate(batch.make(), 1):
            if first_s is None:
                first_s = time.perf_counter()
                print(f"the first of {rows} rows after {first_s - began_s:.1f} s, {_memory()}")
            if count % max(1, rows // PARTS) == 0:
                rate = count / (time.perf_counter() - first_s)
                print(f"{count} rows: {rate:.0f} rows a second, {_memory()}", flush=True)


def _memory() -> str:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return f"{pages * resource.getpagesize() >> 20} MiB now, {peak >> 10} MiB at most"


if __name__ == "__main__":
    main()
