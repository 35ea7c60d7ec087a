"""EnCodec's decoder out of the `encodec` package, whose import wants a torchaudio that need not work."""

import importlib.machinery
import sys
import types
from collections.abc import Sequence

from torch import nn


def decoder(dim: int, n_filters: int, ratios: Sequence[int]) -> nn.Module:
    """SEANet's decoder as EnCodec has it: causal, with weight norm."""
    _stand_in_for_torchaudio()
    from encodec.modules.seanet import SEANetDecoder

    return SEANetDecoder(
        channels=1,
        dimension=dim,
        n_filters=n_filters,
        ratios=list(ratios),
        norm="weight_norm",
        causal=True,
        true_skip=False,
    )


def _stand_in_for_torchaudio() -> None:
    # encodec reads and writes audio files with it, which is not needed here; a module without a spec breaks
    # those who look whether it is installed
    for name in ("torchaudio", "torchaudio.functional", "torchaudio.transforms"):
        if name not in sys.modules:
            module = types.ModuleType(name)
            module.__spec__ = importlib.machinery.ModuleSpec(name, None)
            sys.modules[name] = module
