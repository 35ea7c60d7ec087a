"""Short texts in chunks, and what their pieces are made of."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from alrakis import Engine
from alrakis.long.joining import finish, pause_after
from alrakis.long.pieces import Piece
from alrakis.text.splitting import Chunk

SHORT: dict[str, Any] = {"max_gen_duration_s": 0.5, "min_eos_p": 0.001}


def text_of(count: int, *speakers: str | None) -> list[Chunk]:
    """So many chunks; the speakers take turns."""
    named = speakers or (None,)
    return [
        Chunk(f"This is number {i}.", "sentence" if i + 1 < count else "end", named[i % len(named)], 1.0)
        for i in range(count)
    ]


def one_by_one(engine: Engine, pieces: Sequence[Piece], voices: Sequence[Any]) -> None:
    """The chunks generated alone, with their seeds, are the pieces; joined by hand they are the audio."""
    for piece, voice in zip(pieces, voices, strict=True):
        alone = engine.generate(piece.chunk.text, voice, seed=piece.result.seed, silent=True, **SHORT)
        for name in ("semantic_tokens", "coarse_tokens", "fine_tokens"):
            assert np.array_equal(getattr(alone, name), getattr(piece.result, name))
        rate = alone.sample_rate
        finished = finish(alone.audio, rate, engine.config)
        joined = np.concatenate([finished, pause_after(piece.chunk.pause, rate, engine.config)])
        np.testing.assert_allclose(joined, piece.audio, atol=1e-5)
