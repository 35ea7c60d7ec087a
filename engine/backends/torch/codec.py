"""EnCodec's decoder on torch, with weight norm folded, in float32.

Ported from encodec 0.1.1 (`encodec/modules/seanet.py`, `conv.py`, `lstm.py`): every convolution is causal,
with reflection padding on the left.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from alrakis.backends.torch.device import running
from alrakis.backends.torch.model import Reader
from alrakis.sampling import FloatArray, IntArray
from alrakis.spec import CodecShape
from alrakis.weights.types import CodecWeights


class Conv(nn.Module):
    """A causal convolution, `(B, in, T)` to `(B, out, T)`."""

    def __init__(self, read: Reader, name: str) -> None:
        super().__init__()
        self.weight = read(f"{name}.conv.conv.weight")
        self.bias = read(f"{name}.conv.conv.bias")

    def forward(self, x: Tensor) -> Tensor:
        return F.conv1d(_reflected(x, self.weight.shape[-1] - 1), self.weight, self.bias)


def _reflected(x: Tensor, padding: int) -> Tensor:
    """x `(B, C, T)` with reflection padding on the left; if x is too short for it, zeros are put after x."""
    if padding == 0:
        return x
    short = max(0, padding + 1 - x.shape[-1])
    padded = F.pad(F.pad(x, (0, short)), (padding, 0), mode="reflect")
    return padded[..., : padded.shape[-1] - short]


class Upsampling(nn.Module):
    """A transposed convolution, `(B, in, T)` to `(B, out, ratio * T)`; further output is cut off."""

    def __init__(self, read: Reader, name: str, ratio: int) -> None:
        super().__init__()
        self.ratio = ratio
        self.weight = read(f"{name}.convtr.convtr.weight")
        self.bias = read(f"{name}.convtr.convtr.bias")

    def forward(self, x: Tensor) -> Tensor:
        y = F.conv_transpose1d(x, self.weight, self.bias, stride=self.ratio)
        return y[..., : self.ratio * x.shape[-1]]


class Residual(nn.Module):
    """Two convolutions, plus a shortcut convolution of kernel size 1."""

    def __init__(self, read: Reader, name: str) -> None:
        super().__init__()
        self.first = Conv(read, f"{name}.block.1")
        self.second = Conv(read, f"{name}.block.3")
        self.shortcut = Conv(read, f"{name}.shortcut")

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.second(F.elu(self.first(F.elu(x))))
        return y.add_(self.shortcut(x))


class Recurrent(nn.Module):
    """An LSTM over time whose output is added to its input, `(B, C, T)`."""

    def __init__(self, read: Reader, name: str, width: int, layers: int) -> None:
        super().__init__()
        # on "meta" no time is spent on initial values, which are replaced here
        self.lstm = nn.LSTM(width, width, layers, device="meta")
        for parameter, _ in list(self.lstm.named_parameters()):
            setattr(self.lstm, parameter, read(f"{name}.lstm.{parameter}"))
        self.lstm.flatten_parameters()

    def forward(self, x: Tensor) -> Tensor:
        steps = x.permute(2, 0, 1)
        y, _ = self.lstm(steps)
        added: Tensor = y + steps
        return added.permute(1, 2, 0)


class Decoder(nn.Module):
    """The codebooks and SEANet's decoder."""

    def __init__(self, read: Reader, shape: CodecShape) -> None:
        super().__init__()
        width = shape.n_filters << len(shape.ratios)
        last = 2 + 3 * len(shape.ratios)  # for each ratio: ELU, upsampling, residual
        self.codebooks = nn.ParameterList([read(f"codebooks.{i}") for i in range(shape.n_codebooks)])
        self.first = Conv(read, "decoder.model.0")
        self.recurrent = Recurrent(read, "decoder.model.1", width, shape.lstm_layers)
        self.upsamplings = nn.ModuleList(
            Upsampling(read, f"decoder.model.{3 + 3 * i}", ratio) for i, ratio in enumerate(shape.ratios)
        )
        self.residuals = nn.ModuleList(
            Residual(read, f"decoder.model.{4 + 3 * i}") for i in range(len(shape.ratios))
        )
        self.last = Conv(read, f"decoder.model.{last + 1}")

    def forward(self, codes: Tensor) -> Tensor:
        """Codes `(B, n, T)` int64 of the first n <= 8 codebooks to samples `(B, 320 * T)`."""
        x = F.embedding(codes[:, 0], self.codebooks[0])
        for i in range(1, codes.shape[1]):
            x = x + F.embedding(codes[:, i], self.codebooks[i])
        x = self.recurrent(self.first(x.transpose(1, 2)))
        for upsampling, residual in zip(self.upsamplings, self.residuals, strict=True):
            x = residual(upsampling(F.elu(x)))
        samples: Tensor = self.last(F.elu(x))
        return samples[:, 0]


class TorchCodec:
    """A `Codec` on torch. home: where the parameters are kept, if an offload hook moves them to `device`."""

    dtype = torch.float32

    def __init__(
        self, weights: CodecWeights, device: torch.device, *, home: torch.device | None = None
    ) -> None:
        self.net = Decoder(Reader(weights.arrays, home or device, self.dtype), weights.shape)
        self.device = device

    @running
    def decode(self, codes: IntArray) -> FloatArray:
        """Decode codes `(B, 8, T)` to samples `(B, 320 * T)`, float32 in about -1..1."""
        samples: Tensor = self.net(torch.tensor(codes, dtype=torch.int64, device=self.device))
        host: FloatArray = samples.cpu().numpy()
        return host

    def release(self) -> None:
        """Nothing is kept between calls."""
