"""Steps `codec` and `decoder`: trains the codec whole, or its decoder alone over fixed codes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from alrakis.spec import N_COARSE_CODEBOOKS
from demo_voice.coarse_stage import guessed
from demo_voice.codec import HOP, Codebook, Codec, MelLoss, to_24k
from demo_voice.fine_stage import drawn_codes
from demo_voice.model import GPT, FineGPT
from demo_voice.semantic import Ids
from demo_voice.speech import Utterance, read_shards, shards
from demo_voice.training import Plan, Training

FRAMES = 75  # a second
ROWS = 8
FEW = (2, 2, 4)  # codebooks, in a quarter of the steps
SETTLING = 120  # steps before the codebooks begin


def train_codec(
    folder: Path, plan: Plan, *, speakers: Sequence[str], start: dict[str, Tensor] | None
) -> None:
    """Encoder, codebooks and decoder. The codebooks rest in the last seventh of the plan."""
    random, codec, loss_of = np.random.default_rng(), Codec(Ids.read()), MelLoss()
    if start is not None:
        codec.restore(start)
    training = Training(codec, folder / "codec.pt", plan, muon=0, adam=2e-3 if start is None else 8e-4)
    spoken = heard(folder, speakers)
    while not training.finished:
        true = torch.stack([snippet(spoken, random, FRAMES)[0] for _ in range(ROWS)])[:, None]
        vectors, commitment = codec.encoder(true), torch.zeros(())
        if training.count >= SETTLING or start is not None:
            if not codec.books[0].inited:
                begin_codebooks(codec.books, vectors)
            count = len(codec.vqs) if random.random() < 0.75 else int(random.choice(FEW))
            learn = training.count < plan.steps * 6 / 7
            vectors, _, commitment = codec.quantize(vectors, codec.books[:count], learn=learn)
        made = codec.decoder(vectors)
        distance, convergence = loss_of(made[:, 0], true[:, 0])
        training.step(
            distance + 0.5 * convergence + 0.1 * commitment,
            ROWS,
            mel=distance.item(),
            shape=convergence.item(),
        )
    training.save()


def train_decoder(
    folder: Path, plan: Plan, *, speakers: Sequence[str], codec: Codec, coarse: GPT, fine: FineGPT
) -> None:
    """The decoder alone, over codes as the models draw them: half of the coarse ones are guesses of the
    coarse model. The fine codes are the fine model's (so it is used); a fifth of the time they are what the
    refiner wants, and a fifth of the time the decoder hears the two coarse codebooks only."""
    random, loss_of = np.random.default_rng(), MelLoss()
    training = Training(codec.decoder, folder / "decoder.pt", plan, muon=0, adam=6e-4)
    spoken = heard(folder, speakers, encoded=True)
    guesses = guessed(coarse, spoken, Ids.read(), random)
    either = [those for those in (spoken, guesses) if any(_holds(one, 2 * FRAMES) for one in those)]
    while not training.finished:
        rows = [snippet(either[random.integers(len(either))], random, 2 * FRAMES) for _ in range(ROWS // 2)]
        true = torch.stack([samples for samples, _ in rows])
        codes = torch.stack([torch.from_numpy(codes.astype(np.int64)) for _, codes in rows])
        kind = random.random()
        with torch.no_grad():
            if kind < 0.6:
                codes = drawn_codes(fine, codes)
            elif kind < 0.8:
                codes = codec.complete(codes)
            vectors = codec.vectors(codes)
        made = codec.decoder(vectors)
        distance, convergence = loss_of(made[:, 0], true)
        training.step(distance + 0.5 * convergence, len(rows), mel=distance.item(), shape=convergence.item())
    training.save()


def heard(folder: Path, speakers: Sequence[str], *, encoded: bool = False) -> list[Utterance]:
    """Two shards of each speaker: enough for what hears seconds of them."""
    spoken: list[Utterance] = []
    for speaker in speakers:
        spoken += read_shards(shards(folder / "data", speaker, encoded=encoded)[:2])
    return spoken


def snippet(spoken: list[Utterance], random: np.random.Generator, frames: int) -> tuple[Tensor, Any]:
    """Random samples `(320 * frames,)`, and their coarse codes `(2, frames)` where there are any."""
    while True:
        one = spoken[random.integers(len(spoken))]
        if _holds(one, frames):
            break
    length = _frames(one)
    first = int(random.integers(length - frames))
    # some samples more on both sides, so that the filter of the upsampling is settled
    before = min(first, 2)
    begin, end = (first - before) * HOP * 2 // 3, (first + frames + 2) * HOP * 2 // 3 + 2
    samples = to_24k(one.samples[begin:end])[before * HOP :][: frames * HOP]
    samples = nn.functional.pad(samples, (0, frames * HOP - len(samples)))
    return samples, None if one.codes is None else one.codes[:N_COARSE_CODEBOOKS, first : first + frames]


def _frames(one: Utterance) -> int:
    return len(one.samples) * 3 // (2 * HOP)


def _holds(one: Utterance, frames: int) -> bool:
    return _frames(one) > frames + 1


def begin_codebooks(books: Sequence[Codebook], vectors: Tensor) -> None:
    """Start books, one after the other, over vectors `(B, dim, T)`."""
    rest = vectors.detach().transpose(1, 2).reshape(-1, vectors.shape[1])
    rest = rest.repeat(4, 1) + 0.02 * rest.std() * torch.randn(4 * len(rest), rest.shape[1])
    for book in books:
        book.begin(rest)
        rest = rest - book.embed[book.nearest(rest)]
