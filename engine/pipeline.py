"""The stages of one set of weights: texts to semantic tokens, to codes, to audio."""

import logging
import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, TypeVar

from alrakis.auto import resolve_config
from alrakis.backends import open_backend, settle
from alrakis.backends.base import Backend
from alrakis.config import Config
from alrakis.errors import BackendError, ConfigError, InputError
from alrakis.flight.journey import Journey, Known, Manner, Told, manners
from alrakis.flight.keeping import kept_running
from alrakis.flight.scheduler import Scheduler
from alrakis.flight.sequence import Caller, Handle
from alrakis.listening.listener import Listener
from alrakis.listening.plain import PlainListener
from alrakis.progress import progress_bar
from alrakis.result import Result
from alrakis.sampling import FloatArray, IntArray, Options
from alrakis.spec import N_COARSE_CODEBOOKS, PARTS, Layout, Part, Stage
from alrakis.stages.asks import Steps
from alrakis.stages.coarse import coarse_steps
from alrakis.text.encoder import TextEncoder, encode_text
from alrakis.timings import Clock
from alrakis.voices import Voice, load_voice
from alrakis.weights import open_weights
from alrakis.weights.types import Weights

logger = logging.getLogger("alrakis")

Self = TypeVar("Self", bound="Pipeline")
Made = TypeVar("Made")


