"""A long text that is being said: its pieces in order, each as soon as it is there."""

from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import Future

from alrakis.long.pieces import LongResult, Piece, join, make_piece
from alrakis.long.takes import Take, Takes
from alrakis.long.voices import SteadyVoices
from alrakis.pipeline import Pipeline
from alrakis.progress import WholeProgress
from alrakis.result import Result
from alrakis.sampling import Options
from alrakis.text.splitting import Chunk
from alrakis.timings import OnMove


class Speech:
    """What `Engine.submit_long` gives. Iterate it once, with `for` or with `async for`, or take the result.

    Iterating is what asks for more: at most twice `max_batch` pieces are made ahead. Leaving the loop early
    leaves the work under way; `cancel()` ends it at its next step. Works as a context manager that cancels.
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
        on_move: OnMove | None = None,
        silent: bool = True,
    ) -> None:
        self._config = pipeline.config
        self._bar = WholeProgress([chunk.seconds for chunk in chunks], {}, silent)
        self.text = text
        self.chunks = chunks
        self._made: list[Future[Result]] = [Future() for _ in chunks]
        takes = [Take(i, chunk.text, seed) for i, (chunk, seed) in enumerate(zip(chunks, seeds, strict=True))]
        self._takes = Takes(
            pipeline, takes, steady, options, self._keep, begin=begin, on_move=self._moving(on_move)
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

    def __iter__(self) -> Iterator[Piece]:
        for index, made in enumerate(self._made):
            result = made.result()
            self._takes.taken()
            yield make_piece(index, self.chunks[index], result, self._config)

    async def __aiter__(self) -> AsyncIterator[Piece]:
        import asyncio

        for index, made in enumerate(self._made):
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
        self._takes.cancel()
        self._bar.close()
        for made in self._made:
            made.cancel()

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
