"""All that an engine does but speak: what the machine needs that only plans and writes."""

import functools
import logging
import os
from types import TracebackType
from typing import Any

from alrakis.auto import resolve_config
from alrakis.backends import settle
from alrakis.config import Config
from alrakis.listening.listener import Listener
from alrakis.listening.plain import PlainListener
from alrakis.spec import Layout
from alrakis.text.encoder import TextEncoder
from alrakis.voices import Voice, load_voice
from alrakis.weights import open_weights

logger = logging.getLogger("alrakis")


class Planner:
    """A config, resolved, and weights, of which nothing but the tokenizer and voices is read.

    Arguments as `Engine` has them. Raises ConfigError or WeightsError.
    """

    def __init__(
        self, weights: str | os.PathLike[str] = "bark", config: Any = "auto", **overrides: Any
    ) -> None:
        self.config: Config = settle(resolve_config(config, overrides, weights))
        for warning in self.config.warnings:
            logger.warning("%s", warning)
        self.weights = open_weights(weights)
        self.listener: Listener = PlainListener()

    def __enter__(self) -> "Planner":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    @property
    def layout(self) -> Layout:
        """Ids, vocabulary sizes and rates of the weights."""
        return self.weights.layout

    @functools.cached_property
    def tokenizer(self) -> TextEncoder:
        """The weights' tokenizer, read when first asked for."""
        return self.weights.tokenizer()

    def fetch(self) -> None:
        """Nothing: who speaks has what it needs."""

    def load_voice(self, voice: Any) -> Voice | None:
        """As `Engine.load_voice`."""
        return load_voice(voice, self.layout, weights_voices=self.weights.voices)
