"""The way of a text through the stages, from its ids to its audio."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from alrakis.config import Config
from alrakis.result import Result
from alrakis.sampling import FloatArray, IntArray, Options
from alrakis.spec import N_COARSE_CODEBOOKS, N_FINE_CODEBOOKS, Stage
from alrakis.stages.asks import Decode, Steps
from alrakis.stages.coarse import coarse_codes
from alrakis.stages.fine import fine_codes
from alrakis.stages.semantic import semantic_steps
from alrakis.timings import Clock
from alrakis.voices import Voice
from alrakis.weights.types import Weights

logger = logging.getLogger("alrakis")


@dataclass(frozen=True, eq=False)
class Manner:
    """How one text is said."""

    voice: Voice | None
    seed: int
    options: Options


@dataclass(frozen=True, eq=False)
class Known:
    """What stages have made of a text before: semantic tokens `(S,)`, and perhaps coarse codes `(2, T)`."""

    semantic: IntArray
    coarse: IntArray | None = None


Told = Callable[[Stage, IntArray], None]  # a stage, and what it made


def manners(voices: Iterable[Voice | None], seeds: Iterable[int], options: Options) -> list[Manner]:
    """How each of some texts is said."""
    return [Manner(voice, seed, options) for voice, seed in zip(voices, seeds, strict=True)]


class Journey:
    """The stages of one set of weights under one config, as steps that a scheduler runs."""

    def __init__(self, config: Config, weights: Weights) -> None:
        self._config = config
        self._weights = weights
        self._layout = weights.layout

    def semantic(self, ids: IntArray, manner: Manner) -> Steps[IntArray]:
        """The text stage: ids `(256,)` to semantic tokens `(S,)`."""
        history = manner.voice.semantic if manner.voice else None
        return semantic_steps(ids, history, manner.seed, manner.options, self._layout)

    def coarse(
        self, semantic: IntArray, manner: Manner, windows: tuple[int, int] | None = None
    ) -> Steps[IntArray]:
        """The coarse stage: semantic tokens `(S,)` to codes `(2, T)`.

        windows: history and window in coarse tokens, the config's if None.
        """
        config, voice = self._config, manner.voice
        history, window = windows or (config.max_coarse_history, config.sliding_window_len)
        return coarse_codes(
            semantic,
            (voice.semantic, voice.coarse) if voice else None,
            manner.seed,
            manner.options.coarse,
            self._layout,
            max_coarse_history=history,
            sliding_window_len=window,
        )

    def fine(self, coarse: IntArray, manner: Manner) -> Steps[IntArray]:
        """The fine stage: the first 1 to 7 codebooks `(n, T)` to codes `(8, T)`."""
        return fine_codes(
            coarse,
            manner.voice.fine if manner.voice else None,
            manner.seed,
            manner.options.fine,
            self._layout,
            fitted=self._config.fine_window == "fitted",
            history_frames=self._config.fine_history_frames,
        )

    def audio(self, codes: IntArray) -> Steps[FloatArray]:
        """The codec: codes `(8, T)` to samples `(320 * T,)`."""
        samples = yield Decode(codes, codes.shape[1] / self._layout.coarse_rate_hz)
        return samples

    def whole(
        self,
        text: str,
        start: IntArray | Known,
        manner: Manner,
        clock: Clock,
        told: Told = lambda stage, tokens: None,
        written: str | None = None,
    ) -> Steps[Result]:
        """A text through all stages; one without semantic tokens gives a result without audio.

        start: the text's ids `(256,)`, or what stages have made of it before. told: is given what the text
        and the coarse stage make as soon as it is there. written: the text as it was before it was spelled.
        """
        if isinstance(start, Known):
            semantic, coarse = start.semantic, start.coarse
        else:
            semantic, coarse = (yield from self.semantic(start, manner)), None
            told("text", semantic)
        fine = np.empty((N_FINE_CODEBOOKS, 0), np.int64)
        audio = np.empty(0, np.float32)
        if len(semantic) == 0:
            logger.warning("the text stage ended before it spoke: no audio for %r", text)
            coarse = np.empty((N_COARSE_CODEBOOKS, 0), np.int64)
        else:
            if coarse is None:
                coarse = yield from self.coarse(semantic, manner)
                told("coarse", coarse)
            fine = yield from self.fine(coarse, manner)
            audio = yield from self.audio(fine)
        return Result(
            text=text if written is None else written,
            audio=audio,
            sample_rate=self._layout.sample_rate_hz,
            semantic_tokens=semantic,
            coarse_tokens=coarse,
            fine_tokens=fine,
            seed=manner.seed,
            voice=manner.voice.name if manner.voice else None,
            config=self._config.name,
            weights=self._weights.name,
            timings=clock.timings(),
            said=text if written not in (None, text) else None,
        )
