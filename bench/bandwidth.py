"""How fast this machine reads its memory."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

_BYTES = 512 * 2**20  # for each thread; no cache holds it


def read_bandwidth(threads: int, repeats: int = 7) -> float:
    """Bytes a second that `threads` threads read together: the median over `repeats` runs."""
    arrays = [np.ones(_BYTES // 4, np.float32) for _ in range(threads)]
    rates = []
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(repeats):
            began = time.perf_counter()
            list(pool.map(_read, arrays))
            rates.append(threads * _BYTES / (time.perf_counter() - began))
    return statistics.median(rates)


def _read(array: np.ndarray) -> float:
    """Look at every number once; numpy lets other threads run meanwhile."""
    return float(np.max(array))
