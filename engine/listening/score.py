"""How good a take is."""

from dataclasses import dataclass
from typing import Any

from alrakis.sampling import MAX_SEED

_STEP = 1 << 32  # between the seeds of a text's takes: chunks of a text have seeds that follow each other


@dataclass(frozen=True, repr=False)
class Score:
    """What was found in one take. error: 0 is perfect; the take with the smallest is kept.

    word_error_rate, heard: a recogniser's, None without one. length: of what is expected. ended: speech ended
    by itself. silence_s: at its end. clipped: the share of samples at full scale. level_db: of the speech.
    """

    error: float
    length: float
    ended: bool
    silence_s: float
    clipped: float
    level_db: float
    word_error_rate: float | None = None
    heard: str | None = None

    def __repr__(self) -> str:
        heard = f", heard {self.heard!r:.60}" if self.heard is not None else ""
        end = "" if self.ended else ", cut off"
        return f"<Score: error {self.error:.3f}, {self.length:.2f} of the length expected{end}{heard}>"


@dataclass(frozen=True)
class ScoredTake:
    """A take that was listened to."""

    seed: int
    score: Score

    def facts(self) -> dict[str, Any]:
        """As manifests and `--json` have it."""
        score = self.score
        return {
            "seed": self.seed,
            "error": round(score.error, 4),
            "word_error_rate": None if score.word_error_rate is None else round(score.word_error_rate, 4),
            "heard": score.heard,
            "length": round(score.length, 3),
            "ended": score.ended,
            "silence_s": round(score.silence_s, 3),
            "clipped": round(score.clipped, 5),
            "level_db": round(score.level_db, 1),
        }


def take_seed(seed: int, take: int) -> int:
    """The seed of a take, from 0, of a text with this seed."""
    return (seed + take * _STEP) & MAX_SEED
