"""Engine: owns the stages of one set of weights and runs them over a batch of texts."""

import logging
import os
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, overload

import numpy as np

from alrakis.ahead import ahead
from alrakis.auto import resolve_config
from alrakis.backends import Backend, open_backend, settle
from alrakis.clock import Clock, OnMove
from alrakis.config import Config
from alrakis.errors import BackendError, InputError
from alrakis.long import LongText
from alrakis.options import Options, check_duration
from alrakis.pieces import LongResult, Piece, join
from alrakis.progress import progress_bar
from alrakis.result import Result
from alrakis.sampling import FloatArray, IntArray, Sampling, row_seeds
from alrakis.spec import N_COARSE_CODEBOOKS, N_FINE_CODEBOOKS, Layout, Stage
from alrakis.stages.coarse import coarse_steps, generate_coarse
from alrakis.stages.fine import fine_passes, generate_fine
from alrakis.stages.semantic import generate_semantic
from alrakis.steady import Steady
from alrakis.text import check_text, encode_text
from alrakis.voices import Voice, load_voice
from alrakis.weights import open_weights
from alrakis.weights.types import RemarkingEncoder, TextEncoder, VoicedWeights, Weights

if TYPE_CHECKING:
    from alrakis.splitting import Chunk

logger = logging.getLogger("alrakis")

PARTS = ("text", "coarse", "fine", "codec")
Item = TypeVar("Item")


