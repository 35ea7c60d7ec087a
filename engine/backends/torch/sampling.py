"""`alrakis.sampling.draw` on the device, without waiting for it."""

import torch
from torch import Tensor

from alrakis.errors import InputError
from alrakis.sampling import NOT_A_NUMBER, IntArray, Sampling, checked_tokens

TINY = torch.finfo(torch.float32).tiny


def draw(logits: Tensor, noise: Tensor | None, sampling: Sampling) -> Tensor:
    """Choose a candidate for each row of logits `(..., C)`, in float32: indices `(...)` int64.

    noise: `(..., C)` float32 standard exponential; may be None if sampling is greedy.
    """
    logits = restrict(logits.float(), sampling)
    if sampling.greedy:
        best, tokens = logits.max(-1)
        return torch.where(best.isfinite(), tokens, NOT_A_NUMBER)
    if noise is None:
        raise InputError("drawing at a temperature above 0 needs noise")
    temperature = max(sampling.temperature, TINY)
    if sampling.stop_p is None:
        return race(logits, noise, temperature)
    last = logits.new_full((*logits.shape[:-1], 1), logits.shape[-1] - 1, dtype=torch.int64)
    return race(logits, noise, temperature, sampling.stop_p, last)


def race(
    logits: Tensor,
    noise: Tensor,
    temperature: Tensor | float,
    stop_p: Tensor | float | None = None,
    last: Tensor | None = None,
    first_id: Tensor | int = 0,
) -> Tensor:
    """The candidate of each row of float32 logits `(..., C)` that arrives first: ids `(...)` int64.

    temperature: at least TINY, of all rows or of each `(..., 1)`, as is stop_p. last: `(..., 1)`, the
    candidate that is chosen once its probability reaches stop_p. first_id: of the first candidate, of all
    rows or of each. NOT_A_NUMBER where logits are not numbers.
    """
    peak = logits.amax(-1, keepdim=True)
    weights = (logits - peak).div_(temperature).exp_()  # all of them not numbers where the peak is none
    best, tokens = (noise / weights).min(-1)  # an excluded candidate has noise / 0 = infinity
    if stop_p is not None and last is not None:
        stops = weights.gather(-1, last) / weights.sum(-1, keepdim=True) >= stop_p
        tokens = torch.where(stops, last, tokens[..., None]).squeeze(-1)
    if not isinstance(first_id, int) or first_id:
        tokens = tokens + first_id
    return tokens.masked_fill(best.isnan(), NOT_A_NUMBER)


def restrict(logits: Tensor, sampling: Sampling) -> Tensor:
    """Logits `(..., C)`, with candidates that top_p and then top_k exclude set to minus infinity."""
    if sampling.top_p is not None:
        logits = _restrict_top_p(logits, sampling.top_p)
    if sampling.top_k is not None and sampling.top_k < logits.shape[-1]:
        kth = logits.topk(sampling.top_k, dim=-1).values[..., -1:]
        logits = logits.masked_fill(logits < kth, -torch.inf)
    return logits


def _restrict_top_p(logits: Tensor, top_p: float) -> Tensor:
    ranked, order = logits.sort(dim=-1, descending=True)
    excluded = ranked.softmax(-1).cumsum(-1) > top_p
    excluded = excluded.roll(1, -1)  # the candidate that crosses top_p stays
    excluded[..., 0] = False
    return torch.empty_like(logits).scatter_(-1, order, ranked.masked_fill(excluded, -torch.inf))


def read_tokens(tokens: Tensor) -> IntArray:
    """Tokens on the host, int64. Raises GenerationError if logits were not numbers."""
    host: IntArray = tokens.cpu().numpy()
    return checked_tokens(host)
