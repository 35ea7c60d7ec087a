"""Engine: says texts, short ones and long ones, over one set of weights."""

from collections.abc import AsyncGenerator, Generator, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, overload

from alrakis.errors import InputError, element
from alrakis.flight.journey import Manner, Told, manners
from alrakis.flight.sequence import Caller, Handle
from alrakis.long.contest import said_best
from alrakis.long.pieces import LongResult, Piece
from alrakis.long.speech import Speech
from alrakis.long.text import LongText
from alrakis.long.voices import Steady
from alrakis.pipeline import Pipeline, results_of
from alrakis.progress import TextBars, text_bars
from alrakis.result import Result
from alrakis.sampling import IntArray, Options, options_with, seeds_for
from alrakis.spec import Stage
from alrakis.text.encoder import check_text
from alrakis.text.pace import language_of
from alrakis.text.spelling import said_of
from alrakis.text.splitting import check_language
from alrakis.timings import Clock, OnMove
from alrakis.voices import Voice

if TYPE_CHECKING:
    from alrakis.text.splitting import Chunk


class Engine(Pipeline):
    """Text to audio over one set of weights, with one config.

    weights: a name (`bark-small`, `bark-large`, `bark`, `demo`, `synthetic-small`, ...), a folder, or an
    opened `Weights`. config: `auto`, a preset's name, a TOML file's path, or a `Config`; further keywords
    are config keys laid over it. sizes: for Bark's own weights, a stage's size where it differs.

    Parameters are loaded when a stage first needs them. An engine may be called from several threads, and
    what they ask for shares the steps of the networks. Raises ConfigError, WeightsError or BackendError.
    """

    def __repr__(self) -> str:
        loaded = ", ".join(self.loaded) or "nothing"
        return f"<Engine on {self.weights.name!r}, config {self.config.name!r}: {loaded} loaded>"

    @overload
    def generate(self, text: str, voice: Any = None, **options: Any) -> Result: ...

    @overload
    def generate(self, text: Sequence[str], voice: Any = None, **options: Any) -> list[Result]: ...

    def generate(  # the overloads tell its results apart
        self,
        text: str | Sequence[str],
        voice: Any = None,
        *,
        seed: int | Sequence[int] | None = None,
        language: str | None = None,
        options: Options | None = None,
        silent: bool = False,
        **changes: Any,
    ) -> Result | list[Result]:
        """Make audio: one text gives one result, a list of texts a list of results.

        voice: None, a preset's name, an `.npz` path, a dict, an earlier result; or a list, one for each text.
        seed: None draws a fresh one; a single seed gives text i `seed + i`. A text with the same seed, voice
        and options gives the same tokens alone or in a list, at every precision (unless the config says
        `same_in_company = false`). language: of the texts, for their spelling and whoever listens to takes;
        by the script if None. options: how the text is said, `Options`; single fields can be given as
        keywords: `text_temp=0.5`. silent: no progress bars.

        Raises InputError (or VoiceError, WeightsError) before any work is done.
        """
        single = isinstance(text, str)
        texts = [check_text(text)] if isinstance(text, str) else _listed(text)
        check_language(language)
        voices = self._voices(voice, len(texts), single)
        said = manners(voices, seeds_for(seed, len(texts)), options_with(options, changes))
        clock = Clock()
        takes = sum(manner.options.takes for manner in said)
        with text_bars(takes, silent) as bars:
            caller = Caller(bars.move)
            results = results_of(
                said_best(
                    self,
                    said_of(own, manner.options, language),
                    manner,
                    caller,
                    language or language_of(own),
                    clock=clock,
                    told=self._expecting(bars),
                    written=own,
                )
                for own, manner in zip(texts, said, strict=True)
            )
        results = [replace(result, timings=clock.timings()) for result in results]
        return results[0] if single else results

    def _expecting(self, bars: TextBars) -> Told:
        """Tells bars how long a text is going to be, once it is spoken."""

        def told(stage: Stage, tokens: IntArray) -> None:
            if stage == "text":
                bars.expect(len(tokens) / self.layout.semantic_rate_hz)

        return told

    def submit(
        self,
        text: str,
        voice: Any = None,
        *,
        seed: int | None = None,
        language: str | None = None,
        urgent: bool = True,
        options: Options | None = None,
        **changes: Any,
    ) -> Handle[Result]:
        """Begin to make one text's audio, and give a handle at once; arguments as in `generate`.

        The handle is a `concurrent.futures.Future`: `result()` waits, `cancel()` frees its place at the next
        step, `add_done_callback` and `asyncio.wrap_future` work; `part` and `seconds` tell how far it is.
        Texts that are under way share steps, whatever their voices and options. urgent: go before what is
        not, as somebody waits for this. Raises as `generate`, at once; later errors come from `result()`.
        """
        (own,) = self._voices(voice, 1, True)
        manner = Manner(own, seeds_for(seed, 1)[0], options_with(options, changes))
        text = check_text(text)
        said = said_of(text, manner.options, check_language(language))
        caller = Caller(urgent=urgent)
        return said_best(self, said, manner, caller, language or language_of(text), written=text)

    async def generate_async(self, text: str, voice: Any = None, **options: Any) -> Result:
        """`submit`, awaited. Cancelling the task frees the text's place."""
        import asyncio

        return await asyncio.wrap_future(self.submit(text, voice, **options))

    def submit_long(
        self,
        text: "str | Sequence[Chunk]",
        voice: Any = None,
        *,
        cast: Mapping[str, Any] | None = None,
        seed: int | None = None,
        steady: Steady = "voice",
        language: str | None = None,
        begin: int | None = None,
        on_move: OnMove | None = None,
        client: Hashable | None = None,
        options: Options | None = None,
        silent: bool = True,
        **changes: Any,
    ) -> Speech:
        """Begin to say a long text, and give its pieces as they come: iterate with `for` or `async for`.

        text: is split by `split_long`, unless chunks are given. voice: as in `generate`, one. cast: voices of
        speakers whom the text names (`MAN: ...`); their labels are not said. seed: chunk i has `seed + i`.
        steady: with "voice" each speaker keeps his voice (without one, the voice his first chunk comes out
        in), and chunks run side by side; with "chain" each chunk goes on from the speaker's chunk before it.
        language: for splitting, by the script if None. begin: how many chunks are under way at first, as
        many as there is room for if None; few bring the first sound sooner. on_move: called after every step
        of a stage with its name and the seconds of audio done; may raise. client: who asks; all texts of one
        client share its turns, as if they were one text. options, silent and further keywords: as in
        `generate`. Raises as `generate`, at once.
        """
        long = LongText(self, text, voice, cast or {}, seed, steady, language, options_with(options, changes))
        return long.say(begin=begin, on_move=on_move, client=client, silent=silent)

    def stream(
        self,
        text: "str | Sequence[Chunk]",
        voice: Any = None,
        *,
        cast: Mapping[str, Any] | None = None,
        seed: int | None = None,
        steady: Steady = "voice",
        language: str | None = None,
        options: Options | None = None,
        silent: bool = True,
        **changes: Any,
    ) -> Generator[Piece, None, None]:
        """Pieces of a long text's audio in order, each as soon as it exists; their audio joined is the whole.

        Arguments as `submit_long` has them. It begins with one chunk, whose sound goes before all else. The
        work goes on while pieces are used, two full batches ahead at most; closing the generator ends it at
        its next step. Raises as `generate`, at once.
        """
        long = LongText(self, text, voice, cast or {}, seed, steady, language, options_with(options, changes))
        return long.pieces(silent)

    def stream_async(
        self,
        text: "str | Sequence[Chunk]",
        voice: Any = None,
        *,
        cast: Mapping[str, Any] | None = None,
        seed: int | None = None,
        steady: Steady = "voice",
        language: str | None = None,
        options: Options | None = None,
        silent: bool = True,
        **changes: Any,
    ) -> AsyncGenerator[Piece, None]:
        """`stream`, to be used with `async for`; closing it ends the work. Raises as `generate`, at once."""
        long = LongText(self, text, voice, cast or {}, seed, steady, language, options_with(options, changes))
        return long.pieces_async(silent)

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
        options: Options | None = None,
        silent: bool = True,
        **changes: Any,
    ) -> LongResult:
        """The joined pieces of a long text. Arguments as `submit_long` has them."""
        long = LongText(self, text, voice, cast or {}, seed, steady, language, options_with(options, changes))
        return long.say(on_move=on_move, silent=silent).result()

    def _voices(self, voice: Any, count: int, single: bool) -> list[Voice | None]:
        if not isinstance(voice, (list, tuple)):
            return [self.load_voice(voice)] * count
        if single or len(voice) != count:
            raise InputError(f"{len(voice)} voices were given for {count} texts; give one, or one for each")
        voices = []
        for index, own in enumerate(voice):
            with element("voice", index, count):
                voices.append(self.load_voice(own))
        return voices


def _listed(texts: Any) -> list[str]:
    if isinstance(texts, Sequence) and not isinstance(texts, (bytes, bytearray)):
        checked = []
        for index, text in enumerate(texts):
            with element("text", index, len(texts)):
                checked.append(check_text(text))
        return checked
    raise InputError(f"text must be a string or a list of strings, not {type(texts).__name__}")
