"""Codes as the coarse model draws them, which the decoder learns to speak."""

from typing import Any

import numpy as np
import torch

from demo_voice import coarse_stage
from demo_voice.coarse_stage import guessed
from demo_voice.semantic import Ids
from demo_voice.speech import Utterance
from demo_voice.training import mixed_precision


def spoken(length: int, seed: int) -> Utterance:
    """One utterance of random semantic tokens, and codes of so many frames."""
    generator, ids = np.random.default_rng(seed), Ids.read()
    semantic = generator.integers(ids.semantic_vocab, size=round(length * ids.semantic_rate_hz / 75))
    return Utterance("slt", None, semantic, None, None, generator.integers(1024, size=(2, length)))


def test_guesses_are_what_the_coarse_model_draws_after_the_true_codes(monkeypatch: Any) -> None:
    torch.manual_seed(6)
    monkeypatch.setattr(coarse_stage, "NOISE", 0)
    ids, model, utterance = Ids.read(), coarse_stage.make_model(Ids.read()).eval(), spoken(100, 2)
    window = coarse_stage.Window(utterance.semantic, coarse_stage.coarse_ids(utterance, ids), 0)
    batch = coarse_stage.make_batch([window], ids, np.random.default_rng(0), True)
    with torch.no_grad(), mixed_precision():
        logits = model.lm_head(coarse_stage.forward(model, *batch[:3])).float()[0]
    likeliest = utterance.codes.copy()
    for place in range(100, 200):
        book, frame = place % 2, place // 2
        likeliest[book, frame] = logits[place, ids.coarse_offset + book * 1024 :][:1024].argmax()
    drawn = [guessed(model, [utterance], ids, np.random.default_rng(seed))[0].codes for seed in range(8)]
    assert all(codes.shape == (2, 100) and codes.min() >= 0 and codes.max() < 1024 for codes in drawn)
    assert all((codes[:, :50] == utterance.codes[:, :50]).all() for codes in drawn)
    greedy = [bool((codes == likeliest).all()) for codes in drawn]
    assert any(greedy)
    assert not all(greedy)


def test_only_what_a_window_holds_is_guessed() -> None:
    model, random = coarse_stage.make_model(Ids.read()).eval(), np.random.default_rng(0)
    found = guessed(model, [spoken(316, 1), spoken(315, 2), spoken(80, 3)], Ids.read(), random)
    assert [utterance.codes.shape[1] for utterance in found] == [80, 315]