class Pipeline:
    """The stages of one set of weights under one config; arguments as `Engine` has them.

    A stage takes any number of sequences, which run side by side with whatever else is under way. Parameters
    are loaded when a stage first needs them. listener: who compares takes; it may be set to another.
    """

    @kept_running()
    def __init__(
        self,
        weights: str | os.PathLike[str] | Weights = "bark",
        config: str | os.PathLike[str] | Config = "auto",
        *,
        sizes: Mapping[Stage, str] | None = None,
        **overrides: Any,
    ) -> None:
        self.config = settle(resolve_config(config, overrides, weights))
        for warning in self.config.warnings:
            logger.warning("%s", warning)
        self.weights = open_weights(weights, sizes=sizes)
        self._lock = threading.RLock()
        self._backend: Backend | None = open_backend(self.config, self.weights)
        self._scheduler = Scheduler(
            self._backend,
            slots=self.config.slots,
            one_stage=self.config.residency == "one-stage" or self.config.offload,
        )
        self._journey = Journey(self.config, self.weights)
        self._encoder: TextEncoder | None = None
        self.listener: Listener = PlainListener()
        self._prepared: set[Part] = set()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free all memory, and end what is under way. Closing twice is harmless."""
        self._scheduler.close()
        if self._scheduler.forked:
            return
        with self._lock:
            if self._backend is not None:
                self._backend.close()
            self._backend = None
            self._encoder = None

    def change_windows(self, config: str | os.PathLike[str] | Config) -> None:
        """Go on with a config that differs in the windows of stages alone; what is loaded stays.

        What is under way ends first. Raises ConfigError for one that differs in more.
        """
        config = settle(resolve_config(config, {}, self.weights))
        if config.needs != self.config.needs:
            raise ConfigError(f"{config.name} needs more than other windows: make an engine for it")
        with self._scheduler.resting():
            self.config, self._journey = config, Journey(config, self.weights)

    @property
    def forked(self) -> bool:
        """Whether another process made this, and this one was forked from it: it cannot work here."""
        return self._scheduler.forked

    @property
    def slots_in_use(self) -> dict[Part, int]:
        """How many slots the text and the coarse model have given to sequences, now."""
        return self._scheduler.slots_in_use

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
    @kept_running()
    def tokenizer(self) -> TextEncoder:
        """The weights' tokenizer, read when first asked for."""
        self._scheduler.check_process()
        with self._lock:
            if self._encoder is None:
                self._encoder = self.weights.tokenizer()
            return self._encoder

    def fetch(self, parts: Sequence[Part] = PARTS) -> None:
        """Have the files of these parts here before work begins; all that is missing is told at once.

        Raises WeightsNotFoundError for what cannot be downloaded.
        """
        missing = [part for part in parts if part not in self._prepared]
        if missing:
            self.weights.fetch(missing)

    def load_voice(self, voice: Any) -> Voice | None:
        """A checked voice from whatever names or holds one; None stays None. Raises VoiceError."""
        return load_voice(voice, self.layout, weights_voices=self.weights.voices)

    @kept_running()
    def preload(self, parts: Sequence[str] = PARTS) -> None:
        """Load parts (of `text`, `coarse`, `fine`, `codec`) now instead of when they are first needed.

        Where the config keeps one stage at a time, each is loaded and freed: a mistake shows now. Waits for
        what is under way.
        """
        self.weights.fetch([_checked_part(part) for part in parts])
        with self._scheduler.resting():
            for part in map(_checked_part, parts):
                getattr(self.backend, part)()
                self.backend.done(part)
            if "text" in parts:
                self.tokenizer.encode("")

    def unload(self, parts: Sequence[str] = PARTS) -> None:
        """Free parts; they are loaded again when next needed. Waits for what is under way."""
        with self._scheduler.resting():
            for part in map(_checked_part, parts):
                self.backend.unload(part)

    @property
    def loaded(self) -> list[str]:
        """The parts that are loaded now."""
        return [part for part in PARTS if self._backend is not None and self._backend.opened(part)]

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
        clock = clock or Clock()
        self.fetch(["text"])
        ids = [self._encode(text) for text in texts]
        with self._stage("text", clock, silent, None) as caller:
            steps = map(self._journey.semantic, ids, manners(voices, seeds, options))
            return self._run(steps, caller, clock)

    def semantic_to_coarse(
        self,
        semantics: Sequence[IntArray],
        voices: Sequence[Voice | None],
        seeds: Sequence[int],
        options: Options,
        *,
        windows: tuple[int, int] | None = None,
        silent: bool = False,
        clock: Clock | None = None,
    ) -> list[IntArray]:
        """The coarse stage: codes `(2, T)` of each sequence.

        windows: history and window in coarse tokens, the config's if None.
        """
        clock = clock or Clock()
        tokens_a_second = N_COARSE_CODEBOOKS * self.layout.coarse_rate_hz
        total_s = sum(coarse_steps(len(tokens), self.layout) for tokens in semantics) / tokens_a_second
        with self._stage("coarse", clock, silent, total_s) as caller:
            said = zip(semantics, manners(voices, seeds, options), strict=True)
            steps = (self._journey.coarse(tokens, manner, windows) for tokens, manner in said)
            return self._run(steps, caller, clock)

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
        clock = clock or Clock()
        total_s = sum(codes.shape[1] for codes in coarse) / self.layout.coarse_rate_hz
        with self._stage("fine", clock, silent, total_s) as caller:
            steps = map(self._journey.fine, coarse, manners(voices, seeds, options))
            return self._run(steps, caller, clock)

    def codes_to_audio(
        self, codes: Sequence[IntArray], *, silent: bool = False, clock: Clock | None = None
    ) -> list[FloatArray]:
        """Codec decode: samples of each sequence's fine codes `(8, T)`, float32 `(320 * T,)`."""
        clock = clock or Clock()
        total_s = sum(fine.shape[1] for fine in codes) / self.layout.coarse_rate_hz
        with self._stage("codec", clock, silent, total_s) as caller:
            return self._run(map(self._journey.audio, codes), caller, clock)

    def said(
        self,
        text: str,
        manner: Manner,
        caller: Caller,
        *,
        known: Known | None = None,
        told: Told = lambda stage, tokens: None,
        clock: Clock | None = None,
        written: str | None = None,
    ) -> Handle[Result]:
        """Begin to say one text, through all stages.

        known: what stages have made of it before. told: is given what the text and the coarse stage make as
        soon as it is there. written: the text as it was before it was spelled for the voice. Raises
        InputError, or BackendError when this engine is closed.
        """
        clock = clock or Clock()
        self.fetch()
        start = known or self._encode(text)
        self._prepare(PARTS, clock)
        steps = self._journey.whole(text, start, manner, clock, told, written)
        return self._scheduler.submit(steps, caller, clock)

    def _run(self, steps: Iterable[Steps[Made]], caller: Caller, clock: Clock) -> list[Made]:
        """What comes of some steps that run side by side; if one goes wrong, none goes on."""
        return results_of(self._scheduler.submit(own, caller, clock) for own in steps)

    @contextmanager
    def _stage(self, part: Part, clock: Clock, silent: bool, total_s: float | None) -> Iterator[Caller]:
        """A caller of one stage, with a bar."""
        self._prepare([part], clock)
        with progress_bar(part, total_s, silent) as move:

            def on_move(part: str, seconds: float) -> None:
                move(seconds)
                clock.on_move(part, seconds)

            yield Caller(on_move)

    @kept_running()
    def _prepare(self, parts: Sequence[Part], clock: Clock) -> None:
        """Make what parts need and what takes long, in the thread that asked: there it can be interrupted."""
        self._scheduler.check_process()
        missing = [part for part in parts if part not in self._prepared]
        if not missing:
            return
        with clock.time("load"), self._lock:
            self.fetch(missing)
            for part in missing:
                self.backend.prepare(part)
                self._prepared.add(part)

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


def results_of(handles: Iterable[Handle[Made]]) -> list[Made]:
    """What comes of some sequences; if one goes wrong, or the waiting is interrupted, none goes on."""
    begun: list[Handle[Made]] = []
    try:
        begun.extend(handles)
        return [handle.result() for handle in begun]
    except BaseException:
        for handle in begun:
            handle.cancel()
        raise
