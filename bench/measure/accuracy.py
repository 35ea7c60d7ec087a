"""What a config costs: its networks and those of fp32, shown the same tokens.

fp32 speaks, and both are asked what they would say next: by the same draws, so that a report can be made
again. The audio is each one's own fine codes and codec over the same coarse codes.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from alrakis.backends.protocols import CausalGPT
from alrakis.bench.logmel import log_mel_distance_db
from alrakis.engine import Engine
from alrakis.export.accuracy.report import divergence
from alrakis.export.accuracy.verifier import SENTENCES
from alrakis.sampling import FloatArray, IntArray, Noise, Sampling, draw
from alrakis.spec import (
    COARSE_SEMANTIC_TOKENS,
    FINE_WINDOW_FRAMES,
    N_COARSE_CODEBOOKS,
    N_FINE_CODEBOOKS,
    Layout,
    Stage,
)
from alrakis.stages.semantic import WITHOUT_END, semantic_history
from alrakis.text.encoder import encode_text

GREEDY = Sampling(0)
SEED = 1

Row = dict[str, Any]  # the fields of `Accuracy`, without its workload and target


def measure_accuracy(weights: str, config: str, overrides: dict[str, Any], seconds: float) -> list[Row]:
    """A row a part: text, coarse, fine, audio. Some seconds of audio are spoken of each test sentence."""
    with Engine(weights, config, **overrides) as found:
        exact_config = f"{'cpu' if found.config.backend == 'onnx' else 'torch'}-fp32"
        with Engine(weights, exact_config, threads=found.config.threads) as exact:
            parts = [_measure(exact, found, sentence, seconds) for sentence in SENTENCES]
    rows = [_logits_row(part, [one[part] for one in parts]) for part in ("text", "coarse")]
    agreed = np.concatenate([one["fine"] for one in parts])
    rows.append(_row("fine", len(agreed), top1=float(agreed.mean())))
    distance = math.sqrt(float(np.mean([one["audio"] ** 2 for one in parts])))
    return [*rows, _row("audio", 0, log_mel_distance_db=distance)]


def _measure(exact: Engine, found: Engine, sentence: str, seconds: float) -> dict[str, Any]:
    layout = exact.layout
    ids, _ = encode_text(exact.tokenizer, sentence, layout)
    prefix, added = np.append(ids, layout.semantic_infer), semantic_history(None, layout)
    steps = max(1, round(seconds * layout.semantic_rate_hz))
    heads = [WITHOUT_END]
    said = _speak(exact.backend.text(), found.backend.text(), prefix, added, heads, layout, "text", steps)
    semantic = said[0]
    window = np.full(COARSE_SEMANTIC_TOKENS + 1, layout.coarse_semantic_pad)
    window[: min(len(semantic), COARSE_SEMANTIC_TOKENS)] = semantic[:COARSE_SEMANTIC_TOKENS]
    window[-1] = layout.coarse_infer
    steps = N_COARSE_CODEBOOKS * max(1, round(seconds * layout.coarse_rate_hz))
    heads = list(range(N_COARSE_CODEBOOKS))
    spoken = _speak(
        exact.backend.coarse(), found.backend.coarse(), window, None, heads, layout, "coarse", steps
    )
    coarse = spoken[0].reshape(-1, N_COARSE_CODEBOOKS)
    window = _predicted(exact, _window(exact, coarse), N_COARSE_CODEBOOKS)
    own = _predicted(found, _window(found, coarse), N_COARSE_CODEBOOKS)
    frames = len(coarse)
    sounds = [
        engine.codes_to_audio([made.T], silent=True)[0]
        for engine, made in ((exact, window[:frames]), (found, own[:frames]))
    ]
    return {
        "text": said[1],
        "coarse": spoken[1],
        "fine": _same_codes(found, window[: len(own)], frames),
        "audio": log_mel_distance_db(sounds[0], sounds[1], layout.sample_rate_hz),
    }


Logits = tuple[FloatArray, FloatArray]  # (N, C) each: fp32's, and the config's


def _speak(
    exact: CausalGPT,
    found: CausalGPT,
    prefix: IntArray,
    added: IntArray | None,
    heads: Sequence[int],
    layout: Layout,
    stage: Stage,
    steps: int,
) -> tuple[IntArray, Logits]:
    """What fp32 draws after a prefix `(T,)`, `(steps,)` ids within their heads, and both models' logits."""
    candidates = layout.semantic_vocab if stage == "text" else layout.codebook_size
    noise, drawn, pairs = Noise([SEED], stage), [], []
    tokens, more = prefix[None], None if added is None else added[None]
    logits = [gpt.prefill(tokens, more, head=heads[0]) for gpt in (exact, found)]
    for step in range(steps):
        head = heads[step % len(heads)]
        ours, theirs = (_on_host(one) for one in logits)
        pairs.append((ours[0], theirs[0]))
        token = int(draw(ours, noise.step(step, candidates), Sampling())[0])
        drawn.append(token)
        if step + 1 < steps:
            following = heads[(step + 1) % len(heads)]
            logits = [
                gpt.step(_forced(gpt, token, candidates, head), head=following) for gpt in (exact, found)
            ]
    return np.array(drawn), (np.stack([a for a, _ in pairs]), np.stack([b for _, b in pairs]))


