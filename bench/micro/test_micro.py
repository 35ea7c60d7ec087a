"""Times each part of Bark alone, for all backends and precisions.

`pytest bench/` runs these benchmarks. Options of pytest choose among them (`-k decode`); options of
pytest-benchmark store and compare results (`--benchmark-autosave`, `--benchmark-compare`).
"""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from alrakis.engine import Engine
from alrakis.sampling import Draw, IntArray, Sampling, StageNoise

PREFIX = 887  # positions of a coarse prefix with a full history
POSITION, STEPS = 480, 40  # decode steps around position 500
FRAMES = 1024  # of a fine window
CODEC_FRAMES = 375  # 5 s
CANDIDATES = 1024
DRAW = Draw(seed=0, step=0, sampling=Sampling(temperature=0.7))


def prefix(engine: Engine, batch: int, length: int) -> IntArray:
    return np.full((batch, length), engine.layout.coarse_heads[0].start, np.int64)


def synchronized(call: Callable[..., Any]) -> Callable[..., Any]:
    """The call and the work that it starts on a GPU; without waiting, only its queueing would be timed."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return call

    def call_and_wait(*arguments: Any) -> None:
        call(*arguments)
        torch.cuda.synchronize()

    return call_and_wait


@pytest.mark.benchmark(group="decode step")
@pytest.mark.parametrize("batch", [1, 4])
def test_decode_step(benchmark: BenchmarkFixture, engine: Engine, batch: int) -> None:
    gpt = engine.backend.coarse()
    slots = range(batch)
    logits = gpt.admit(slots, prefix(engine, batch, POSITION))
    gpt.draw(logits, slots, [DRAW] * batch)
    # a step moves on by a position, so their number is fixed
    benchmark.pedantic(synchronized(gpt.step), [slots], rounds=STEPS)  # type: ignore[no-untyped-call]


@pytest.mark.benchmark(group="prefill")
def test_prefill(benchmark: BenchmarkFixture, engine: Engine) -> None:
    gpt = engine.backend.coarse()
    benchmark(synchronized(gpt.admit), [0], prefix(engine, 1, PREFIX))


@pytest.mark.benchmark(group="fine pass")
def test_fine_pass(benchmark: BenchmarkFixture, engine: Engine) -> None:
    fine = engine.backend.fine()
    codes = np.zeros((1, FRAMES, 8), np.int64)
    start = np.zeros(1, np.int64)

    def one_codebook() -> None:
        window = fine.begin(codes, given=2)
        fine.predict(window, 2, start, [DRAW])
        fine.codes(window)

    benchmark(one_codebook)


@pytest.mark.benchmark(group="codec decode, 5 s")
def test_codec_decode(benchmark: BenchmarkFixture, engine: Engine) -> None:
    codec = engine.backend.codec()
    benchmark(codec.decode, np.zeros((1, 8, CODEC_FRAMES), np.int64))


@pytest.mark.benchmark(group="embedding gather, 887 rows")
def test_embedding_gather(benchmark: BenchmarkFixture, engine: Engine) -> None:
    ids = np.random.default_rng(0).integers(0, engine.weights.stage("coarse").shape.input_vocab, PREFIX)
    benchmark(synchronized(gather(engine)), ids)


def gather(engine: Engine) -> Callable[[IntArray], Any]:
    """A function that looks up embeddings `(T, width)` of ids `(T,)` as the backend does."""
    if engine.config.backend == "torch":
        from torch import from_numpy
        from torch.nn.functional import embedding

        table = engine.backend.coarse().net.embedding  # type: ignore[attr-defined]  # torch's own
        return lambda ids: embedding(from_numpy(ids).to(table.device), table)
    from alrakis.backends.onnx.session import load_table
    from alrakis.export.artifacts import Artifacts

    artifacts = Artifacts(engine.weights, engine.config)
    mapped = artifacts.open(engine.weights.stage("coarse"), lambda folder: load_table(folder, "tokens"))
    return lambda ids: mapped[ids]


@pytest.mark.benchmark(group="sampling")
def test_draw(benchmark: BenchmarkFixture, engine: Engine) -> None:
    gpt = engine.backend.coarse()
    logits = gpt.admit([0], prefix(engine, 1, 1))
    benchmark(lambda: gpt.read(gpt.draw(logits, [0], [DRAW])))


@pytest.mark.benchmark(group="sampling")
def test_noise(benchmark: BenchmarkFixture) -> None:
    noise = StageNoise("coarse")
    benchmark(noise.rows, [DRAW], CANDIDATES)
