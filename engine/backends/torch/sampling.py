"""`alrakis.sampling.draw` on the device, without waiting for it."""

import torch
from torch import Tensor

from alrakis.errors import InputError
from alrakis.sampling import NOT_A_NUMBER, IntArray, Sampling, checked_tokens

_TINY = torch.finfo(torch.float32).tiny


def draw(logits: Tensor, noise: Tensor | None, sampling: Sampling) -> Tensor:
    """Choose a candidate for each row of logits `(..., C)`, in float32: indices `(...)` int64.

    noise: `(..., C)` float32 standard exponential; may be None if sampling is greedy.
    """
    logits = logits.float()
    peak = logits.amax(-1, keepdim=True)
    logits = restrict(logits, sampling)
    if sampling.greedy:
        tokens = logits.argmax(-1)
    elif noise is None:
        raise InputError("drawing at a temperature above 0 needs noise")
    else:
        weights = (logits - peak).div_(max(sampling.temperature, _TINY)).exp_()
        tokens = (noise / weights).argmin(-1)  # an excluded candidate has noise / 0 = infinity
        if sampling.stop_p is not None:
            stops = weights[..., -1] / weights.sum(-1) >= sampling.stop_p
            tokens = tokens.masked_fill(stops, logits.shape[-1] - 1)
    return torch.where(peak.squeeze(-1).isfinite(), tokens, NOT_A_NUMBER)


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
