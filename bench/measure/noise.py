"""How steady this machine is: one and the same product, timed over and over, and what else keeps it busy."""

import os
import time
from pathlib import Path

import numpy as np

_SIZE, _TIMES = 512, 15  # a product of matrices this large, so often: some hundredths of a second
_STAT = Path("/proc/stat")


class Calibration:
    """A product that always takes the same work."""

    def __init__(self) -> None:
        self._left, self._right = (np.full((_SIZE, _SIZE), value, np.float32) for value in (0.5, 2.0))
        self._out = np.empty_like(self._left)
        self.take()  # starts the library's threads

    def take(self) -> float:
        """The seconds that the product takes now: the median of several.

        A thread that is put aside for a moment makes one of them late; it says nothing of the next minute.
        """
        ends = [time.perf_counter()]
        for _ in range(_TIMES):
            np.matmul(self._left, self._right, out=self._out)
            ends.append(time.perf_counter())
        return float(np.median(np.diff(ends)))


class OtherWork:
    """How many processors were kept busy by others than this process and the one that is measured.

    As Linux counts it for the whole machine; time that its host gave to other machines counts too.
    """

    def __init__(self, process: int, stat: Path = _STAT) -> None:
        self._process, self._stat = process, stat
        self._began = time.perf_counter()
        self._before = self._others_s()

    def taken(self) -> float | None:
        """Processors, on average since this was made; None where the system does not tell."""
        now = self._others_s()
        wall_s = time.perf_counter() - self._began
        if now is None or self._before is None or wall_s <= 0:
            return None
        return max(0.0, (now - self._before) / wall_s)

    def _others_s(self) -> float | None:
        try:
            fields = [int(field) for field in self._stat.read_text().split("\n", 1)[0].split()[1:9]]
            user, nice, system, _, _, irq, softirq, steal = fields
            own = sum(_own_ticks(process) for process in ("self", str(self._process)))
            return (user + nice + system + irq + softirq + steal - own) / os.sysconf("SC_CLK_TCK")
        except (OSError, ValueError, IndexError, AttributeError):  # not on this system
            return None


def _own_ticks(process: str) -> int:
    """What a process and its threads have used of the processors, in ticks."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
