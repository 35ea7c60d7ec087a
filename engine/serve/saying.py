"""One request's speech under way."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from alrakis.long.pieces import Piece
from alrakis.long.speech import Speech
from alrakis.serve.problems import ApiError, about
from alrakis.serve.queue import Ticket
from alrakis.text.splitting import Chunk


class Saying:
    """A `Speech` for a client: its pieces, its figures, and its end, which frees all that it holds.

    Used by the event loop's thread alone. It has to be ended, however it goes; ending twice is harmless.
    """

    def __init__(
        self, speech: Speech, ticket: Ticket, seed: int, began_s: float, ended: Callable[["Saying"], None]
    ) -> None:
        """ended: is called once, when it has ended."""
        self.seed = seed
        self.audio_s = 0.0
        self.first_sound_s: float | None = None
        self.told = 0  # pieces that were given
        self.error: float | None = None  # the largest of those whose takes were listened to
        self._speech = speech
        self._ticket = ticket
        self._began_s = began_s
        self._ended: Callable[[Saying], None] | None = ended
        self._pieces = speech.__aiter__()
        self._stopped: ApiError | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._limit_s: float | None = None
        self._each = False
        self._beside: list[asyncio.Future[Any]] = []

    def limit(self, seconds: float, *, each: bool) -> None:
        """Stop it after some seconds. each: that long for each piece, instead of for all of them."""
        self._limit_s, self._each = seconds, each
        self._wind_up()

    def _wind_up(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._limit_s is not None and self._ended is not None:
            late = ApiError(504, f"it was not made in {self._limit_s:g} s", code="timeout", again=False)
            self._timer = asyncio.get_running_loop().call_later(self._limit_s, self.stop, late)

    @property
    def chunks(self) -> list[Chunk]:
        """What is said, chunk by chunk."""
        return list(self._speech.chunks)

    @property
    def complete(self) -> bool:
        """Whether all pieces have been given."""
        return self.told == len(self._speech.chunks)

    @property
    def wall_s(self) -> float:
        """Seconds since it was asked for."""
        return time.monotonic() - self._began_s

    @property
    def rtf(self) -> float | None:
        """Seconds by second of audio; None without audio."""
        return self.wall_s / self.audio_s if self.audio_s else None

    async def next(self) -> Piece | None:
        """The next piece; None after the last. Raises what goes wrong, and what it was stopped with."""
        if self._stopped is not None:
            raise self._stopped
        try:
            with about("input"):
                piece = await self._pieces.__anext__()
        except StopAsyncIteration:
            if self.audio_s == 0:
                message = "no speech was made for any part of the text; try another seed"
                raise ApiError(422, message, code="no_speech") from None
            return None
        except asyncio.CancelledError:
            if self._stopped is not None:
                raise self._stopped from None
            raise
        self.told += 1
        self.audio_s += piece.duration_s
        if (error := error_of(piece)) is not None:
            self.error = max(error, self.error or 0.0)
        if self.first_sound_s is None and len(piece.audio):
            self.first_sound_s = self.wall_s
        if self._each:
            self._wind_up()
        return piece

    async def pieces(self) -> AsyncIterator[Piece]:
        """The pieces that are left."""
        while (piece := await self.next()) is not None:
            yield piece

    def beside(self, work: "asyncio.Future[Any]") -> None:
        """Let some work beside it be waited for by `finish`, and end with it."""
        self._beside.append(work)

    async def finish(self) -> None:
        """Wait for the work beside it. Raises what goes wrong, and what it was stopped with."""
        try:
            for work in self._beside:
                await work
        except asyncio.CancelledError:
            if self._stopped is not None:
                raise self._stopped from None
            raise

    def stop(self, error: ApiError) -> None:
        """Let whoever waits for its pieces, or its end, have an error instead."""
        if self._stopped is None:
            self._stopped = error
            self._give_up()

    def _give_up(self) -> None:
        self._speech.cancel()
        for work in self._beside:
            work.cancel()

    def end(self) -> None:
        """Free what it holds: nobody wants more of it."""
        ended, self._ended = self._ended, None
        if ended is not None:
            if self._timer is not None:
                self._timer.cancel()
            self._give_up()
            self._ticket.leave()
            ended(self)


def error_of(piece: Piece) -> float | None:
    """The error of the take that was kept, None where only one was made."""
    kept = (scored.score.error for scored in piece.result.takes if scored.seed == piece.result.seed)
    return next(kept, None)
