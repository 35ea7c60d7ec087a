"""Step `coarse`: trains the coarse model, semantic tokens to two codebooks, in the windows that Bark uses."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from demo_voice.model import GPT, look_at_same_time, set_positions
from demo_voice.semantic import Ids
from demo_voice.speech import Utterance, read_shards, shards
from demo_voice.training import Plan, Training, batches, mixed_precision

PREFIX = 256
HISTORY = 630  # coarse tokens that a window sees
STEPS = 60  # that it adds
SEMANTIC_HISTORY = 209  # as many semantic tokens as HISTORY coarse ones
SETTLED = 100  # tokens after which a window that starts in mid-speech knows who speaks
TOKENS_A_BATCH = 5200
VOICE_SHARE = 0.25  # of the first speaker's windows that begin with a voice; the others' always do
NOISE = 0.04  # share of the tokens seen that are wrong, in half of the rows
TEMPERATURE = 0.7  # Bark's own


@dataclass(frozen=True)
class Window:
    """What the model sees at once: semantic tokens, coarse ids, and where the loss begins."""

    semantic: Any
    coarse: Any
    begin: int


def ratio(ids: Ids) -> float:
    """Coarse tokens for each semantic token."""
    return 75 / ids.semantic_rate_hz * 2


def make_model(ids: Ids) -> GPT:
    model = GPT(ids.coarse_vocab, ids.coarse_vocab, ids.layers["coarse"], ids.heads, ids.d)
    times = torch.zeros(1024)
    times[:PREFIX] = torch.arange(PREFIX) * ratio(ids) + 1.5
    times[PREFIX + 1 :] = torch.arange(1024 - PREFIX - 1)
    set_positions(model, times, 2 ** torch.linspace(3.3, 10.5, 32), 0.06)
    with torch.no_grad():
        model.transformer.wte.weight[:, :64] *= 0.3
    look_at_same_time(model, (0, 1), 64, ids.d)
    return model


def train(
    folder: Path, plan: Plan, *, full: float, speakers: Sequence[str], start: dict[str, Tensor] | None
) -> None:
    """full: share of batches with all 256 positions of the prefix."""
    ids, random = Ids.read(), np.random.default_rng()
    model = make_model(ids)
    if start is not None:
        model.load_state_dict(start)
    training = Training(model, folder / "coarse.pt", plan, muon=2e-3, adam=2e-3)
    by_speaker = {
        speaker: list(read_shards(shards(folder / "data", speaker, encoded=True))) for speaker in speakers
    }
    spoken = [one for some in by_speaker.values() for one in some]
    print({speaker: len(some) for speaker, some in by_speaker.items()}, "utterances", flush=True)
    lengths = np.array([min(690, 2 * one.codes.shape[1]) + min(PREFIX, len(one.semantic)) for one in spoken])
    for batch in batches(lengths, TOKENS_A_BATCH, random):
        if training.finished:
            break
        whole = bool(random.random() < full)
        windows = []
        for one in (spoken[row] for row in batch):
            voices = by_speaker[one.speaker]
            voiced = one.speaker != speakers[0] or random.random() < VOICE_SHARE
            voice = voices[random.integers(len(voices))] if voiced else None
            windows.append(window(one, voice, ids, random))
        prefix, places, inputs, targets = make_batch(windows, ids, random, whole)
        with mixed_precision():
            hidden = forward(model, prefix, places, inputs)
            losses = [codebook_loss(model, hidden, targets, book, ids) for book in (0, 1)]
        training.step(
            (losses[0] + losses[1]) / 2, len(windows), first=losses[0].item(), second=losses[1].item()
        )
    training.save()


def coarse_ids(one: Utterance, ids: Ids) -> Any:
    """Ids of the coarse model, frame by frame `(2 * T,)`."""
    entries = ids.codec["entries"]
    offsets = np.array([[ids.coarse_offset], [ids.coarse_offset + entries]])
    return (one.codes[:2].astype(np.int64) + offsets).T.ravel()


def window(one: Utterance, voice: Utterance | None, ids: Ids, random: np.random.Generator) -> Window:
    """A window of the kind that generation sees: from the start, or somewhere in a long speech."""
    semantic, coarse, rate = one.semantic.astype(np.int64), coarse_ids(one, ids), ratio(ids)
    base = known = 0
    if voice is not None:
        past, heard = voice.semantic.astype(np.int64), coarse_ids(voice, ids)
        base = min(SEMANTIC_HISTORY, len(past) - len(past) % 2, int(len(heard) / rate))
        heard = heard[-round(base * rate) :][:-2]
        known = len(heard)
        semantic, coarse = np.concatenate([past[-base:], semantic]), np.concatenate([heard, coarse])
    n_windows = -(-(len(coarse) - known) // STEPS)
    first_moved = -(-max(1, HISTORY + 1 - known) // STEPS)  # the first window that has lost its beginning
    start, end = 0, first_moved
    if first_moved < n_windows and random.random() < 0.75:
        start = int(random.integers(first_moved, n_windows))
        end = start + 1
    seen = semantic[max(0, base + round(start * STEPS / rate) - SEMANTIC_HISTORY) :][:PREFIX]
    coarse = coarse[max(0, known + start * STEPS - HISTORY) : known + end * STEPS]
    return Window(seen, coarse, SETTLED if known or start else 0)


def make_batch(
    windows: list[Window], ids: Ids, random: np.random.Generator, whole: bool
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Prefixes and their positions `(B, P)`, inputs and targets `(B, T)`."""
    longest = max(len(one.semantic) for one in windows)
    width = PREFIX if whole else min(PREFIX, longest + 4)
    steps = max(len(one.coarse) for one in windows)
    prefix = np.full((len(windows), width), ids.coarse_semantic_pad)
    places = np.zeros((len(windows), width), np.int64)
    inputs = np.full((len(windows), steps), ids.coarse_semantic_pad)
    targets = np.full((len(windows), steps), -100)
    entries = ids.codec["entries"]
    for i, one in enumerate(windows):
        n, length = len(one.semantic), len(one.coarse)
        prefix[i, :n] = one.semantic
        kept = np.sort(random.choice(np.arange(n, PREFIX), width - n, replace=False))
        places[i] = np.concatenate([np.arange(n), kept])
        seen = one.coarse[:-1].copy()
        if random.random() < 0.5:
            wrong = random.random(length - 1) < NOISE
            book = (seen - ids.coarse_offset) // entries
            drawn = ids.coarse_offset + book * entries + random.integers(entries, size=length - 1)
            seen[wrong] = drawn[wrong]
        # a window that starts in mid-speech begins with either codebook
        inputs[i, 0], inputs[i, 1:length] = ids.coarse_infer, seen
        targets[i, one.begin : length] = one.coarse[one.begin :] - ids.coarse_offset
    return tuple(torch.from_numpy(array) for array in (prefix, places, inputs, targets))  # type: ignore[return-value]