def _forced(gpt: CausalGPT, token: int, candidates: int, head: int) -> Any:
    """A token of our choice in the backend's own type: what is drawn greedily where it alone is likely."""
    only = np.zeros((1, 1, candidates), np.float32)
    only[0, 0, token] = 1
    return gpt.draw(gpt.upload(only)[0], None, GREEDY, head=head)


def _window(engine: Engine, coarse: IntArray) -> IntArray:
    """The fine window `(T', 8)` that an engine makes of coarse codes `(T, 2)`: padded, unless fitted."""
    frames, given = coarse.shape
    length = frames if engine.config.fine_window == "fitted" else max(frames, FINE_WINDOW_FRAMES)
    codes = np.full((length, N_FINE_CODEBOOKS), engine.layout.fine_pad)
    codes[:frames, :given] = coarse
    return codes


def _predicted(engine: Engine, window: IntArray, given: int, until: int = N_FINE_CODEBOOKS) -> IntArray:
    """A window with its codebooks from `given` to `until` as they are likeliest, one after the other."""
    gpt = engine.backend.fine()
    gpt.begin(window[None], given)
    for codebook in range(given, until):
        gpt.predict(codebook, np.zeros(1, np.int64), None, GREEDY)
    return gpt.codes()[0]


def _same_codes(found: Engine, exact: IntArray, frames: int) -> npt.NDArray[np.bool_]:
    """Whether an engine predicts fp32's codes, each codebook from those that fp32 predicted below it."""
    same = []
    for codebook in range(N_COARSE_CODEBOOKS, N_FINE_CODEBOOKS):
        shown = exact.copy()
        shown[:, codebook:] = found.layout.fine_pad
        codes = _predicted(found, shown, codebook, codebook + 1)
        same.append(codes[:frames, codebook] == exact[:frames, codebook])
    return np.concatenate(same)


def _on_host(logits: Any) -> FloatArray:
    host = logits.cpu().numpy() if hasattr(logits, "cpu") else logits
    return np.array(host, np.float32)  # a copy: a backend may write the next ones there


def _logits_row(part: str, logits: Sequence[Logits]) -> Row:
    same, lost = zip(*(divergence(*pair) for pair in logits), strict=True)
    agreed, kl = np.concatenate(same), np.concatenate(lost)
    return _row(
        part,
        len(agreed),
        top1=float(agreed.mean()),
        kl_mean=float(kl.mean()),
        kl_max=float(kl.max()),
    )


def _row(part: str, positions: int, **figures: float) -> Row:
    empty = dict.fromkeys(("top1", "kl_mean", "kl_max", "log_mel_distance_db"))
    return {"part": part, "positions": positions, **empty, **figures}
