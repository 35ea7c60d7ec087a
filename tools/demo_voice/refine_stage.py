"""Step `refine`: trains the refiner to guess vectors, then by the sound, and codebooks 2 to 7 with it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from demo_voice.codec import Codec, MelLoss
from demo_voice.codec_stage import begin_codebooks, heard, snippet
from demo_voice.training import Plan, Training

FRAMES_TO_GUESS, ROWS_TO_GUESS = 150, 12
FRAMES, ROWS = 100, 6
FEW = (1, 2, 6, 6)  # fine codebooks at a time: the first of them are to carry most
REST = 6 / 7  # of the plan, after which the codebooks rest


def guess(folder: Path, plan: Plan, *, speakers: Sequence[str], codec: Codec) -> None:
    """The refiner alone: the mean of what the encoder says beyond the coarse codes.

    From here, not from nothing, the sound teaches it: the decoder knows such vectors.
    """
    random = np.random.default_rng()
    training = Training(codec.refiner, folder / "refiner.pt", plan, muon=0, adam=2e-3)
    spoken = heard(folder, speakers)
    while not training.finished:
        rows = [snippet(spoken, random, FRAMES_TO_GUESS)[0] for _ in range(ROWS_TO_GUESS)]
        with torch.no_grad():
            said = codec.encoder(torch.stack(rows)[:, None])
            coarse = codec.quantize(said, codec.coarse_books, learn=False)[1]
            beyond = said - codec.vectors(coarse)
        unexplained = (codec.correction(coarse) - beyond).square().mean() / beyond.square().mean()
        training.step(unexplained, len(rows), unexplained=unexplained.item())
    training.save()


def train_refiner(
    folder: Path, plan: Plan, *, speakers: Sequence[str], codec: Codec, begin: bool = False
) -> None:
    """Refiner, codebooks 2 to 7 and the decoder together; the encoder and the coarse codebooks stay.

    begin: the codebooks start anew. A fifth of the time the decoder hears the coarse codes alone.
    """
    random, loss_of = np.random.default_rng(), MelLoss()
    codec.encoder.requires_grad_(False)
    training = Training(codec, folder / "refined.pt", plan, muon=0, adam=5e-4)
    begin = begin and training.count == 0
    spoken = heard(folder, speakers)
    while not training.finished:
        true = torch.stack([snippet(spoken, random, FRAMES)[0] for _ in range(ROWS)])
        with torch.no_grad():
            coarse = codec.coarse_codes(true[:, None])
        vectors, commitment, name = codec.vectors(coarse), torch.zeros(()), "without"
        if random.random() < 0.8:
            correction, count = codec.correction(coarse), int(random.choice(FEW))
            if begin:
                begin_codebooks(codec.fine_books, correction)
                begin = False
            learn = training.count < plan.steps * REST
            correction, _, commitment = codec.quantize(correction, codec.fine_books[:count], learn=learn)
            vectors, name = vectors + correction, f"with{count}"
        distance, convergence = loss_of(codec.decoder(vectors)[:, 0], true)
        loss = distance + 0.5 * convergence + 0.1 * commitment
        training.step(loss, ROWS, **{name: distance.item(), "shape": convergence.item()})
    training.save()
