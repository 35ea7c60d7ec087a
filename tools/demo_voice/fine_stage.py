"""Step `fine`: trains the fine model, codebooks 2 to 7 from those below, over windows of 1024 frames.

What they should be is what the refiner makes of the coarse codes of the same window.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from alrakis.spec import N_COARSE_CODEBOOKS
from demo_voice.codec import Codec
from demo_voice.model import CODEBOOKS, FineGPT, know_codebooks, look_beside, set_positions
from demo_voice.semantic import Ids
from demo_voice.speech import Utterance, read_shards, shards
from demo_voice.training import Plan, Training, mixed_precision

FRAMES = 1024
SAME_TIME = 64  # dims that tell positions
FRAMES_A_BATCH = 4096
CODEBOOKS_DRAWN = (2, 2, 2, 3, 3, 3, 4, 4, 5, 6, 7)  # the lower ones are heard most
TEMPERATURE = 0.5
NOISE = 0.05  # share of the coarse codes that are wrong, in half of the batches
SHARPNESS = 10.0  # of what is learned: entries near to the nearest one are nearly as good
BESIDE = ((-1, 1, 2), (-2, 2, 4), (-4, 3, 8))  # frames that the heads of each layer begin with looking at
SLIP = 0.7  # noise on what the lower codebooks chose, up to so many deviations: as drawn ones are


def make_model(ids: Ids) -> FineGPT:
    model = FineGPT(ids.fine_vocab, ids.layers["fine"], ids.heads, ids.d)
    periods = 2 ** torch.linspace(2, 10, SAME_TIME // 2)
    set_positions(model, torch.arange(1024.0), periods, 0.06)
    for layer, offsets in enumerate(BESIDE):
        look_beside(model, layer, offsets, periods, ids.d)
    with torch.no_grad():
        for table in _tables(model):  # codes tell no positions
            table[:, :SAME_TIME] *= 0.1
    return model


def train(
    folder: Path,
    plan: Plan,
    *,
    speakers: Sequence[str],
    start: dict[str, Tensor] | None,
    codec: Codec,
) -> None:
    """start: a model that knows the codec's codebooks; without one they are made known to a new one."""
    ids, random = Ids.read(), np.random.default_rng()
    model = make_model(ids)
    if start is not None:
        model.load_state_dict(start, strict=False)  # the tied embeddings are stored once
    else:
        books = [book.embed for book in codec.books]
        known = [table[: ids.codec["entries"]] for table in _tables(model)]
        for some in (slice(N_COARSE_CODEBOOKS), slice(N_COARSE_CODEBOOKS, None)):  # a scale for each kind
            know_codebooks(known[some], books[some], SAME_TIME)
    training = Training(model, folder / "fine.pt", plan, muon=2e-3, adam=2e-3)
    spoken = [list(read_shards(shards(folder / "data", speaker, encoded=True))) for speaker in speakers]
    print([len(some) for some in spoken], "utterances", flush=True)
    while not training.finished:
        codebook = int(random.choice(CODEBOOKS_DRAWN))
        length = FRAMES if random.random() < 0.4 else int(random.integers(FRAMES // 4, FRAMES))
        rows = [
            sequence(spoken[random.integers(len(spoken))], length, ids.fine_pad, random)
            for _ in range(FRAMES_A_BATCH // length)
        ]
        coarse = torch.from_numpy(np.stack(rows))
        with torch.no_grad():
            correction = codec.correction(coarse.transpose(1, 2))
            fine = codec.fine_codes(correction, SLIP * random.random())
            misses = codec.misses(correction, fine[:, : codebook - N_COARSE_CODEBOOKS])
        codes = torch.cat([coarse, fine.transpose(1, 2)], 2)
        inputs, learned = make_batch(codes, codebook, ids, random)
        with mixed_precision():
            logits = model(codebook, inputs)[learned]
        divergence, missed = drawing_losses(logits[:, : ids.codec["entries"]].float(), misses[learned])
        shown = {f"divergence{codebook}": divergence.item(), f"missed{codebook}": missed.item()}
        training.step(divergence + 10 * missed, len(rows), **shown)
    training.save()


def drawing_losses(logits: Tensor, misses: Tensor) -> tuple[Tensor, Tensor]:
    """For logits and misses of entries, both `(N, entries)`: how other the odds are from those that prefer
    near entries, and how much what is drawn at Bark's temperature misses, 1 where it is any entry."""
    wanted = (-SHARPNESS / (misses.amin(-1).mean() + 1e-9) * misses).log_softmax(-1)
    divergence = F.kl_div(logits.log_softmax(-1), wanted, reduction="batchmean", log_target=True)
    drawn = (logits / TEMPERATURE).softmax(-1)
    return divergence, (drawn * misses).sum(-1).mean() / (misses.mean() + 1e-9)


def _tables(model: FineGPT) -> list[Tensor]:
    return [table.weight for table in model.transformer.wtes if isinstance(table, nn.Embedding)]


def drawn_codes(model: FineGPT, coarse: Tensor) -> Tensor:
    """Codes `(B, 8, T)` that the model draws at Bark's temperature for coarse ones `(B, 2, T)`."""
    rows, given, length = coarse.shape
    codes = torch.full((rows, length, CODEBOOKS), Ids.read().fine_pad)
    codes[:, :, :given] = coarse.transpose(1, 2)
    for codebook in range(given, CODEBOOKS):
        odds = (model(codebook, codes)[:, :, : Ids.read().codec["entries"]] / TEMPERATURE).softmax(-1)
        codes[:, :, codebook] = torch.multinomial(odds.flatten(0, 1), 1).view(rows, length)
    return codes.transpose(1, 2)


def sequence(spoken: list[Utterance], length: int, pad: int, random: np.random.Generator) -> np.ndarray:
    """Coarse codes `(length, 2)` of one speaker's utterances one after the other, often padded at the end."""
    codes = np.full((length, N_COARSE_CODEBOOKS), pad, np.int64)
    fill = length if random.random() < 0.5 else int(random.integers(100, length + 1))
    end = 0
    while end < fill:
        one = spoken[random.integers(len(spoken))].codes[:N_COARSE_CODEBOOKS].T[: fill - end]
        codes[end : end + len(one)] = one
        end += len(one)
        if end > 150 and random.random() < 0.4:
            break
    return codes


def make_batch(codes: Tensor, codebook: int, ids: Ids, random: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Inputs `(B, T, 8)` with the codebook hidden, and where it is to be learned `(B, T)`."""
    entries = ids.codec["entries"]
    spoken = codes[:, :, 0] < entries
    inputs = codes.masked_fill(~spoken[..., None], ids.fine_pad)
    learned = spoken.clone()
    most = min(512, codes.shape[1] // 3)
    history = int(random.integers(10, most)) if random.random() < 0.15 else 0  # as a voice gives it
    inputs[:, history:, codebook] = ids.fine_pad
    learned[:, :history] = False
    if random.random() < 0.5:
        given = inputs[:, :, :N_COARSE_CODEBOOKS]
        wrong = (torch.rand(given.shape) < NOISE) & (given < entries)
        given[wrong] = torch.randint(entries, (int(wrong.sum()),))
    return inputs, learned
