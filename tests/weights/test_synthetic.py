"""Synthetic weights: true shapes, the same numbers every time, and networks that are alive."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch

from alrakis.bench.targets.suno_bark import stub_torchaudio
from alrakis.errors import InputError
from alrakis.spec import STAGES, CodecShape, GPTShape, Layout, Stage
from alrakis.weights import open_weights
from alrakis.weights.names import codec_arrays, gpt_arrays


def test_the_numbers_are_the_same_in_every_process_and_version() -> None:
    """Artifacts are keyed by name and version: other numbers need another version."""
    program = """
from alrakis.weights import open_weights
weights = open_weights("synthetic-tiny")
for part in (weights.stage("fine"), weights.codec()):
    print(*(sum(array.astype(float).ravel()[:5]) for array in part.arrays.values()))
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    weights = open_weights("synthetic-tiny")
    for line, part in zip(result.stdout.splitlines(), (weights.stage("fine"), weights.codec()), strict=True):
        here = [sum(array.astype(float).ravel()[:5]) for array in part.arrays.values()]
        assert [float(value) for value in line.split()] == pytest.approx(here)
    made_by_version_1 = [-0.02470321, -0.009806432, -0.01730986]
    np.testing.assert_allclose(
        weights.stage("fine").arrays["lm_heads.0.weight"][0, :3], made_by_version_1, rtol=1e-5
    )


@pytest.mark.parametrize(
    ("size", "sizes"), [("small", (12, 12, 768)), ("large", (24, 16, 1024)), ("tiny", (2, 2, 64))]
)
@pytest.mark.parametrize("stage", STAGES)
def test_shapes_are_barks(size: str, sizes: Any, stage: Stage) -> None:
    weights = open_weights(f"synthetic-{size}")
    vocabs = {"text": (129_600, 10_048), "coarse": (12_096, 12_096), "fine": (1_056, 1_056)}[stage]
    part = weights.stage(stage)
    assert weights.layout == Layout()
    assert part.shape == GPTShape(*sizes, *vocabs, norm_bias=stage == "fine")
    assert set(part.arrays) == set(gpt_arrays(part.shape))
    for name in ("transformer.wpe.weight", "transformer.h.1.ln_2.weight"):
        assert part.arrays[name].shape == gpt_arrays(part.shape)[name]
        assert part.arrays[name].dtype == np.float32


@pytest.mark.parametrize("stage", ["coarse", "fine"])
def test_suno_barks_own_models_take_them(stage: Stage) -> None:
    stub_torchaudio()
    from bark.model import GPT, GPTConfig
    from bark.model_fine import FineGPT, FineGPTConfig

    part = open_weights("synthetic-tiny").stage(stage)
    shape = part.shape
    sizes = (
        1024,
        shape.input_vocab,
        shape.output_vocab,
        shape.n_layer,
        shape.n_head,
        shape.n_embd,
        0.0,
        False,
    )
    model = FineGPT(FineGPTConfig(*sizes)) if stage == "fine" else GPT(GPTConfig(*sizes))
    state = {name: torch.from_numpy(array) for name, array in part.arrays.items()}
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert not unexpected
    assert all(".wtes." in name for name in missing)  # tied to the heads


def test_the_text_does_not_end_at_once() -> None:
    stub_torchaudio()
    from bark.model import GPT, GPTConfig

    part = open_weights("synthetic-tiny").stage("text")
    shape = part.shape
    model = GPT(
        GPTConfig(
            1024, shape.input_vocab, shape.output_vocab, shape.n_layer, shape.n_head, shape.n_embd, 0.0, False
        )
    )
    model.load_state_dict({name: torch.from_numpy(array) for name, array in part.arrays.items()})
    text = torch.cat([torch.arange(256) + 10_048, torch.full((256,), 10_000), torch.tensor([129_599])])
    with torch.inference_mode():
        logits, _ = model(text[None], merge_context=True)
    probabilities = torch.softmax(logits[0, 0, :10_001] / 0.7, -1)
    assert probabilities[10_000] < 1e-3
    assert probabilities.std() > 0


@pytest.mark.parametrize(
    ("name", "shape"), [("synthetic-tiny", CodecShape(4, 16)), ("synthetic-small", CodecShape())]
)
def test_encodecs_own_decoder_makes_sound_of_them(name: str, shape: CodecShape) -> None:
    stub_torchaudio()
    from encodec.modules import SEANetDecoder

    codec = open_weights(name).codec()
    assert codec.shape == shape
    assert set(codec.arrays) == set(codec_arrays(shape))
    decoder = SEANetDecoder(n_filters=shape.n_filters, dimension=shape.dimension, norm="none", causal=True)
    state = {key.removeprefix("decoder."): torch.from_numpy(value) for key, value in codec.arrays.items()}
    decoder.load_state_dict({key: value for key, value in state.items() if key.startswith("model.")})
    codes = np.random.default_rng(0).integers(0, 1024, (8, 60))
    frames = sum(codec.arrays[f"codebooks.{i}"][codes[i]] for i in range(8))
    with torch.inference_mode():
        audio = decoder(torch.from_numpy(frames.T[None].copy()))
    assert audio.shape == (1, 1, 60 * 320)
    assert torch.isfinite(audio).all()
    assert 0.03 < float(audio.std()) < 0.3
    assert float(audio.abs().max()) < 1


def test_sizes_can_be_mixed() -> None:
    weights = open_weights("synthetic-tiny", sizes={"coarse": "small"})
    assert [weights.stage(stage).shape.n_layer for stage in STAGES] == [2, 12, 2]
    with pytest.raises(InputError, match="small, large, tiny"):
        open_weights("synthetic-tiny", sizes={"coarse": "huge"})


def test_identities_tell_stages_and_sizes_apart() -> None:
    parts = [open_weights(f"synthetic-{size}") for size in ("small", "large", "tiny")]
    found = [weights.stage(stage).identity for weights in parts for stage in STAGES]
    found += [parts[0].codec().identity, parts[2].codec().identity]
    assert len(set(found)) == len(found)
    assert parts[0].codec().identity == parts[1].codec().identity  # EnCodec has one size


def test_the_tokenizer_spells_many_scripts_within_the_vocabulary() -> None:
    tokenizer = open_weights("synthetic-tiny").tokenizer()
    text = "Hello, Grüße! Привет नमस्ते こんにちは 你好 안녕 [laughs]"
    ids = tokenizer.encode(text)
    unknown = tokenizer.encode("\N{SNOWMAN}")
    assert len(unknown) == 1
    assert unknown[0] not in ids
    assert len(ids) == len(text.replace(" ", ""))
    assert max(ids) < Layout().text_pad - Layout().text_offset
    assert ids != tokenizer.encode(text.upper())
