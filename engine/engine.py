"""Engine: says texts, short ones and long ones, over one set of weights."""

from collections.abc import Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

from alrakis.errors import InputError, element
from alrakis.long.ahead import ahead
from alrakis.long.pieces import LongResult, Piece, join
from alrakis.long.text import LongText
from alrakis.long.voices import Steady
from alrakis.pipeline import Pipeline
from alrakis.result import Result
from alrakis.sampling import Options, options_with, seeds_for
from alrakis.text.encoder import check_text
from alrakis.timings import Clock, OnMove
from alrakis.voices import Voice

if TYPE_CHECKING:
    from alrakis.text.splitting import Chunk


class Engine(Pipeline):
    """Text to audio over one set of weights, with one config.

    weights: a name (`bark-small`, `bark-large`, `bark`, `demo`, `synthetic-small`, ...), a folder, or an
    opened `Weights`. config: `auto`, a preset's name, a TOML file's path, or a `Config`; further keywords
    are config keys laid over it. sizes: for Bark's own weights, a stage's size where it differs.

    Parameters are loaded when a stage first needs them. An engine may be called from several threads: calls
    wait for each other. Raises ConfigError, WeightsError or BackendError.
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
        options: Options | None = None,
        silent: bool = False,
        **changes: Any,
    ) -> Result | list[Result]:
        """Make audio: one text gives one result, a list of texts a list of results.

        voice: None, a preset's name, an `.npz` path, a dict, an earlier result; or a list, one for each text.
        seed: None draws a fresh one; a single seed gives text i `seed + i`. A text with the same seed, voice
        and options gives the same tokens alone or in a list. options: how the text is said, `Options`;
        single fields can be given as keywords: `text_temp=0.5`. silent: no progress bars.

        Raises InputError (or VoiceError, WeightsError) before any work is done.
        """
        single = isinstance(text, str)
        texts = [check_text(text)] if isinstance(text, str) else _listed(text)
        voices = self._voices(voice, len(texts), single)
        seeds = seeds_for(seed, len(texts))
        options = options_with(options, changes)
        self.weights.fetch()
        with self._lock:
            clock = Clock()
            semantics = self.text_to_semantic(texts, voices, seeds, options, silent=silent, clock=clock)
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
        options: Options | None = None,
        silent: bool = True,
        **changes: Any,
    ) -> Generator[Piece, None, None]:
        """Pieces of a long text's audio in order, each as soon as it exists; their audio joined is the whole.

        text: is split by `split_long`, unless chunks are given. voice: as in `generate`, one. cast: voices of
        speakers whom the text names (`MAN: ...`); their labels are not said. seed: chunk i has `seed + i`.
        steady: with "voice" each speaker keeps his voice (without one, the voice his first chunk comes out
        in), and chunks run as batches; with "chain" each chunk goes on from the speaker's chunk before it.
        language: for splitting, by the script if None. options and further keywords: as in `generate`.

        The work goes on in a thread while pieces are used, two batches ahead at most; closing the generator
        ends it at its next step. Batches begin with one chunk and double. Raises as `generate`, at once.
        """
        long = LongText(self, text, voice, cast or {}, seed, steady, language, options_with(options, changes))
        return ahead(
            lambda check: long.pieces(batch=1, on_move=lambda part, seconds: check(), silent=silent),
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
        options: Options | None = None,
        silent: bool = True,
        **changes: Any,
    ) -> LongResult:
        """The joined pieces of `stream`, from batches that are full at once.

        on_move: called after every step of a stage with its name and the seconds of audio done; may raise.
        """
        long = LongText(self, text, voice, cast or {}, seed, steady, language, options_with(options, changes))
        return join(long.text, list(long.pieces(on_move=on_move, silent=silent)))

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
