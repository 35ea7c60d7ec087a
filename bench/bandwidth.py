"""How fast this machine reads its memory."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

_TOTAL_BYTES = 2**30  # that all threads read; no cache holds it
_LEAST_BYTES = 64 * 2**20  # for each thread


def read_bandwidth(threads: int, repeats: int = 7) -> float:
    """Bytes a second that `threads` threads read together: the median over `repeats` runs."""
    size_bytes = max(_LEAST_BYTES, _TOTAL_BYTES // threads)
    arrays = [np.ones(size_bytes // 4, np.float32) for _ in range(threads)]
    rates = []
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(repeats):
            began = time.perf_counter()
            list(pool.map(_read, arrays))
            rates.append(threads * size_bytes / (time.perf_counter() - began))
    return statistics.median(rates)


def _read(array: np.ndarray) -> float:
    """Look at every number once; numpy lets other threads run meanwhile."""
    return float(np.max(array))
