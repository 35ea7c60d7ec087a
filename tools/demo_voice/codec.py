"""The codec: a small encoder of its own and EnCodec's decoder, with eight codebooks; and its mel loss.

The two coarse codebooks quantize what the encoder gives. The six others quantize what the refiner makes of
these two: they say nothing that the coarse codes do not imply, so that the fine model can learn them.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from scipy.signal import resample_poly
from torch import Tensor, nn

from alrakis.spec import N_COARSE_CODEBOOKS
from demo_voice.refiner import Refiner
from demo_voice.semantic import Ids

RATE_HZ = 24_000
HOP = 320  # samples a frame
ENCODER_WINDOW = 1024
ENCODER_MELS = 80
ENCODER_TOP_HZ = 1000  # of the samples themselves: where the pulses are, not what the noise above them is
MEL_SCALES = ((128, 32, 20), (256, 64, 32), (512, 128, 64), (1024, 256, 80), (2048, 512, 80))


class Encoder(nn.Module):
    """Samples `(B, 1, 320 * T)` to vectors `(B, dim, T)`: frames up to 1 kHz and mel spectra, convolved."""

    win: Tensor
    fb: Tensor

    def __init__(self, dim: int, width: int = 256) -> None:
        super().__init__()
        self.register_buffer("win", torch.hann_window(ENCODER_WINDOW))
        self.register_buffer("fb", mel_filters(ENCODER_WINDOW, ENCODER_MELS))
        self.raw, self.mel = nn.Linear(ENCODER_WINDOW, width), nn.Linear(ENCODER_MELS, width)
        self.bl = nn.ModuleList(
            nn.ModuleList([nn.Conv1d(width, width, 3, padding=1), nn.Conv1d(width, width, 1)])
            for _ in range(4)
        )
        self.out = nn.Conv1d(width, dim, 1)

    def forward(self, samples: Tensor) -> Tensor:
        around = (ENCODER_WINDOW - HOP) // 2
        frames = F.pad(samples[:, 0], (around, around)).unfold(1, ENCODER_WINDOW, HOP) * self.win
        spectrum = torch.fft.rfft(frames)
        mel = spectrum.abs() @ self.fb.t()
        spectrum[..., ENCODER_TOP_HZ * ENCODER_WINDOW // RATE_HZ :] = 0
        low = torch.fft.irfft(spectrum)
        x = (self.raw(low * 4) + self.mel((mel.clamp(min=1e-4).log() + 3) / 3)).transpose(1, 2)
        for block in self.bl:
            wide, narrow = block.children()
            x = x + narrow(F.gelu(wide(F.gelu(x))))
        return self.out(x)


class Codebook(nn.Module):
    """One codebook; it follows the vectors that fall to it, and unused entries start anew."""

    embed: Tensor
    cluster_size: Tensor
    embed_avg: Tensor
    inited: Tensor

    def __init__(self, entries: int, dim: int) -> None:
        super().__init__()
        self.register_buffer("embed", torch.zeros(entries, dim))
        self.register_buffer("cluster_size", torch.ones(entries))
        self.register_buffer("embed_avg", torch.zeros(entries, dim))
        self.register_buffer("inited", torch.zeros(1))

    def nearest(self, vectors: Tensor) -> Tensor:
        return (self.embed.pow(2).sum(1) - 2 * vectors @ self.embed.t()).argmin(1)

    @torch.no_grad()
    def begin(self, vectors: Tensor) -> None:
        """A few rounds of k-means from random vectors."""
        entries = len(self.embed)
        self.embed.copy_(vectors[torch.randint(len(vectors), (entries,))])
        for _ in range(8):
            sums, counts = self._sums(vectors, self.nearest(vectors))
            used = counts > 0
            self.embed[used] = sums[used] / counts[used, None]
            self.embed[~used] = vectors[torch.randint(len(vectors), (int((~used).sum()),))]
        self.embed_avg.copy_(self.embed)
        self.cluster_size.fill_(1)
        self.inited.fill_(1)

    @torch.no_grad()
    def follow(self, vectors: Tensor, chosen: Tensor, keep: float = 0.99) -> None:
        sums, counts = self._sums(vectors, chosen)
        self.cluster_size.mul_(keep).add_(counts, alpha=1 - keep)
        self.embed_avg.mul_(keep).add_(sums, alpha=1 - keep)
        dead = self.cluster_size.lt(0.02)
        if dead.any():
            self.cluster_size[dead] = 0.3
            self.embed_avg[dead] = vectors[torch.randint(len(vectors), (int(dead.sum()),))] * 0.3
        self.embed.copy_(self.embed_avg / (self.cluster_size[:, None] + 1e-6))

    def _sums(self, vectors: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
        counts = torch.zeros(len(self.embed)).index_add_(0, chosen, torch.ones(len(chosen)))
        return torch.zeros_like(self.embed).index_add_(0, chosen, vectors), counts


class Codec(nn.Module):
    def __init__(self, ids: Ids) -> None:
        super().__init__()
        from demo_voice.encodec_parts import decoder

        shape = ids.codec
        self.encoder, self.refiner = Encoder(shape["dim"]), Refiner(shape["dim"])
        self.decoder = decoder(shape["dim"], shape["n_filters"], shape["ratios"])
        self.vqs = nn.ModuleList(Codebook(shape["entries"], shape["dim"]) for _ in range(shape["codebooks"]))

    @property
    def books(self) -> list[Codebook]:
        return [book for book in self.vqs if isinstance(book, Codebook)]

    @property
    def coarse_books(self) -> list[Codebook]:
        return self.books[:N_COARSE_CODEBOOKS]

    @property
    def fine_books(self) -> list[Codebook]:
        return self.books[N_COARSE_CODEBOOKS:]

    def quantize(
        self, vectors: Tensor, books: Sequence[Codebook], *, learn: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Vectors `(B, dim, T)` as the sum of an entry of each book, with straight-through gradients; their
        codes `(B, len(books), T)`; and the commitment loss."""
        rows, dim, length = vectors.shape
        whole = vectors.transpose(1, 2).reshape(-1, dim).float()
        rest, summed, codes, commitment = whole.detach(), torch.zeros_like(whole), [], torch.zeros(())
        for book in books:
            chosen = book.nearest(rest)
            entry = book.embed[chosen]
            if learn:
                book.follow(rest, chosen)
            commitment = commitment + F.mse_loss(whole - summed.detach(), entry)
            summed, rest = summed + entry, rest - entry
            codes.append(chosen.view(rows, length))
        through = whole + (summed - whole).detach()
        return through.view(rows, length, dim).transpose(1, 2), torch.stack(codes, 1), commitment

    def coarse_codes(self, samples: Tensor) -> Tensor:
        """Samples `(B, 1, 320 * T)` to the codes that the coarse model speaks `(B, 2, T)`."""
        return self.quantize(self.encoder(samples), self.coarse_books, learn=False)[1]

    def correction(self, coarse: Tensor) -> Tensor:
        """What the refiner adds `(B, dim, T)` to the vectors of coarse codes `(B, 2, T)`; pads are silent."""
        parts = []
        for codes, book in zip(coarse.unbind(1), self.coarse_books, strict=True):
            known = codes < len(book.embed)
            parts.append(book.embed[codes * known] * known[..., None])
        return self.refiner(torch.cat(parts, -1).transpose(1, 2))

    def fine_codes(self, correction: Tensor, slip: float = 0.0) -> Tensor:
        """The six fine codes `(B, 6, T)` of a correction.

        slip: noise on each choice, in deviations of what is left to quantize there; the codebooks after it
        make up for what it missed.
        """
        rows, _, length = correction.shape
        rest, codes = correction.transpose(1, 2).flatten(0, 1), []
        for book in self.fine_books:
            chosen = book.nearest(rest + slip * rest.std() * torch.randn_like(rest) if slip else rest)
            rest = rest - book.embed[chosen]
            codes.append(chosen.view(rows, length))
        return torch.stack(codes, 1)

    def misses(self, correction: Tensor, fine: Tensor) -> Tensor:
        """Squared distances `(B, T, entries)` of the next codebook's entries to what fine codes `(B, K, T)`
        leave of the correction."""
        rest = correction.transpose(1, 2)
        for codes, book in zip(fine.unbind(1), self.fine_books, strict=False):
            rest = rest - book.embed[codes]
        entries = self.fine_books[fine.shape[1]].embed
        return rest.square().sum(-1, keepdim=True) - 2 * rest @ entries.t() + entries.square().sum(1)

    def complete(self, coarse: Tensor) -> Tensor:
        """Coarse codes `(B, 2, T)` and the six that the refiner wants with them `(B, 8, T)`."""
        return torch.cat([coarse, self.fine_codes(self.correction(coarse))], 1)

    def vectors(self, codes: Tensor) -> Tensor:
        """Codes `(B, K, T)` to the decoder's input `(B, dim, T)`."""
        entries = [book.embed[codes[:, i]] for i, book in enumerate(self.books[: codes.shape[1]])]
        return torch.stack(entries).sum(0).transpose(1, 2)

    def folded(self) -> dict[str, Tensor]:
        """What alrakis reads: the decoder with weight norm folded, and the codebooks."""
        out, state = {}, self.decoder.state_dict()
        for name, tensor in state.items():
            if name.endswith("weight_v"):
                length = tensor.flatten(1).norm(dim=1).view(-1, 1, 1)
                out[f"decoder.{name[:-2]}"] = tensor * state[f"{name[:-1]}g"] / length
            elif not name.endswith("weight_g"):
                out[f"decoder.{name}"] = tensor
        return out | {f"codebooks.{i}": book.embed for i, book in enumerate(self.books)}

    def restore(self, arrays: Mapping[str, Any]) -> None:
        """From a checkpoint's names, or from the packed ones (encoder, refiner and folded decoder)."""
        own = self.state_dict()
        for name, array in arrays.items():
            tensor = torch.as_tensor(array).float()
            if name.startswith("codebooks."):
                book = f"vqs.{name.removeprefix('codebooks.')}"
                own[f"{book}.embed"].copy_(tensor)
                own[f"{book}.embed_avg"].copy_(tensor)
                own[f"{book}.inited"].fill_(1)
            elif f"{name}_v" in own:
                own[f"{name}_v"].copy_(tensor)
                own[f"{name}_g"].copy_(tensor.flatten(1).norm(dim=1).view(-1, 1, 1))
            else:
                own[name].copy_(tensor)


