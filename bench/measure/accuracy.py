"""How closely the networks of a config follow those of fp32, given the same tokens.

fp32 draws the tokens and both give their logits for the next one. Noise is fixed, so the figures can be
reproduced. The audio compared is made from the same coarse codes, by the fine model and codec of each.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from alrakis.backends.protocols import CausalGPT
from alrakis.bench.measure.log_mel import log_mel_distance_db
from alrakis.engine import Engine
from alrakis.export.accuracy.report import divergence
from alrakis.export.accuracy.verifier import SENTENCES
from alrakis.sampling import FloatArray, IntArray, Noise, Sampling, draw
from alrakis.spec import COARSE_SEMANTIC_TOKENS, FINE_WINDOW_FRAMES, N_COARSE_CODEBOOKS, N_FINE_CODEBOOKS
from alrakis.stages.semantic import WITHOUT_END, semantic_history
from alrakis.text.encoder import encode_text

GREEDY = Sampling(0)
SEED = 1

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
    weights: str, config: str, overrides: dict[str, Any], seconds: float
) -> list[PartAccuracy]:
    """The accuracy of the parts text, coarse, fine and audio, over some seconds of each test sentence."""
    with Engine(weights, config, **overrides) as tested:
        fp32 = f"{'cpu' if tested.config.backend == 'onnx' else 'torch'}-fp32"
        with Engine(weights, fp32, threads=tested.config.threads) as exact:
            sentences = [_compare(exact, tested, sentence, seconds) for sentence in SENTENCES]
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


def _compare(exact: Engine, tested: Engine, sentence: str, seconds: float) -> _Sentence:
    layout = exact.layout
    ids, _ = encode_text(exact.tokenizer, sentence, layout)
    prefix, added = np.append(ids, layout.semantic_infer), semantic_history(None, layout)
    steps = max(1, round(seconds * layout.semantic_rate_hz))
    semantic, text_logits = _draw(exact, tested, "text", prefix, added, steps)
    prefix = np.full(COARSE_SEMANTIC_TOKENS + 1, layout.coarse_semantic_pad)
    prefix[: min(len(semantic), COARSE_SEMANTIC_TOKENS)] = semantic[:COARSE_SEMANTIC_TOKENS]
    prefix[-1] = layout.coarse_infer
    frames = max(1, round(seconds * layout.coarse_rate_hz))
    drawn, coarse_logits = _draw(exact, tested, "coarse", prefix, None, frames * N_COARSE_CODEBOOKS)
    coarse = drawn.reshape(frames, N_COARSE_CODEBOOKS)
    exact_codes, tested_codes = (
        _predict(engine, _fine_window(engine, coarse), N_COARSE_CODEBOOKS) for engine in (exact, tested)
    )
    exact_audio, tested_audio = (
        engine.codes_to_audio([codes[:frames].T], silent=True)[0]
        for engine, codes in ((exact, exact_codes), (tested, tested_codes))
    )
    return _Sentence(
        text_logits,
        coarse_logits,
        _same_codes(tested, exact_codes[: len(tested_codes)], frames),
        log_mel_distance_db(exact_audio, tested_audio, layout.sample_rate_hz),
    )


def _draw(
    exact: Engine,
    tested: Engine,
    stage: Literal["text", "coarse"],
    prefix: IntArray,
    added: IntArray | None,
    steps: int,
) -> tuple[IntArray, Logits]:
    """What fp32 draws after a prefix `(T,)`: `(steps,)` indices within their heads, and the logits of both.

    added: as in `CausalGPT.prefill`, `(S,)`.
    """
    layout = exact.layout
    candidates = layout.semantic_vocab if stage == "text" else layout.codebook_size
    heads = [WITHOUT_END] if stage == "text" else list(range(N_COARSE_CODEBOOKS))
    gpts: list[CausalGPT] = [getattr(engine.backend, stage)() for engine in (exact, tested)]
    noise, drawn, pairs = Noise([SEED], stage), [], []
    logits = [
        gpt.prefill(prefix[None], None if added is None else added[None], head=heads[0]) for gpt in gpts
    ]
    for step in range(steps):
        first, second = (_on_host(row) for row in logits)
        pairs.append((first[0], second[0]))
        token = int(draw(first, noise.step(step, candidates), Sampling())[0])
        drawn.append(token)
        if step + 1 < steps:
            head, next_head = heads[step % len(heads)], heads[(step + 1) % len(heads)]
            logits = [gpt.step(_forced(gpt, token, candidates, head), head=next_head) for gpt in gpts]
    return np.array(drawn), (np.stack([a for a, _ in pairs]), np.stack([b for _, b in pairs]))


def _forced(gpt: CausalGPT, token: int, candidates: int, head: int) -> Any:
    """A given token in the backend's own type: drawn greedily from logits that allow no other."""
    logits = np.zeros((1, 1, candidates), np.float32)
    logits[0, 0, token] = 1
    return gpt.draw(gpt.upload(logits)[0], None, GREEDY, head=head)


def _fine_window(engine: Engine, coarse: IntArray) -> IntArray:
    """The window `(T', 8)` that an engine makes of coarse codes `(T, 2)`: padded, unless it is fitted."""
    frames, given = coarse.shape
    length = frames if engine.config.fine_window == "fitted" else max(frames, FINE_WINDOW_FRAMES)
    codes = np.full((length, N_FINE_CODEBOOKS), engine.layout.fine_pad)
    codes[:frames, :given] = coarse
    return codes


def _predict(engine: Engine, window: IntArray, given: int, end: int = N_FINE_CODEBOOKS) -> IntArray:
    """A window `(T, 8)` with its codebooks from `given` to `end` predicted greedily, one after the other."""
    gpt = engine.backend.fine()
    gpt.begin(window[None], given)
    for codebook in range(given, end):
        gpt.predict(codebook, np.zeros(1, np.int64), None, GREEDY)
    return gpt.codes()[0]


def _same_codes(tested: Engine, exact: IntArray, frames: int) -> npt.NDArray[np.bool_]:
    """Which codes of fp32 an engine predicts too, if the codebooks below are those of fp32."""
    same = []
    for codebook in range(N_COARSE_CODEBOOKS, N_FINE_CODEBOOKS):
        window = exact.copy()
        window[:, codebook:] = tested.layout.fine_pad
        codes = _predict(tested, window, codebook, codebook + 1)
        same.append(codes[:frames, codebook] == exact[:frames, codebook])
    return np.concatenate(same)


def _on_host(logits: Any) -> FloatArray:
    host = logits.cpu().numpy() if hasattr(logits, "cpu") else logits
    return np.array(host, np.float32)  # a copy, because a backend may reuse its buffer