def forward(model: GPT, prefix: Tensor, places: Tensor, inputs: Tensor) -> Tensor:
    """Hidden states of the steps `(B, T, width)`."""
    token, position = model.transformer.wte, model.transformer.wpe
    steps = token(inputs) + position.weight[PREFIX : PREFIX + inputs.shape[1]]
    hidden, _ = model.body(torch.cat([token(prefix) + position(places), steps], 1))
    return hidden[:, prefix.shape[1] :]


def codebook_loss(model: GPT, hidden: Tensor, targets: Tensor, book: int, ids: Ids) -> Tensor:
    """Cross-entropy over the entries of one codebook."""
    entries = ids.codec["entries"]
    first = book * entries
    mine = (targets >= first) & (targets < first + entries)
    head = model.lm_head.weight[ids.coarse_offset + first :][:entries]
    return F.cross_entropy(F.linear(hidden[mine], head).float(), targets[mine] - first)


def guessed(model: GPT, spoken: list[Utterance], ids: Ids, random: np.random.Generator) -> list[Utterance]:
    """Those that a window holds whole, each code as the model draws it after the true ones: half of them
    greedy, half at Bark's temperature. Up to where the model knows who speaks, codes are the true ones."""
    found: list[Utterance] = []
    whole = sorted(
        (one for one in spoken if 2 * one.codes.shape[1] <= HISTORY), key=lambda one: one.codes.shape[1]
    )
    for first in range(0, len(whole), 8):
        rows = whole[first : first + 8]
        windows = [Window(one.semantic.astype(np.int64)[:PREFIX], coarse_ids(one, ids), 0) for one in rows]
        prefix, places, inputs, _ = make_batch(windows, ids, random, True)
        with torch.no_grad(), mixed_precision():
            hidden = forward(model, prefix, places, inputs)
            found += [
                _drawn(model, one, states, ids, random) for one, states in zip(rows, hidden, strict=True)
            ]
    return found


def _drawn(model: GPT, one: Utterance, states: Tensor, ids: Ids, random: np.random.Generator) -> Utterance:
    """One utterance with its codes drawn from hidden states `(T, width)`."""
    codes, entries, greedy = one.codes[:2].astype(np.int64), ids.codec["entries"], random.random() < 0.5
    for book in (0, 1):
        head = model.lm_head.weight[ids.coarse_offset + book * entries :][:entries]
        logits = F.linear(states[book : 2 * codes.shape[1] : 2], head).float()
        odds = (logits / TEMPERATURE).softmax(-1)
        drawn = logits.argmax(-1) if greedy else torch.multinomial(odds, 1)[:, 0]
        codes[book, SETTLED // 2 :] = drawn[SETTLED // 2 :].numpy()
    return replace(one, codes=codes)
