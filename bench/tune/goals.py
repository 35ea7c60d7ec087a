"""What `tune` may be asked to make best, and what it measures for that."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """texts: how many are said at once while it searches. by_memory: the best takes the least memory."""

    words: str
    texts: int = 1
    by_memory: bool = False


GOALS = {
    "latency": Goal("the least time for one text"),
    "throughput": Goal("the most speech a second, several texts at once", texts=4),
    "memory": Goal("the least memory", by_memory=True),
}
QUICK_S = 2.0  # of audio that count in a quick search
SECONDS = 5.0  # in a whole one
QUICK_BUDGET, BUDGET = "60s", "5m"
