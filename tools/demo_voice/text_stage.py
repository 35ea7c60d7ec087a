"""Step `text`: trains the text model, text to semantic tokens, guided by flite's alignment at first."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from demo_voice.model import GPT, set_positions
from demo_voice.semantic import Ids
from demo_voice.speech import Utterance, read_shards, shards
from demo_voice.training import Plan, Training, batches, mixed_precision

PREFIX = 256
GUIDED_LAYERS = (2, 3)  # their first head looks at the word, their second at the letters
FRAMES_A_LETTER = 3.9
TOKENS_A_BATCH = 5200
HISTORY_SHARE = 0.2  # of the first speaker's texts that follow a voice; the others' always do


def make_model(ids: Ids) -> GPT:
    model = GPT(ids.text_input_vocab, ids.text_output_vocab, ids.layers["text"], ids.heads, ids.d)
    times = torch.zeros(1024)
    times[:PREFIX] = torch.arange(PREFIX) * FRAMES_A_LETTER + 8
    times[PREFIX + 1 :] = torch.arange(1024 - PREFIX - 1)
    set_positions(model, times, 2 ** torch.linspace(2.5, 11, 48), 0.04)
    return model


def train(
    folder: Path,
    plan: Plan,
    *,
    guide: float,
    full: float,
    speakers: Sequence[str],
    start: dict[str, Tensor] | None,
) -> None:
    """guide: weight of the alignment loss. full: share of batches with all 256 positions of the prefix."""
    ids, random = Ids.read(), np.random.default_rng()
    model = make_model(ids)
    if start is not None:
        model.load_state_dict(start)
    training = Training(model, folder / "text.pt", plan, muon=2.5e-3, adam=2e-3)
    by_speaker = {speaker: list(read_shards(shards(folder / "data", speaker))) for speaker in speakers}
    spoken = [one for some in by_speaker.values() for one in some]
    print({speaker: len(some) for speaker, some in by_speaker.items()}, "utterances", flush=True)
    lengths = np.array([len(one.text) + len(one.semantic) + 12 for one in spoken])
    for batch in batches(lengths, TOKENS_A_BATCH, random):
        if training.finished:
            break
        whole = bool(random.random() < full)
        if whole:
            batch = batch[: max(4, int(len(batch) * 0.75))]
        rows = [spoken[row] for row in batch]
        histories = []
        for row in rows:
            voices = by_speaker[row.speaker]
            voiced = row.speaker != speakers[0] or random.random() < HISTORY_SHARE
            histories.append(voices[random.integers(len(voices))].semantic if voiced else None)
        made = make_batch(rows, histories, ids, random, whole)
        with mixed_precision():
            hidden, scores = forward(model, *made[:4], guided=guide > 0)
            logits = model.lm_head(hidden[made[4] >= 0])
        spoken_loss = F.cross_entropy(logits.float(), made[4][made[4] >= 0])
        loss, shown = spoken_loss, {"loss" if not whole else "loss_full": spoken_loss.item()}
        if guide > 0:
            aligned = guide_loss(scores, made[0].shape[1], made[5])
            loss = loss + guide * aligned
            shown["guide"] = aligned.item()
        training.step(loss, len(rows), **shown)
    training.save()


def make_batch(
    rows: list[Utterance], histories: list[Any | None], ids: Ids, random: np.random.Generator, whole: bool
) -> list[Tensor]:
    """Text ids, history ids and their positions `(B, P)`; inputs, targets `(B, T)`; guides `(B, T, 4)`.

    A prefix of less than 256 positions keeps a random part of the padding, at its true places.
    """
    longest = max(len(row.text) for row in rows)
    width = PREFIX if whole else min(PREFIX, longest + 8)
    steps = max(len(row.semantic) for row in rows) + 1
    text = np.full((len(rows), width), ids.text_pad)
    history = np.full((len(rows), width), ids.semantic_pad)
    places = np.zeros((len(rows), width), np.int64)
    inputs = np.full((len(rows), steps), ids.semantic_pad)
    targets = np.full((len(rows), steps), -100)
    guides = np.full((len(rows), steps, 4), -1)
    for i, row in enumerate(rows):
        said, n = row.semantic, len(row.text)
        text[i, :n] = row.text
        kept = np.sort(random.choice(np.arange(n, PREFIX), width - n, replace=False))
        places[i] = np.concatenate([np.arange(n), kept])
        voice = histories[i]
        if voice is not None:
            past = np.full(PREFIX, ids.semantic_pad)
            tail = voice[-PREFIX:]
            past[: len(tail)] = tail
            history[i] = past[places[i]]
        inputs[i, 0] = ids.semantic_infer
        inputs[i, 1 : len(said) + 1] = said
        targets[i, : len(said)] = said
        targets[i, len(said)] = ids.semantic_pad
        guides[i, : len(said)] = row.guide
    return [torch.from_numpy(array) for array in (text, history, places, inputs, targets, guides)]


def forward(
    model: GPT, text: Tensor, history: Tensor, places: Tensor, inputs: Tensor, *, guided: bool
) -> tuple[Tensor, list[Tensor]]:
    """Hidden states of the steps `(B, T, width)`, and scores of the guided layers."""
    token, position = model.transformer.wte, model.transformer.wpe
    prefix = token(text) + token(history) + position(places)
    steps = token(inputs) + position.weight[PREFIX : PREFIX + inputs.shape[1]]
    hidden, scores = model.body(torch.cat([prefix, steps], 1), GUIDED_LAYERS if guided else ())
    return hidden[:, text.shape[1] :], scores


def guide_loss(scores: list[Tensor], prefix: int, guides: Tensor) -> Tensor:
    """How little the guided heads look at the text that is being said; pauses are free."""
    said, column = guides[:, :, 0] >= 0, torch.arange(prefix)
    losses = []
    for score in scores:
        for head, (first, last) in enumerate(((2, 3), (0, 1))):
            chosen = score[:, head, prefix:][said].float()  # (N, P + T)
            where = guides[said]
            inside = (column >= where[:, first, None]) & (column <= where[:, last, None])
            near = chosen[:, :prefix].masked_fill(~inside, -1e9).logsumexp(-1)
            losses.append((chosen.logsumexp(-1) - near).mean())
    return torch.stack(losses).mean()