class Engine:
    """Text to audio over one set of weights, with one config.

    weights: a name (`bark-small`, `bark-large`, `bark`, `demo`, `synthetic-small`, ...), a folder, or an
    opened `Weights`. config: `auto`, a preset's name, a TOML file's path, or a `Config`; further keywords
    are config keys laid over it. sizes: for Bark's own weights, a stage's size where it differs.

    Parameters are loaded when a stage first needs them. An engine may be called from several threads: calls
    wait for each other. Raises ConfigError, WeightsError or BackendError.
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
        self.weights = open_weights(weights, sizes=sizes)
        self._lock = threading.RLock()
        self._backend: Backend | None = open_backend(self.config, self.weights)
        self._encoder: TextEncoder | None = None
        self._loaded: set[str] = set()

    def __enter__(self) -> "Engine":
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
        return self.weights.layout

    @property
    def backend(self) -> Backend:
        if self._backend is None:
            raise BackendError("this engine is closed; make a new one")
        return self._backend

    @property
    def tokenizer(self) -> TextEncoder:
        with self._lock:
            if self._encoder is None:
                self._encoder = self.weights.tokenizer()
            return self._encoder

    @property
    def one_speaker(self) -> bool:
        """Whether the weights speak in the same voice whenever none is given."""
        return self.layout.one_speaker

    def load_voice(self, voice: Any) -> Voice | None:
        """A checked voice from whatever names or holds one; None stays None. Raises VoiceError."""
        own = self.weights.voices if isinstance(self.weights, VoicedWeights) else {}
        return load_voice(voice, self.layout, weights_voices=own)

    def preload(self, parts: Sequence[str] = PARTS) -> None:
        """Load parts (of `text`, `coarse`, `fine`, `codec`) now instead of when they are first needed.

        Where the config keeps one stage at a time, each is loaded and freed: a mistake shows now.
        """
        with self._lock:
            for part in parts:
                self._load(part)
                self.backend.done(part)
            if "text" in parts:
                self.tokenizer.encode("")

    def unload(self, parts: Sequence[str] = PARTS) -> None:
        """Free parts; they are loaded again when next needed."""
        with self._lock:
            for part in parts:
                self.backend.unload(part)
                self._loaded.discard(part)

    @property
    def loaded(self) -> list[str]:
        """The parts that are loaded now."""
        return [part for part in PARTS if part in self._loaded]

    def _load(self, part: str) -> None:
        if part not in PARTS:
            raise InputError(f"no part {part!r}; parts are {', '.join(PARTS)}")
        getattr(self.backend, part)()
        self._loaded.add(part)

    @overload
    def generate(self, text: str, voice: Any = None, **options: Any) -> Result: ...

    @overload
    def generate(self, text: Sequence[str], voice: Any = None, **options: Any) -> list[Result]: ...

    def generate(  # type: ignore[misc]  # the overloads tell its results apart, and leave options to it
        self,
        text: str | Sequence[str],
        voice: Any = None,
        *,
        seed: int | Sequence[int] | None = None,
        text_temp: float = 0.7,
        waveform_temp: float = 0.7,
        fine_temp: float = 0.5,
        top_k: int | None = None,
        top_p: float | None = None,
        min_eos_p: float | None = 0.2,
        max_gen_duration_s: float | None = None,
        allow_early_stop: bool = True,
        silent: bool = False,
    ) -> Result | list[Result]:
        """Make audio: one text gives one result, a list of texts a list of results.

        voice: None, a preset's name, an `.npz` path, a dict, an earlier result; or a list, one for each text.
        seed: None draws a fresh one; a single seed gives text i `seed + i`. A text with the same seed, voice
        and options gives the same tokens alone or in a list. top_k and top_p restrict the text and coarse
        stages. Temperatures: 0 is greedy. The other options are Bark's.

        Raises InputError (or VoiceError, WeightsError) before any work is done.
        """
        single = isinstance(text, str)
        texts = [check_text(text)] if isinstance(text, str) else [check_text(one) for one in _listed(text)]
        voices = self._voices(voice, len(texts), single)
        seeds = row_seeds(seed, len(texts))
        options = Options(
            text_temp, waveform_temp, fine_temp, top_k, top_p, min_eos_p, max_gen_duration_s, allow_early_stop
        )
        with self._lock:
            clock = Clock()
            semantics = self.text_to_semantic(
                texts,
                voices,
                seeds,
                options.text,
                max_gen_duration_s=max_gen_duration_s,
                allow_early_stop=allow_early_stop,
                silent=silent,
                clock=clock,
            )
            results = self.semantic_to_results(
                texts, semantics, voices, seeds, options, silent=silent, clock=clock
            )
        return results[0] if single else results

    def stream(
        self,
        text: "str | Sequence[Chunk]",
        voice: Any = None,
        *,
        cast: Mapping[str, Any] | None = None,
        seed: int | None = None,
        steady: Steady = "voice",
        language: str | None = None,
        **options: Any,
    ) -> Generator[Piece, None, None]:
        """Pieces of a long text's audio in order, each as soon as it exists; their audio joined is the whole.

        text: is split by `split_long`, unless chunks are given. voice: as in `generate`, one. cast: voices of
        speakers whom the text names (`MAN: ...`); their labels are not said. seed: chunk i has `seed + i`.
        steady: with "voice" each speaker keeps his voice (without one, the voice his first chunk comes out
        in), and chunks run as batches; with "chain" each chunk goes on from the speaker's chunk before it.
        language: for splitting, by the script if None. options: those of `generate`.

        The work goes on in a thread while pieces are used, two batches ahead at most; closing the generator
        ends it at its next step. Batches begin with one chunk and double. Raises as `generate`, at once.
        """
        long = LongText(self, text, voice, cast or {}, seed, steady, language, options)
        return ahead(
            lambda check: long.pieces(rows=1, on_move=lambda part, seconds: check()),
            room=2 * self.config.max_batch,
        )

    def generate_long(
        self,
        text: "str | Sequence[Chunk]",
        voice: Any = None,
        *,
        cast: Mapping[str, Any] | None = None,
        seed: int | None = None,
        steady: Steady = "voice",
        language: str | None = None,
        on_move: OnMove | None = None,
        **options: Any,
    ) -> LongResult:
        """The joined pieces of `stream`, from batches that are full at once.

        on_move: called after every step of a stage with its name and the seconds of audio done; may raise.
        """
        long = LongText(self, text, voice, cast or {}, seed, steady, language, options)
        return join(long.text, list(long.pieces(on_move=on_move)))

    def text_to_semantic(
        self,
        texts: Sequence[str],
        voices: Sequence[Voice | None],
        seeds: Sequence[int],
        sampling: Sampling,
        *,
        max_gen_duration_s: float | None = None,
        allow_early_stop: bool = True,
        silent: bool = False,
        clock: Clock | None = None,
    ) -> list[IntArray]:
        """The text stage: semantic tokens of each text, `(S,)`."""
        check_duration(max_gen_duration_s)
        ids = [self._encode(text) for text in texts]
        with self._stage("text", clock, silent, None) as (backend, move):
            return [
                row
                for chunk in self._chunks(range(len(texts)))
                for row in generate_semantic(
                    backend.text(),
                    self.layout,
                    chunk(ids),
                    [voice.semantic if voice else None for voice in chunk(voices)],
                    chunk(seeds),
                    sampling,
                    max_gen_duration_s=max_gen_duration_s,
                    allow_early_stop=allow_early_stop,
                    tick=lambda steps: move(steps / self.layout.semantic_rate_hz),
                )
            ]

    def semantic_to_coarse(
        self,
        semantics: Sequence[IntArray],
        voices: Sequence[Voice | None],
        seeds: Sequence[int],
        sampling: Sampling,
        *,
        max_coarse_history: int | None = None,
        sliding_window_len: int | None = None,
        silent: bool = False,
        clock: Clock | None = None,
    ) -> list[IntArray]:
        """The coarse stage: codes `(2, T)` of each row. Windows are the config's unless given."""
        tokens_a_second = N_COARSE_CODEBOOKS * self.layout.coarse_rate_hz
        total_s = sum(coarse_steps(len(one), self.layout) for one in semantics) / tokens_a_second
        with self._stage("coarse", clock, silent, total_s) as (backend, move):
            return [
                row
                for chunk in self._chunks(range(len(semantics)))
                for row in generate_coarse(
                    backend.coarse(),
                    self.layout,
                    chunk(semantics),
                    [(voice.semantic, voice.coarse) if voice else None for voice in chunk(voices)],
                    chunk(seeds),
                    sampling,
                    max_coarse_history=max_coarse_history or self.config.max_coarse_history,
                    sliding_window_len=sliding_window_len or self.config.sliding_window_len,
                    tick=lambda steps: move(steps / tokens_a_second),
                )
            ]

    def coarse_to_fine(
        self,
        coarse: Sequence[IntArray],
        voices: Sequence[Voice | None],
        seeds: Sequence[int],
        sampling: Sampling,
        *,
        silent: bool = False,
        clock: Clock | None = None,
    ) -> list[IntArray]:
        """The fine stage: codes `(8, T)` of each row, from 1 to 7 codebooks."""
        histories = [voice.fine if voice else None for voice in voices]
        passes = sum(
            fine_passes(codes.shape[1], 0 if past is None else min(past.shape[1], 512), len(codes))
            for codes, past in zip(coarse, histories, strict=True)
        )
        total_s = sum(codes.shape[1] for codes in coarse) / self.layout.coarse_rate_hz
        with self._stage("fine", clock, silent, total_s) as (backend, move):
            return [
                row
                for chunk in self._chunks(range(len(coarse)))
                for row in generate_fine(
                    backend.fine(),
                    self.layout,
                    chunk(coarse),
                    chunk(histories),
                    chunk(seeds),
                    sampling,
                    fitted=self.config.fine_window == "fitted",
                    tick=lambda rows: move(rows * total_s / passes),
                )
            ]

    def codes_to_audio(
        self, codes: Sequence[IntArray], *, silent: bool = False, clock: Clock | None = None
    ) -> list[FloatArray]:
        """Codec decode: samples of each row's fine codes `(8, T)`, float32 `(320 * T,)`."""
        total_s = sum(one.shape[1] for one in codes) / self.layout.coarse_rate_hz
        audio = []
        with self._stage("codec", clock, silent, total_s) as (backend, move):
            for one in codes:  # row by row: the codec is bound by arithmetic, a batch gains nothing
                audio.append(backend.codec().decode(one[None])[0])
                move(one.shape[1] / self.layout.coarse_rate_hz)
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
        """All stages after the text stage; a row without semantic tokens gives a result without audio."""
        spoken = [i for i, tokens in enumerate(semantics) if len(tokens)]
        for i in sorted(set(range(len(texts))) - set(spoken)):
            logger.warning("the text stage ended before it spoke: no audio for %r", texts[i])
        some = _Pick(spoken)
        made: dict[int, tuple[IntArray, IntArray, FloatArray]] = {}
        if spoken:
            with self._lock:
                coarse = self.semantic_to_coarse(
                    some(semantics), some(voices), some(seeds), options.coarse, silent=silent, clock=clock
                )
                fine = self.coarse_to_fine(
                    coarse, some(voices), some(seeds), options.fine, silent=silent, clock=clock
                )
                audio = self.codes_to_audio(fine, silent=silent, clock=clock)
            made = {row: (coarse[k], fine[k], audio[k]) for k, row in enumerate(spoken)}
        nothing = _no_codes(N_COARSE_CODEBOOKS), _no_codes(N_FINE_CODEBOOKS), np.empty(0, np.float32)
        results = []
        for i, text in enumerate(texts):
            codes, fine_codes, samples = made.get(i, nothing)
            used = voices[i]
            results.append(
                Result(
                    text=text,
                    audio=samples,
                    sample_rate=self.layout.sample_rate_hz,
                    semantic_tokens=semantics[i],
                    coarse_tokens=codes,
                    fine_tokens=fine_codes,
                    seed=seeds[i],
                    voice=used.name if used else None,
                    config=self.config.name,
                    weights=self.weights.name,
                    timings=clock.timings(),
                )
            )
        return results

    @contextmanager
    def _stage(
        self, part: str, clock: Clock | None, silent: bool, total_s: float | None
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

    def _chunks(self, rows: range) -> Iterator["_Pick"]:
        for first in range(0, len(rows), self.config.max_batch):
            yield _Pick(rows[first : first + self.config.max_batch])

    def _encode(self, text: str) -> IntArray:
        if isinstance(self.tokenizer, RemarkingEncoder):
            for remark in self.tokenizer.remarks(text):
                logger.warning("%s", remark)
        ids, cut = encode_text(self.tokenizer, text, self.layout)
        if cut:
            logger.warning("text too long: its last %.1f%% are left out", cut * 100)
        return ids

    def _voices(self, voice: Any, rows: int, single: bool) -> list[Voice | None]:
        if not isinstance(voice, (list, tuple)):
            return [self.load_voice(voice)] * rows
        if single or len(voice) != rows:
            raise InputError(f"{len(voice)} voices were given for {rows} texts; give one, or one for each")
        return [self.load_voice(one) for one in voice]


class _Pick:
    """Some rows of any list, always in the same order."""

    def __init__(self, rows: Sequence[int]) -> None:
        self._rows = rows

    def __call__(self, items: Sequence[Item]) -> list[Item]:
        return [items[row] for row in self._rows]


def _both(move: Callable[[float], None], part: str, clock: Clock) -> Callable[[float], None]:
    """Move a bar on, and tell whoever wants to know."""

    def moved(seconds: float) -> None:
        move(seconds)
        clock.on_move(part, seconds)

    return moved


def _listed(texts: Any) -> list[Any]:
    if isinstance(texts, Sequence) and not isinstance(texts, (bytes, bytearray)):
        return list(texts)
    raise InputError(f"text must be a string or a list of strings, not {type(texts).__name__}")


def _no_codes(codebooks: int) -> IntArray:
    return np.empty((codebooks, 0), np.int64)
