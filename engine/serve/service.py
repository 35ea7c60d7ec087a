"""What all interfaces ask: one engine, its names, its queue, and whether it can speak now."""

import asyncio
import contextlib
import functools
import time
from collections.abc import Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Literal

from alrakis.engine import Engine
from alrakis.listening.recogniser import Recogniser
from alrakis.long.cues import Align, CueTrack
from alrakis.long.pieces import Piece
from alrakis.long.speech import Speech
from alrakis.sampling import Options, fresh_seed
from alrakis.serve.asked import Said, voice_name
from alrakis.serve.metrics import Metrics
from alrakis.serve.names import Names
from alrakis.serve.problems import ApiError, about
from alrakis.serve.queue import FullError, Queue, Ticket
from alrakis.serve.saying import Saying
from alrakis.serve.settings import Settings
from alrakis.spec import Part
from alrakis.text.encoder import check_text
from alrakis.text.pace import expected_s, language_of
from alrakis.text.speakers import check_cast
from alrakis.text.spelling import lexicon_of
from alrakis.text.splitting import check_language
from alrakis.timings import OnMove

State = Literal["loading", "ready", "stopping", "failed"]
LOADING_S = 5.0  # until it is worth asking again
PATIENCE_S = 60.0  # in which a text waits for the weights to be loaded
BEGINNERS = 4  # threads in which texts begin, where a voice may have to be downloaded


