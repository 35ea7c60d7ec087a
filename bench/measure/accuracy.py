"""How closely a config follows fp32 with Bark's own windows, given the same tokens and the same voice.

fp32 runs a stage and its tokens are kept. The config then runs the stage with its own windows but is forced
to draw the same tokens, and the logits of both before each draw are compared. Fine codes are those that each
predicts from the same coarse codes. Noise is fixed, so the figures can be reproduced.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from alrakis.backends.protocols import CausalGPT
from alrakis.bench.measure.log_mel import log_mel_distance_db
from alrakis.engine import Engine
from alrakis.export.accuracy.report import divergence
from alrakis.export.accuracy.verifier import SENTENCES
from alrakis.sampling import Draw, FloatArray, IntArray, Options
from alrakis.spec import N_COARSE_CODEBOOKS
from alrakis.voices import Voice

SEED = 1
GREEDY = Options(fine_temp=0)

Logits = tuple[FloatArray, FloatArray]  # of fp32 and of the config, `(N, C)` each


@dataclass(frozen=True)
class PartAccuracy:
    """The accuracy of one part; fields are those of `alrakis.bench.record.schema.Accuracy`."""

    part: Literal["text", "coarse", "fine", "audio"]
    positions: int
    top1: float | None = None
    kl_mean: float | None = None
    kl_max: float | None = None
    log_mel_distance_db: float | None = None


@dataclass(frozen=True)
class _Sentence:
    """What was measured on one sentence. same_codes: for each fine code, whether it is fp32's."""

    text: Logits
    coarse: Logits
    same_codes: npt.NDArray[np.bool_]
    distance_db: float


def measure_accuracy(
    weights: str, config: str, overrides: dict[str, Any], seconds: float, voice: str | None
) -> list[PartAccuracy]:
    """The accuracy of the parts text, coarse, fine and audio, over some seconds of each test sentence.

    voice: as `Engine.load_voice` takes it.
    """
    with Engine(weights, config, **overrides) as tested:
        fp32 = f"{'cpu' if tested.config.backend == 'onnx' else 'torch'}-fp32"
        with Engine(weights, fp32, threads=tested.config.threads) as exact:
            loaded = exact.load_voice(voice)
            sentences = [_compare(exact, tested, sentence, seconds, loaded) for sentence in SENTENCES]
    same = np.concatenate([sentence.same_codes for sentence in sentences])
    distance_db = math.sqrt(float(np.mean([sentence.distance_db**2 for sentence in sentences])))
    return [
        _logits_accuracy("text", [sentence.text for sentence in sentences]),
        _logits_accuracy("coarse", [sentence.coarse for sentence in sentences]),
        PartAccuracy("fine", len(same), top1=float(same.mean())),
        PartAccuracy("audio", 0, log_mel_distance_db=distance_db),
    ]


def _logits_accuracy(part: Literal["text", "coarse"], sentences: Sequence[Logits]) -> PartAccuracy:
    same, divergences = zip(*(divergence(*logits) for logits in sentences), strict=True)
    top1, kl = np.concatenate(same), np.concatenate(divergences)
    return PartAccuracy(part, len(kl), float(top1.mean()), float(kl.mean()), float(kl.max()))


def _compare(exact: Engine, tested: Engine, sentence: str, seconds: float, voice: Voice | None) -> _Sentence:
    options = Options(max_gen_duration_s=seconds, allow_early_stop=False)
    voice_and_seed: tuple[list[Voice | None], list[int]] = ([voice], [SEED])
    engines = exact, tested
    semantic, text_logits = _run_both(
        *engines, "text", lambda e: e.text_to_semantic([sentence], *voice_and_seed, options, silent=True)
    )
    coarse, coarse_logits = _run_both(
        *engines, "coarse", lambda e: e.semantic_to_coarse(semantic, *voice_and_seed, options, silent=True)
    )
    exact_fine, tested_fine = (
        engine.coarse_to_fine(coarse, *voice_and_seed, GREEDY, silent=True)[0] for engine in engines
    )
    exact_audio, tested_audio = (
        engine.codes_to_audio([fine], silent=True)[0]
        for engine, fine in ((exact, exact_fine), (tested, tested_fine))
    )
    distance_db = log_mel_distance_db(exact_audio, tested_audio, exact.layout.sample_rate_hz)
    same_codes = (exact_fine == tested_fine)[N_COARSE_CODEBOOKS:].ravel()
    return _Sentence(text_logits, coarse_logits, same_codes, distance_db)


def _run_both(
    exact: Engine,
    tested: Engine,
    stage: Literal["text", "coarse"],
    run: Callable[[Engine], list[IntArray]],
) -> tuple[list[IntArray], Logits]:
    """The tokens that fp32 draws in a stage, and the logits of both engines before each draw."""
    with _recorded(exact, stage) as first:
        tokens = run(exact)
    with _recorded(tested, stage, first.drawn) as second:
        run(tested)
    return tokens, (np.stack(first.logits), np.stack(second.logits))


@dataclass
class _RecordedGPT:
    """A causal model, for one sequence, that keeps the logits and the token id of every draw.

    forced: the token ids to draw, in order; empty to draw freely.
    """

    stride = 1  # one by one, as the logits are looked at

    gpt: CausalGPT
    forced: Sequence[int]
    logits: list[FloatArray] = field(default_factory=list)
    drawn: list[int] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.gpt, name)

    def draw(self, logits: Any, slots: Sequence[int], draws: Sequence[Draw]) -> Any:
        self.logits.append(_on_host(logits[draws[0].head])[0])
        tokens = self.gpt.draw(logits, slots, draws)
        drawn = int(self.gpt.read(tokens)[0])
        if self.forced:
            forced = self.forced[len(self.drawn)]
            tokens = tokens + (forced - drawn)
            self.gpt.feed(slots, np.array([forced]))
            drawn = forced
        self.drawn.append(drawn)
        return tokens


@contextmanager
def _recorded(engine: Engine, stage: str, forced: Sequence[int] = ()) -> Iterator[_RecordedGPT]:
    """Record the draws of a stage inside the `with` block."""
    gpt = _RecordedGPT(getattr(engine.backend, stage)(), forced)
    setattr(engine.backend, stage, lambda: gpt)
    try:
        yield gpt
    finally:
        delattr(engine.backend, stage)  # uncovers the method of its class


def _on_host(logits: Any) -> FloatArray:
    host = logits.cpu().numpy() if hasattr(logits, "cpu") else logits
    return np.array(host, np.float32)  # a copy, because a backend may reuse its buffer
