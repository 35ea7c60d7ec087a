"""What a stage asks of a backend.

A stage is an algorithm over tokens; a backend runs a network. Tokens and logits that pass between two calls
of the same backend stay in the backend's own type (`Any` here): a GPU backend keeps them on the device, and
`read` is the only call that brings tokens to the host.

All rows of a batch are aligned: they have the same prefix length and take the same number of steps.
"""

from typing import Any, Protocol

from alrakis.sampling import FloatArray, IntArray, Sampling, Upcoming


class CausalGPT(Protocol):
    """A decoder with a KV cache of 1024 positions: the text and the coarse model.

    Its heads are ranges of token ids, fixed when it was made: the only ids that can be drawn. The text model
    has two (with and without end of speech last), the coarse model one a codebook.
    """

    read_bytes: int  # of parameters and cache, by all steps so far

    def prefill(self, tokens: IntArray, added: IntArray | None = None, *, head: int = 0) -> Any:
        """Empty the cache, run a prefix through it, and give the logits after its last position.

        tokens: `(B, T)` ids, T <= 1024. added: `(B, S)`, S <= T, ids whose embeddings are added onto those
        of the first S positions. Returns logits `(B, C)` over the head's C ids.
        """
        ...

    def step(self, tokens: Any, *, head: int = 0, upcoming: Upcoming | None = None) -> Any:
        """Run one more token a row, `(B,)` as `draw` gave them, and give the next logits `(B, C)`.

        upcoming: the draws to come, the first of them from these logits; a backend may work ahead.
        """
        ...

    def upload(self, noise: FloatArray) -> Any:
        """Bring noise for several steps, `(N, B, C)`, to where `draw` runs; index it by step."""
        ...

    def draw(self, logits: Any, noise: Any, sampling: Sampling, *, head: int = 0) -> Any:
        """Draw one token id a row, `(B,)`; noise is `(B, C)`, or None when sampling is greedy."""
        ...

    def read(self, tokens: Any) -> IntArray:
        """Tokens that `draw` gave, on the host: `(B,)` int64."""
        ...

    def keep(self, rows: IntArray) -> None:
        """Go on with these rows of the batch only: their indices, `(B',)`, ascending."""
        ...

    def release(self) -> None:
        """Free what is kept between calls; the next call must be a prefill."""
        ...


class FineGPT(Protocol):
    """The non-causal model that fills codebooks 2..7 of a window of frames."""

    def begin(self, codes: IntArray, given: int) -> None:
        """Take a window, codes `(B, T, 8)` with T <= 1024; codebooks below `given` are final."""
        ...

    def predict(self, codebook: int, start: IntArray, noise: FloatArray | None, sampling: Sampling) -> None:
        """Draw one codebook and write it into the window; codebooks are predicted in ascending order.

        start: `(B,)`, the first frame of each row to write. noise: `(B, T, codebook size)`, or None when
        sampling is greedy; frames before a row's start are not read.
        """
        ...

    def codes(self) -> IntArray:
        """The window as it stands, on the host: `(B, T, 8)`."""
        ...

    def release(self) -> None:
        """Free the window; the next call must be `begin`."""
        ...


class Codec(Protocol):
    """EnCodec's decoder."""

    def decode(self, codes: IntArray) -> FloatArray:
        """Codec decode: codes `(B, 8, T)` to samples `(B, 320 * T)`, float32 in about -1..1."""
        ...

    def release(self) -> None:
        """Free what is kept between calls."""
        ...
