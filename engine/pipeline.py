"""The stages of one set of weights, run over a batch: texts to semantic tokens, to codes, to audio."""

import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, TypeVar

import numpy as np

from alrakis.auto import resolve_config
from alrakis.backends import open_backend, settle
from alrakis.backends.base import Backend
from alrakis.config import Config
from alrakis.errors import BackendError, InputError
from alrakis.progress import progress_bar
from alrakis.result import Result
from alrakis.sampling import FloatArray, IntArray, Options
from alrakis.spec import N_COARSE_CODEBOOKS, N_FINE_CODEBOOKS, PARTS, Layout, Part, Stage
from alrakis.stages.coarse import coarse_steps, generate_coarse
from alrakis.stages.fine import fine_passes, generate_fine
from alrakis.stages.semantic import generate_semantic
from alrakis.text.encoder import TextEncoder, encode_text
from alrakis.timings import Clock
from alrakis.voices import Voice, load_voice
from alrakis.weights import open_weights
from alrakis.weights.types import Weights

logger = logging.getLogger("alrakis")

Self = TypeVar("Self", bound="Pipeline")


class Pipeline:
    """The stages of one set of weights under one config; arguments as `Engine` has them.

    A stage takes any number of sequences and runs them `max_batch` at a time. Parameters are loaded when a
    stage first needs them. Calls from several threads wait for each other.
    """

    def __init__(
        self,
        weights: str | os.PathLike[str] | Weights = "bark",
        config: str | os.PathLike[str] | Config = "auto",
        *,
        sizes: Mapping[Stage, str] | None = None,
        **overrides: Any,
    ) -> None:
        self.config = settle(resolve_config(config, overrides))
        for warning in self.config.warnings:
            logger.warning("%s", warning)
        self.weights = open_weights(weights, sizes=sizes)
        self._lock = threading.RLock()
        self._backend: Backend | None = open_backend(self.config, self.weights)
        self._encoder: TextEncoder | None = None
        self._loaded: set[str] = set()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free all memory. Closing twice is harmless; a closed engine generates no more."""
        with self._lock:
            if self._backend is not None:
                self._backend.close()
            self._backend = None
            self._encoder = None
            self._loaded.clear()

    @property
    def layout(self) -> Layout:
        """Ids, vocabulary sizes and rates of the weights."""
        return self.weights.layout

    @property
    def backend(self) -> Backend:
        """What runs the networks. Raises BackendError when this engine is closed."""
        if self._backend is None:
            raise BackendError("this engine is closed; make a new one")
        return self._backend

    @property
    def tokenizer(self) -> TextEncoder:
        """The weights' tokenizer, read when first asked for."""
        with self._lock:
            if self._encoder is None:
                self._encoder = self.weights.tokenizer()
            return self._encoder

    def load_voice(self, voice: Any) -> Voice | None:
        """A checked voice from whatever names or holds one; None stays None. Raises VoiceError."""
        return load_voice(voice, self.layout, weights_voices=self.weights.voices)

    def preload(self, parts: Sequence[str] = PARTS) -> None:
        """Load parts (of `text`, `coarse`, `fine`, `codec`) now instead of when they are first needed.

        Where the config keeps one stage at a time, each is loaded and freed: a mistake shows now.
        """
        self.weights.fetch([_checked_part(part) for part in parts])
        with self._lock:
            for part in parts:
                self.backend.done(self._load(part))
            if "text" in parts:
                self.tokenizer.encode("")

    def unload(self, parts: Sequence[str] = PARTS) -> None:
        """Free parts; they are loaded again when next needed."""
        with self._lock:
            for part in map(_checked_part, parts):
                self.backend.unload(part)
                self._loaded.discard(part)

    @property
    def loaded(self) -> list[str]:
        """The parts that are loaded now."""
        return [part for part in PARTS if part in self._loaded]

    def _load(self, part: str) -> Part:
        known = _checked_part(part)
        getattr(self.backend, known)()
        self._loaded.add(known)
        return known

    def text_to_semantic(
        self,
        texts: Sequence[str],
        voices: Sequence[Voice | None],
        seeds: Sequence[int],
        options: Options,
        *,
        silent: bool = False,
        clock: Clock | None = None,
    ) -> list[IntArray]:
        """The text stage: semantic tokens of each text, `(S,)`."""
        ids = [self._encode(text) for text in texts]
        made: list[IntArray] = []
        with self._stage("text", clock, silent, None) as (backend, move):
            for batch in self._batches(len(texts)):
                made += generate_semantic(
                    backend.text(),
                    self.layout,
                    ids[batch],
                    [voice.semantic if voice else None for voice in voices[batch]],
                    seeds[batch],
                    options,
                    tick=lambda steps: move(steps / self.layout.semantic_rate_hz),
                )
        return made

    def semantic_to_coarse(
        self,
        semantics: Sequence[IntArray],
        voices: Sequence[Voice | None],
        seeds: Sequence[int],
        options: Options,
        *,
        max_coarse_history: int | None = None,
        sliding_window_len: int | None = None,
        silent: bool = False,
        clock: Clock | None = None,
    ) -> list[IntArray]:
        """The coarse stage: codes `(2, T)` of each sequence. Windows are the config's unless given."""
        tokens_a_second = N_COARSE_CODEBOOKS * self.layout.coarse_rate_hz
        total_s = sum(coarse_steps(len(tokens), self.layout) for tokens in semantics) / tokens_a_second
        made: list[IntArray] = []
        with self._stage("coarse", clock, silent, total_s) as (backend, move):
            for batch in self._batches(len(semantics)):
                made += generate_coarse(
                    backend.coarse(),
                    self.layout,
                    semantics[batch],
                    [(voice.semantic, voice.coarse) if voice else None for voice in voices[batch]],
                    seeds[batch],
                    options.coarse,
                    max_coarse_history=max_coarse_history or self.config.max_coarse_history,
                    sliding_window_len=sliding_window_len or self.config.sliding_window_len,
                    tick=lambda steps: move(steps / tokens_a_second),
                )
        return made

    def coarse_to_fine(
        self,
        coarse: Sequence[IntArray],
        voices: Sequence[Voice | None],
        seeds: Sequence[int],
        options: Options,
        *,
        silent: bool = False,
        clock: Clock | None = None,
    ) -> list[IntArray]:
        """The fine stage: codes `(8, T)` of each sequence, from its first 1 to 7 codebooks."""
        history_frames = self.config.fine_history_frames
        passes = sum(
            fine_passes(codes.shape[1], min(history_frames, voice.fine.shape[1]) if voice else 0, len(codes))
            for codes, voice in zip(coarse, voices, strict=True)
        )
        total_s = sum(codes.shape[1] for codes in coarse) / self.layout.coarse_rate_hz
        made: list[IntArray] = []
        with self._stage("fine", clock, silent, total_s) as (backend, move):
            for batch in self._batches(len(coarse)):
                made += generate_fine(
                    backend.fine(),
                    self.layout,
                    coarse[batch],
                    [voice.fine if voice else None for voice in voices[batch]],
                    seeds[batch],
                    options.fine,
                    fitted=self.config.fine_window == "fitted",
                    history_frames=history_frames,
                    tick=lambda done: move(done * total_s / passes),
                )
        return made

    def codes_to_audio(
        self, codes: Sequence[IntArray], *, silent: bool = False, clock: Clock | None = None
    ) -> list[FloatArray]:
        """Codec decode: samples of each sequence's fine codes `(8, T)`, float32 `(320 * T,)`."""
        total_s = sum(fine.shape[1] for fine in codes) / self.layout.coarse_rate_hz
        audio = []
        with self._stage("codec", clock, silent, total_s) as (backend, move):
            for fine in codes:  # one by one: the codec is bound by arithmetic, a batch gains nothing
                audio.append(backend.codec().decode(fine[None])[0])
                move(fine.shape[1] / self.layout.coarse_rate_hz)
        return audio

    def semantic_to_results(
        self,
        texts: Sequence[str],
        semantics: Sequence[IntArray],
        voices: Sequence[Voice | None],
        seeds: Sequence[int],
        options: Options,
        *,
        silent: bool = False,
        clock: Clock,
    ) -> list[Result]:
        """All stages after the text stage; a text without semantic tokens gives a result without audio."""
        spoken = [i for i, tokens in enumerate(semantics) if len(tokens)]
        for i in sorted(set(range(len(texts))) - set(spoken)):
            logger.warning("the text stage ended before it spoke: no audio for %r", texts[i])
        coarse = [np.empty((N_COARSE_CODEBOOKS, 0), np.int64) for _ in texts]
        fine = [np.empty((N_FINE_CODEBOOKS, 0), np.int64) for _ in texts]
        audio = [np.empty(0, np.float32) for _ in texts]
        if spoken:
            who = [voices[i] for i in spoken], [seeds[i] for i in spoken]
            with self._lock:
                made = self.semantic_to_coarse(
                    [semantics[i] for i in spoken], *who, options, silent=silent, clock=clock
                )
                whole = self.coarse_to_fine(made, *who, options, silent=silent, clock=clock)
                sounds = self.codes_to_audio(whole, silent=silent, clock=clock)
            for k, i in enumerate(spoken):
                coarse[i], fine[i], audio[i] = made[k], whole[k], sounds[k]
        return [
            Result(
                text=text,
                audio=audio[i],
                sample_rate=self.layout.sample_rate_hz,
                semantic_tokens=semantics[i],
                coarse_tokens=coarse[i],
                fine_tokens=fine[i],
                seed=seeds[i],
                voice=voice.name if voice else None,
                config=self.config.name,
                weights=self.weights.name,
                timings=clock.timings(),
            )
            for i, (text, voice) in enumerate(zip(texts, voices, strict=True))
        ]

    @contextmanager
    def _stage(
        self, part: Part, clock: Clock | None, silent: bool, total_s: float | None
    ) -> Iterator[tuple[Backend, Callable[[float], None]]]:
        """Hold the engine while one part loads and works; then let the backend free what it need not keep."""
        clock = clock or Clock()
        with self._lock:
            with clock.time("load"):
                self._load(part)
            try:
                with clock.time(part), progress_bar(part, total_s, silent) as move:
                    yield self.backend, _both(move, part, clock)
            finally:
                if self._backend is not None:
                    self._backend.done(part)

    def _batches(self, count: int) -> Iterator[slice]:
        for first in range(0, count, self.config.max_batch):
            yield slice(first, first + self.config.max_batch)

    def _encode(self, text: str) -> IntArray:
        for remark in self.weights.remarks(text):
            logger.warning("%s", remark)
        ids, cut = encode_text(self.tokenizer, text, self.layout)
        if cut:
            logger.warning("text too long: its last %.1f%% are left out", cut * 100)
        return ids


def _checked_part(part: str) -> Part:
    """Raises InputError for what is no part."""
    for known in PARTS:
        if part == known:
            return known
    raise InputError(f"no part {part!r}; parts are {', '.join(PARTS)}")


def _both(move: Callable[[float], None], part: str, clock: Clock) -> Callable[[float], None]:
    """Move a bar on, and tell whoever wants to know."""

    def moved(seconds: float) -> None:
        move(seconds)
        clock.on_move(part, seconds)

    return moved
