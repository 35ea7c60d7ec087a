"""A long text that is being said: its pieces in order, each as soon as it is there."""

import threading
from collections.abc import AsyncIterator, Callable, Hashable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack

from alrakis.flight.origin import Origin
from alrakis.long.pieces import LongResult, Piece, join, make_piece
from alrakis.long.takes import EngineSpeaker, Take, Takes
from alrakis.long.voices import SteadyVoices
from alrakis.pipeline import Pipeline
from alrakis.progress import WholeProgress
from alrakis.result import Result
from alrakis.sampling import Options
from alrakis.text.splitting import Chunk
from alrakis.timings import OnMove


class Speech:
    """What `Engine.submit_long` gives. Iterate it once, with `for` or with `async for`, or take the result.

    bounded: iterating is what asks for more, and at most twice `max_batch` pieces are made ahead. Leaving the
    loop early leaves the work under way; `cancel()` ends it at its next step. Works as a context manager that
    cancels.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        text: str,
        chunks: Sequence[Chunk],
        seeds: Sequence[int],
        steady: SteadyVoices,
        options: Options,
        *,
        begin: int | None = None,
        bounded: bool = True,
        on_move: OnMove | None = None,
        client: Hashable | None = None,
        silent: bool = True,
        language: str | None = None,
    ) -> None:
        self._config = pipeline.config
        self._origin = Origin()
        self._bars = ExitStack()
        self._bar = self._bars.enter_context(WholeProgress([chunk.seconds for chunk in chunks], {}, silent))
        self.text = text
        self.chunks = chunks
        self._lock = threading.Lock()
        self._ended: Callable[[], None] | None = None
        self._made: list[Future[Result]] = [Future() for _ in chunks]
        takes = [
            Take(index, chunk.text, seed, written=chunk.written)
            for index, (chunk, seed) in enumerate(zip(chunks, seeds, strict=True))
        ]
        self._takes = Takes(
            EngineSpeaker(pipeline),
            takes,
            steady,
            options,
            self._keep,
            begin=begin,
            bounded=bounded,
            on_move=self._moving(on_move),
            client=client,
            language=language,
        )
        try:
            self._takes.start()
        except BaseException:
            self.cancel()
            raise

    def _moving(self, on_move: OnMove | None) -> OnMove:
        """Tells the bar of each step, and whoever else wants to know."""

        def moved(part: str, seconds: float) -> None:
            self._bar.move(part, seconds)
            if on_move is not None:
                on_move(part, seconds)

        return moved

    def __repr__(self) -> str:
        said = f"{self.text[:40]}..." if len(self.text) > 43 else self.text
        return f"<Speech {said!r}: {self.done} of {len(self.chunks)} pieces made>"

    def __iter__(self) -> Iterator[Piece]:
        for index, made in enumerate(self._made):
            self._origin.check()
            result = made.result()
            self._takes.taken()
            yield make_piece(index, self.chunks[index], result, self._config)

    async def __aiter__(self) -> AsyncIterator[Piece]:
        import asyncio

        for index, made in enumerate(self._made):
            self._origin.check()
            result = await asyncio.wrap_future(made)
            self._takes.taken()
            yield make_piece(index, self.chunks[index], result, self._config)

    def __enter__(self) -> "Speech":
        return self

    def __exit__(self, *error: object) -> None:
        self.cancel()

    def result(self) -> LongResult:
        """All pieces, joined. What goes wrong, or Ctrl-C, cancels the rest."""
        with self:
            return join(self.text, list(self))

    def cancel(self) -> None:
        """Give up what is not made yet; waiting for it raises `concurrent.futures.CancelledError`."""
        if self._origin.left:
            return  # it is made in the process that this one was forked from
        self._takes.cancel()
        self._bars.close()
        for made in self._made:
            made.cancel()

    def add_done_callback(self, function: Callable[[], None]) -> None:
        """Call a function once, when all pieces are made or one cannot be; in the worker's thread."""
        self._ended = function
        self._tell_end()

    def _tell_end(self) -> None:
        over = all(made.done() for made in self._made) or any(
            made.done() and not made.cancelled() and made.exception() for made in self._made
        )
        with self._lock:
            function, self._ended = (self._ended, None) if over else (None, self._ended)
        if function is not None:
            function()

    @property
    def done(self) -> int:
        """How many pieces are made."""
        return sum(made.done() for made in self._made)

    def _keep(self, take: Take, made: Result | BaseException) -> None:
        future = self._made[take.index]
        if not future.set_running_or_notify_cancel():
            return
        if isinstance(made, BaseException):
            future.set_exception(made)
        else:
            self._bar.done(take.index, made.duration_s)
            future.set_result(made)
        self._tell_end()