def to_24k(samples: Any) -> Tensor:
    """flite's 16 kHz int16 samples as float32 at 24 kHz, padded to whole frames: `(320 * T,)`."""
    upsampled = resample_poly(samples.astype("float32") / 32768, 3, 2)
    return F.pad(torch.from_numpy(upsampled).float(), (0, -len(upsampled) % HOP))


def mel_filters(window: int, bands: int) -> Tensor:
    """Triangular mel filters `(bands, window // 2 + 1)`."""
    hz = torch.linspace(0, RATE_HZ / 2, window // 2 + 1)
    top = 2595 * math.log10(1 + RATE_HZ / 2 / 700)
    edges = 700 * (10 ** (torch.linspace(0, top, bands + 2) / 2595) - 1)
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    return torch.minimum((hz - low) / (middle - low), (high - hz) / (high - middle)).clamp(min=0)


class MelLoss(nn.Module):
    """Log-mel L1 and half the spectral convergence, over several windows."""

    def __init__(self) -> None:
        super().__init__()
        for window, _, bands in MEL_SCALES:
            self.register_buffer(f"filters{window}", mel_filters(window, bands))
            self.register_buffer(f"window{window}", torch.hann_window(window))

    def forward(self, made: Tensor, true: Tensor) -> tuple[Tensor, Tensor]:
        """Samples `(B, N)`, twice, to log-mel distance and spectral convergence."""
        distance, convergence = torch.zeros(()), torch.zeros(())
        for window, hop, _ in MEL_SCALES:
            (a, a_mel), (b, b_mel) = (self._spectra(x, window, hop) for x in (made, true))
            distance = distance + (a_mel.clamp(min=1e-4).log() - b_mel.clamp(min=1e-4).log()).abs().mean()
            convergence = convergence + (a - b).norm() / (b.norm() + 1e-3)
        return distance / len(MEL_SCALES), convergence / len(MEL_SCALES)

    def _spectra(self, samples: Tensor, window: int, hop: int) -> tuple[Tensor, Tensor]:
        shape = getattr(self, f"window{window}")
        spectrum = torch.stft(samples, window, hop, window=shape, return_complex=True)
        size = torch.sqrt(spectrum.real**2 + spectrum.imag**2 + 1e-9)
        return size, getattr(self, f"filters{window}") @ size
