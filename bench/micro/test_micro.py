"""Micro-benchmarks: the parts that Bark's time goes into, each alone, by backend and precision.

`pytest bench/` runs them; pytest-benchmark's options choose, store and compare (`-k decode`,
`--benchmark-autosave`, `--benchmark-compare`).
"""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from alrakis.engine import Engine
from alrakis.sampling import IntArray, Noise, Sampling

PREFIX = 887  # a coarse window with a full history
POSITION, STEPS = 480, 40  # decode steps around position 500
FRAMES = 1024  # a fine window
CODEC_FRAMES = 375  # 5 s
CANDIDATES = 1024
DRAW = Sampling(temperature=0.7)


def prefix(engine: Engine, rows: int, length: int) -> IntArray:
    return np.full((rows, length), engine.layout.coarse_heads[0].start, np.int64)


def to_its_end(call: Callable[..., Any]) -> Callable[..., Any]:
    """The call, and what it has started on a GPU: without that, only its queueing would be timed."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return call

    def waiting(*arguments: Any) -> None:
        call(*arguments)
        torch.cuda.synchronize()

    return waiting


@pytest.mark.benchmark(group="decode step")
@pytest.mark.parametrize("rows", [1, 4])
def test_decode_step(benchmark: BenchmarkFixture, engine: Engine, rows: int) -> None:
    gpt = engine.backend.coarse()
    logits = gpt.prefill(prefix(engine, rows, POSITION))
    tokens = gpt.draw(logits, None, Sampling(temperature=0))
    # each step is one position further: a fixed number of them, not as many as fit into a second
    benchmark.pedantic(to_its_end(gpt.step), [tokens], rounds=STEPS)  # type: ignore[no-untyped-call]


@pytest.mark.benchmark(group="prefill")
def test_prefill(benchmark: BenchmarkFixture, engine: Engine) -> None:
    gpt = engine.backend.coarse()
    benchmark(to_its_end(gpt.prefill), prefix(engine, 1, PREFIX))


@pytest.mark.benchmark(group="fine pass")
def test_fine_pass(benchmark: BenchmarkFixture, engine: Engine) -> None:
    fine = engine.backend.fine()
    codes = np.zeros((1, FRAMES, 8), np.int64)
    noise = Noise([0], "fine").step(0, FRAMES, engine.layout.codebook_size)
    start = np.zeros(1, np.int64)

    def one_codebook() -> None:
        fine.begin(codes, given=2)
        fine.predict(2, start, noise, DRAW)
        fine.codes()

    benchmark(one_codebook)


@pytest.mark.benchmark(group="codec decode, 5 s")
def test_codec_decode(benchmark: BenchmarkFixture, engine: Engine) -> None:
    codec = engine.backend.codec()
    benchmark(codec.decode, np.zeros((1, 8, CODEC_FRAMES), np.int64))


@pytest.mark.benchmark(group="embedding gather, 887 rows")
def test_embedding_gather(benchmark: BenchmarkFixture, engine: Engine) -> None:
    ids = np.random.default_rng(0).integers(0, engine.weights.stage("coarse").shape.input_vocab, PREFIX)
    benchmark(to_its_end(gather(engine)), ids)


def gather(engine: Engine) -> Callable[[IntArray], Any]:
    """Embeddings of ids, looked up as the backend does it."""
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
    logits = gpt.prefill(prefix(engine, 1, 1))
    noise = gpt.upload(Noise([0], "coarse").steps(0, 1, CANDIDATES))[0]
    benchmark(lambda: gpt.read(gpt.draw(logits, noise, DRAW)))


@pytest.mark.benchmark(group="sampling")
def test_noise(benchmark: BenchmarkFixture) -> None:
    noise = Noise([0], "coarse")
    benchmark(noise.step, 0, CANDIDATES)
