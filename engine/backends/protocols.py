"""What sequences ask of a backend.

A stage is an algorithm over tokens; a backend runs a network. Tokens and logits that pass between two calls
of the same backend stay in the backend's own type (`Any` here): a GPU backend keeps them on the device, and
`read` is the only call that brings tokens to the host.
"""

from collections.abc import Sequence
from typing import Any, Protocol, TypeGuard

from alrakis.sampling import Draw, Draws, FloatArray, IntArray


class CausalGPT(Protocol):
    """A decoder with slots of KV cache, 1024 positions each: the text and the coarse model.

    A slot holds one sequence at a position of its own. Its heads are ranges of token ids, fixed when it was
    made: the only ids that can be drawn. The text model has two (with and without end of speech last), the
    coarse model one a codebook.
    """

    slots: int
    batches_prefixes: bool  # whether prefixes of one length gain by running together
    looks_ahead: int  # how many draws to come a step wants to know of a lone sequence
    stride: int  # tokens that it makes at most at once; above 1 it is `Striding`
    read_bytes: int  # of parameters and cache, by all steps so far

    def admit(self, slots: Sequence[int], tokens: IntArray, added: IntArray | None = None) -> Any:
        """Empty slots, run a prefix through each, and give the logits after the last position.

        tokens: `(B, T)` ids, T <= 1024. added: `(B, S)`, S <= T, ids whose embeddings are added onto those of
        the first S positions. Returns for each head logits `(B, C)` over its C ids.
        """
        ...

    def step(self, slots: Sequence[int], ahead: Sequence[Draw] = ()) -> Any:
        """Run the token that was drawn last in each of these slots, which ascend; logits as `admit` has them.

        ahead: for a single slot, `looks_ahead` draws to come or what is left, the first of them from these
        logits. The logits are overwritten by the next step.
        """
        ...

    def draw(self, logits: Any, slots: Sequence[int], draws: Sequence[Draw]) -> Any:
        """Draw a token id in each slot, `(B,)`; the slots keep them for their next step."""
        ...

    def feed(self, slots: Sequence[int], tokens: IntArray) -> None:
        """Say what the slots' last tokens are, `(B,)`, in place of what was drawn."""
        ...

    def read(self, tokens: Any) -> IntArray:
        """Tokens that `draw` or `advance` gave, or some of their rows, on the host: `(B, ...)` int64.

        Raises GenerationError if logits of one of them were not numbers.
        """
        ...

    def leave(self, slot: int) -> None:
        """A slot's sequence needs it no more."""
        ...

    def release(self) -> None:
        """Free what all slots hold."""
        ...


class Striding(CausalGPT, Protocol):
    """A causal model on a device that makes many tokens at once, so that the host is asked for nothing."""

    def enter(self, slots: Sequence[int], tokens: IntArray, added: IntArray | None = None) -> None:
        """Empty slots and run a prefix through each, as `admit`, but for its last token, which runs next."""
        ...

    def advance(self, slots: Sequence[int], draws: Sequence[Draws]) -> Any:
        """Run and draw tokens in each of these slots, which ascend: `stride` of them, or as many as are left.

        Returns `(B, N)` tokens, which `read` waits for; in a row, those after its last mean nothing.
        """
        ...


def strides(gpt: CausalGPT) -> TypeGuard[Striding]:
    """Whether a model makes many tokens at once."""
    return gpt.stride > 1


class FineGPT(Protocol):
    """The non-causal model that fills codebooks 2..7 of a window of frames."""

    def begin(self, codes: IntArray, given: int) -> Any:
        """A window of codes `(B, T, 8)` with T <= 1024; codebooks below `given` are final."""
        ...

    def predict(self, window: Any, codebook: int, start: IntArray, draws: Sequence[Draw]) -> None:
        """Draw one codebook and write it into the window; codebooks are predicted in ascending order.

        start: `(B,)`, the first frame of each row to write.
        """
        ...

    def codes(self, window: Any) -> IntArray:
        """The window as it stands, on the host: `(B, T, 8)`; NOT_A_NUMBER where logits were no numbers."""
        ...

    def release(self) -> None:
        """Free what is kept between calls."""
        ...


class Codec(Protocol):
    """EnCodec's decoder."""

    def decode(self, codes: IntArray) -> FloatArray:
        """Codec decode: codes `(B, 8, T)` to samples `(B, 320 * T)`, float32 in about -1..1."""
        ...

    def release(self) -> None:
        """Free what is kept between calls."""
        ...
