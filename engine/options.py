"""How a text is said: Bark's own options, checked in one place."""

from dataclasses import dataclass

from alrakis.errors import InputError
from alrakis.sampling import Sampling


@dataclass(frozen=True)
class Options:
    """Temperatures (0 is greedy), what restricts the text and coarse stages, and when speech ends.

    Raises InputError for what no stage can work with.
    """

    text_temp: float = 0.7
    waveform_temp: float = 0.7
    fine_temp: float = 0.5
    top_k: int | None = None
    top_p: float | None = None
    min_eos_p: float | None = 0.2
    max_gen_duration_s: float | None = None
    allow_early_stop: bool = True

    def __post_init__(self) -> None:
        _ = self.text, self.coarse, self.fine  # each checks itself
        check_duration(self.max_gen_duration_s)

    @property
    def text(self) -> Sampling:
        return Sampling(self.text_temp, self.top_k, self.top_p, self.min_eos_p)

    @property
    def coarse(self) -> Sampling:
        return Sampling(self.waveform_temp, self.top_k, self.top_p)

    @property
    def fine(self) -> Sampling:
        return Sampling(self.fine_temp)


def check_duration(max_gen_duration_s: float | None) -> None:
    """Raises InputError for what is no length of time."""
    if max_gen_duration_s is not None and not max_gen_duration_s >= 0:
        raise InputError(f"max_gen_duration_s must be None or at least 0, not {max_gen_duration_s!r}")
