"""Slots against a model for each sequence: whatever happens beside it, a sequence's numbers are its own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from alrakis.backends.onnx.gpt import OnnxCausalGPT
from alrakis.backends.torch.gpt import TorchCausalGPT
from alrakis.export.build import build_stage
from alrakis.sampling import Draw, FloatArray, Sampling
from alrakis.spec import CONTEXT
from tests.backends.onnx.exported import CPU, HEADS, PROVIDERS
from tests.backends.tiny import SHAPES, stage_weights

SLOTS = 5
Open = Callable[[], Any]

SCALES = np.full((2, 2, SHAPES["coarse"].n_embd), 0.02, np.float32)
KINDS: dict[str, dict[str, Any]] = {
    "onnx fp32": {"precision": "fp32"},
    "onnx int8": {"precision": "int8"},
    "onnx int4": {"precision": "int4"},
    "onnx int8, small cache": {"precision": "int8", "cache_scales": SCALES},
    "torch": {"compile": False},
    "torch, fixed shapes": {"compile": True, "compiler": "eager"},
}


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any, float]:
    """A model with slots, one with which each sequence is run alone, and how much they may differ."""
    options = KINDS[request.param]
    if request.param.startswith("torch"):
        own = stage_weights("coarse"), HEADS["coarse"], CPU, torch.float32
        return TorchCausalGPT(*own, slots=SLOTS, **options), TorchCausalGPT(*own, slots=1), 3e-5
    folder: Path = tmp_path_factory.mktemp("slots")
    build_stage(stage_weights("coarse"), HEADS["coarse"], folder=folder, **options)
    own = folder, SHAPES["coarse"], "coarse", HEADS["coarse"], 1, PROVIDERS
    return OnnxCausalGPT(*own, SLOTS), OnnxCausalGPT(*own, 2), 0.0


def host(logits: list[Any], row: int) -> FloatArray:
    """Both heads' logits of a row."""
    return np.concatenate([np.asarray(own[row]) for own in logits])


class Flight:
    """Sequences in slots, and what each has been through."""

    def __init__(self, gpt: Any, lone: Any, near: float) -> None:
        self.gpt, self._lone, self._near = gpt, lone, near
        self._been: dict[int, tuple[np.ndarray, list[int]]] = {}  # by slot: prefix, tokens

    def admit(self, slots: list[int], prefixes: np.ndarray) -> None:
        logits = self.gpt.admit(slots, prefixes)
        for row, slot in enumerate(slots):
            self._been[slot] = prefixes[row : row + 1], []
            self._agree(slot, host(logits, row))

    def step(self, slots: list[int], tokens: list[int]) -> None:
        self.gpt.feed(slots, np.array(tokens))
        logits = self.gpt.step(slots)
        found = [host(logits, row) for row in range(len(slots))]
        for slot, token, own in zip(slots, tokens, found, strict=True):
            self._been[slot][1].append(token)
            self._agree(slot, own)

    def leave(self, slot: int) -> None:
        del self._been[slot]
        self.gpt.leave(slot)

    @property
    def taken(self) -> list[int]:
        return sorted(self._been)

    def length(self, slot: int) -> int:
        prefix, tokens = self._been[slot]
        return prefix.shape[1] + len(tokens)

    def end(self) -> None:
        for slot in self.taken:
            self.leave(slot)

    def _agree(self, slot: int, found: FloatArray) -> None:
        """The logits are those of a model that has run this sequence only."""
        prefix, tokens = self._been[slot]
        logits = self._lone.admit([0], prefix)
        for token in tokens:
            self._lone.feed([0], np.array([token]))
            logits = self._lone.step([0])
        self._lone.leave(0)
        expected = host(logits, 0)
        if self._near:
            np.testing.assert_allclose(found, expected, atol=self._near, rtol=1e-4)
        else:
            np.testing.assert_array_equal(found, expected)


