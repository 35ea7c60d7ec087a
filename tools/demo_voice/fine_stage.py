"""Step `fine`: trains the fine model, codebooks 2 to 7 from those below, over windows of 1024 frames."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from demo_voice.model import CODEBOOKS, FineGPT, know_codebooks, look_at_same_time, set_positions
from demo_voice.semantic import Ids
from demo_voice.speech import Utterance, read_shards, shards
from demo_voice.training import Plan, Training, mixed_precision

FRAMES = 1024
SAME_TIME = 64  # dims that tell positions
FRAMES_A_BATCH = 4096
CODEBOOKS_DRAWN = (2, 2, 2, 3, 3, 3, 4, 4, 5, 6, 7)  # the lower ones are heard most
TEMPERATURE = 0.5
NOISE = 0.05  # share of the given codes that are wrong, in half of the batches


def make_model(ids: Ids) -> FineGPT:
    model = FineGPT(ids.fine_vocab, ids.layers["fine"], ids.heads, ids.d)
    set_positions(model, torch.arange(1024.0), 2 ** torch.linspace(2, 10, 32), 0.06)
    look_at_same_time(model, (0,), SAME_TIME, ids.d)
    return model


def train(
    folder: Path,
    plan: Plan,
    *,
    speakers: Sequence[str],
    start: dict[str, Tensor] | None,
    books: Sequence[Tensor] | None,
) -> None:
    """books: the codebooks `(entries, dim)` of a codec that `start` does not know."""
    ids, random = Ids.read(), np.random.default_rng()
    model = make_model(ids)
    if start is not None:
        model.load_state_dict(start, strict=False)  # the tied embeddings are stored once
    if books is not None:
        tables = [table.weight for table in model.transformer.wtes if isinstance(table, nn.Embedding)]
        know_codebooks([table[: ids.codec["entries"]] for table in tables], books, SAME_TIME)
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
        codes = torch.from_numpy(np.stack(rows))
        inputs, targets = make_batch(codes, codebook, ids, random)
        with mixed_precision():
            logits = model(codebook, inputs)[targets >= 0]
        loss = F.cross_entropy(logits.float(), targets[targets >= 0])
        training.step(loss, len(rows), **{f"codebook{codebook}": loss.item()})
    training.save()


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
    """Codes `(length, 8)` of one speaker's utterances one after the other, often padded at the end."""
    codes = np.full((length, 8), pad, np.int64)
    fill = length if random.random() < 0.5 else int(random.integers(100, length + 1))
    end = 0
    while end < fill:
        one = spoken[random.integers(len(spoken))].codes.T[: fill - end]
        codes[end : end + len(one)] = one
        end += len(one)
        if end > 150 and random.random() < 0.4:
            break
    return codes


def make_batch(codes: Tensor, codebook: int, ids: Ids, random: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Inputs `(B, T, 8)` with the codebook hidden, and its codes `(B, T)` as targets."""
    entries = ids.codec["entries"]
    inputs = codes.clone()
    targets = codes[:, :, codebook].masked_fill(codes[:, :, codebook] >= entries, -100)
    history = int(random.integers(10, 512)) if random.random() < 0.15 else 0  # as a voice gives it
    inputs[:, history:, codebook] = ids.fine_pad
    targets[:, :history] = -100
    if random.random() < 0.5:
        given = inputs[:, :, :codebook]
        wrong = (torch.rand(given.shape) < NOISE) & (given < entries)
        given[wrong] = torch.randint(entries, (int(wrong.sum()),))
    return inputs, targets