class Service:
    """Says texts for clients over one engine. Used by the event loop's thread alone.

    Raises ConfigError for aliases that cannot be used, BackendError or InputError for such a recogniser.
    """

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine = engine
        self.settings = settings
        self.recogniser: Recogniser | None = None
        if settings.listen is not None:
            self.recogniser = Recogniser(settings.listen, threads=engine.config.threads or 0)
            engine.listener = self.recogniser
        self.names = Names(engine.weights, settings.aliases)
        self.queue = Queue(settings.max_queued_s)
        self.metrics = Metrics()
        self.state: State = "loading"
        self.reason = "the weights are being loaded"
        self._settled = asyncio.Event()  # loaded, or never going to be
        self._sayings: set[Saying] = set()
        self._beginners = ThreadPoolExecutor(BEGINNERS, "alrakis-begin")
        self._aligners = ThreadPoolExecutor(1, "alrakis-align")  # a recogniser hears one piece at a time
        self._watch()

    def _watch(self) -> None:
        """Let the metrics read how it is."""
        watch, queue = self.metrics.watch, self.queue
        watch("queued_seconds", "Seconds of audio that are not made yet", lambda: queue.seconds)
        watch("requests_under_way", "Texts that are being said", lambda: len(queue))
        watch("audio_rate", "Seconds of audio made in a second of work, of late", lambda: queue.rate.value)
        watch("ready", "Whether texts can be said now", lambda: float(self.ready))
        for part in self.engine.slots_in_use:
            taken = functools.partial(self._taken, part)
            watch("slots_in_use", "Slots of a model that are taken", taken, part=part)

    def _taken(self, part: Part) -> float:
        return self.engine.slots_in_use[part]

    @property
    def ready(self) -> bool:
        """Whether texts can be said now."""
        return self.state == "ready"

    def loaded(self) -> None:
        """The weights are there."""
        if self.state == "loading":
            self.state, self.reason = "ready", ""
            self._settled.set()

    def failed(self, error: BaseException) -> None:
        """The weights cannot be had."""
        self.state, self.reason = "failed", str(error) or type(error).__name__
        self._settled.set()

    async def begin(
        self, said: Said, client: Hashable, *, streamed: bool, on_move: OnMove | None = None
    ) -> Saying:
        """Begin to say a text, which has to be ended. client: who shares turns with others of his.

        streamed: pieces are sent as they come, so the first sound matters more than the last. Raises ApiError
        and InputError.
        """
        began_s = time.monotonic()
        await self._wait_ready()
        text = self._checked(said.input)
        cast = self._cast(said)
        options = said.options
        language = self._language(said)
        await self._check_lexicon(options)
        seconds = expected_s(text, language)
        seed = fresh_seed() if said.seed is None else said.seed
        voice = self.names.voice(voice_name(said.voice))
        soon = streamed or seconds <= self.engine.config.opening_s
        ticket = self._ticket(seconds * options.takes)

        def moved(part: str, seconds: float) -> None:
            ticket.move(part, seconds)
            if on_move is not None:
                on_move(part, seconds)

        begin = functools.partial(
            self.engine.submit_long,
            said.input,
            voice,
            cast=cast,
            seed=seed,
            language=said.lang,
            begin=1 if soon else None,
            on_move=moved,
            client=client,
            options=options,
        )
        try:
            with about("input"):
                speech = await self._begun(begin)
        except BaseException:
            ticket.leave()
            raise
        saying = Saying(speech, ticket, seed, began_s, self._end)
        saying.limit(self.settings.timeout_s, each=streamed)
        self._sayings.add(saying)
        return saying

    def aligning(self, said: Said) -> Align:
        """What finds the words of a text in its audio. Raises ApiError where nothing does."""
        if self.recogniser is None:
            message = (
                "words needs a recogniser, and this server has none: start it with --listen NAME or a folder"
            )
            raise ApiError(400, message, param="words", code="unsupported_value")
        language = self._language(said)
        with about("lang"):
            self.recogniser.check(language)
        return self.recogniser.aligning(language)

    def align(self, track: CueTrack, piece: Piece) -> "asyncio.Future[None]":
        """Find a piece's words in a thread, after all that are asked for already."""
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self._aligners, track.add, piece.chunk, piece.audio)

    def _language(self, said: Said) -> str:
        """The language of a text, which whoever listens to its takes knows. Raises ApiError."""
        with about("lang"):
            language = check_language(said.lang) or language_of(said.input)
            if said.takes > 1:
                self.engine.listener.check(language)
        return language

    def _cast(self, said: Said) -> dict[str, str | None]:
        """The voices of those who speak in a text. Raises ApiError."""
        cast = {
            name: self.names.voice(voice_name(voice), f"cast.{name}") for name, voice in said.cast.items()
        }
        with about("cast"):
            check_cast(cast, [said.input])
        return cast

    async def _check_lexicon(self, options: Options) -> None:
        """Raises ApiError for a lexicon that cannot be used."""
        with about("lexicon"):
            await asyncio.get_running_loop().run_in_executor(self._beginners, lexicon_of, options)

    def _ticket(self, seconds: float) -> Ticket:
        """A place in the queue. Raises ApiError."""
        try:
            return self.queue.enter(seconds)
        except FullError as full:
            message = f"{self.queue.seconds:.0f} s of audio are asked for already: try again later"
            raise ApiError(429, message, code="queue_full", retry_after_s=full.after_s, again=True) from None

    async def _begun(self, begin: functools.partial[Speech]) -> Speech:
        """A speech that began in a thread; if nobody waits for it any more, it ends as soon as it began."""
        future = self._beginners.submit(begin)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            future.add_done_callback(_give_up)
            raise

    def _end(self, saying: Saying) -> None:
        self._sayings.discard(saying)
        self.metrics.audio_s.inc(saying.audio_s)
        if saying.first_sound_s is not None:
            self.metrics.first_sound_s.observe(saying.first_sound_s)
        if saying.complete and saying.rtf is not None:
            self.metrics.rtf.observe(saying.rtf)

    async def _wait_ready(self) -> None:
        """Wait until texts can be said, for a while. Raises ApiError."""
        if self.state == "loading":
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._settled.wait(), PATIENCE_S)
        if self.state == "loading":
            raise ApiError(503, self.reason, code="loading", retry_after_s=LOADING_S, again=True)
        if self.state != "ready":
            raise ApiError(503, self.reason, code=self.state, retry_after_s=LOADING_S)

    def _checked(self, text: str) -> str:
        most = self.settings.max_text_chars
        if len(text) > most:
            message = f"the text has {len(text)} characters; this server takes up to {most} at once"
            raise ApiError(400, message, param="input", code="string_above_max_length")
        with about("input"):
            check_text(text)
        return text

    async def stop(self, grace_s: float) -> None:
        """Take no more texts, let what is under way finish within a time, and tell the rest."""
        self.state, self.reason = "stopping", "this server is being stopped"
        self._settled.set()
        ends = time.monotonic() + grace_s
        while self.queue.tickets and time.monotonic() < ends:
            await asyncio.sleep(0.05)
        self.give_up()

    def give_up(self) -> None:
        """Tell everybody who waits that it is over."""
        for saying in list(self._sayings):
            saying.stop(ApiError(503, self.reason, code="stopping", retry_after_s=LOADING_S, again=True))

    def close(self) -> None:
        """End the threads in which texts begin and words are found."""
        for threads in (self._beginners, self._aligners):
            threads.shutdown(wait=False, cancel_futures=True)


def _give_up(done: "Future[Speech]") -> None:
    """Nobody waits for what has begun."""
    if not done.cancelled() and done.exception() is None:
        done.result().cancel()