@settings(max_examples=25)
@given(st.data())
def test_a_sequence_is_what_it_is_alone(kind: tuple[Any, Any, float], data: st.DataObject) -> None:
    """Random admissions, steps of random slots, and leaves; slots that wait or are idle are run along."""
    flight, random = Flight(*kind), np.random.default_rng(data.draw(st.integers(0, 2**32)))
    for _ in range(data.draw(st.integers(1, 12))):
        free = [slot for slot in range(SLOTS) if slot not in flight.taken]
        what = data.draw(st.sampled_from(["admit", "step", "step", "step", "leave"]))
        if what == "admit" and free:
            slots = sorted(data.draw(st.sets(st.sampled_from(free), min_size=1, max_size=2)))
            length = data.draw(st.sampled_from([1, 3, 4, 5, 30, 60]))
            flight.admit(slots, random.integers(0, 2000, (len(slots), length)))
        elif what == "step" and flight.taken:
            slots = sorted(data.draw(st.sets(st.sampled_from(flight.taken), min_size=1)))
            flight.step(slots, random.integers(60, 2108, len(slots)).tolist())
        elif what == "leave" and flight.taken:
            flight.leave(data.draw(st.sampled_from(flight.taken)))
    flight.end()


def test_a_full_slot_beside_one_that_steps(kind: tuple[Any, Any, float]) -> None:
    """At the cache's end a sequence waits for its leave while others go on; the next has the whole slot."""
    flight, random = Flight(*kind), np.random.default_rng(1)
    flight.admit([1], random.integers(0, 2000, (1, CONTEXT - 1)))
    flight.admit([0], random.integers(0, 2000, (1, 10)))
    flight.admit([3], random.integers(0, 2000, (1, 200)))
    flight.step([0, 1, 3], [70, 80, 90])
    assert flight.length(1) == CONTEXT
    for token in range(100, 103):
        flight.step([0, 3], [token, token + 5])
    flight.leave(1)
    flight.step([0, 3], [300, 301])
    flight.admit([1], random.integers(0, 2000, (1, 7)))
    flight.step([0, 1, 3], [400, 401, 402])
    flight.end()


def test_positions_far_apart_in_one_step(kind: tuple[Any, Any, float]) -> None:
    """Each of the positions at which windows of the coarse stage begin."""
    flight, random = Flight(*kind), np.random.default_rng(2)
    for slot, length in enumerate((257, 317, 587, 869, 1)):
        flight.admit([slot], random.integers(0, 2000, (1, length)))
    for slots in (range(5), range(5), (0, 4), (2,), (1, 3)):
        flight.step(list(slots), random.integers(60, 2108, len(slots)).tolist())
    flight.end()


def test_the_token_drawn_is_the_one_that_is_run(kind: tuple[Any, Any, float]) -> None:
    """Draws of some slots leave the tokens of the others alone."""
    gpt, lone, near = kind
    random = np.random.default_rng(3)
    prefixes = {slot: random.integers(0, 2000, (1, 5 + slot)) for slot in (0, 2, 3)}
    drawn: dict[int, int] = {}
    for slot, prefix in prefixes.items():
        logits = gpt.admit([slot], prefix)
        tokens = gpt.draw(logits, [slot], [Draw(slot, 0, Sampling(0.7), head=slot % 2)])
        drawn[slot] = int(gpt.read(tokens)[0])
    flight = Flight(gpt, lone, near)
    for slots in ([0, 3], [2], [0, 2, 3]):
        logits = gpt.step(slots)
        found = [host(logits, row) for row in range(len(slots))]
        tokens = gpt.draw(logits, slots, [Draw(slot, 1, Sampling(0), head=0) for slot in slots])
        for row, slot in enumerate(slots):
            been = flight._been.setdefault(slot, (prefixes[slot], []))
            been[1].append(drawn[slot])
            flight._agree(slot, found[row])
            drawn[slot] = int(gpt.read(tokens)[row])
    flight.end()
