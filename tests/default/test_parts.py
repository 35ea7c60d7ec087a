"""What `load_model` and `load_codec_model` hand out answers what scripts ask, or says what to do instead."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from alrakis import Engine, generation
from alrakis.config import load_config
from alrakis.default.parts import device_of
from alrakis.errors import InputError, UnsupportedError
from tests.original import original


@pytest.fixture(scope="module", params=["torch-fp32", "cpu-fp32"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with Engine("synthetic-tiny", request.param) as made:
        yield made


def test_the_codec_has_encodecs_figures_and_decodes_its_frames(engine: Engine) -> None:
    theirs = original("encodec").EncodecModel.encodec_model_24khz(pretrained=False)
    theirs.set_target_bandwidth(6.0)
    ours = generation.load_codec_model(engine=engine)
    figures = ("sample_rate", "channels", "bandwidth", "frame_rate", "bits_per_codebook")
    for name in (*figures, "normalize", "segment", "segment_length"):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert ours.eval() is ours
    assert ours.to("cpu") is ours.cpu() is ours
    ours.set_target_bandwidth(6.0)
    codes = torch.arange(80).reshape(1, 8, 10)
    audio = ours.decode([(codes, None)])
    assert audio.shape == theirs.decode([(codes, None)]).shape
    assert isinstance(audio, torch.Tensor)
    fine = codes[0].numpy()
    np.testing.assert_array_equal(audio[0, 0].numpy(), generation.codec_decode(fine, engine=engine))
    np.testing.assert_array_equal(ours.decode(fine[None])[0], audio[0, 0].numpy())


@pytest.mark.parametrize(
    "codes", [[], np.zeros((8, 3), int), np.full((1, 8, 3), 1024), np.zeros((1, 8, 0), int)]
)
def test_codes_that_are_none(engine: Engine, codes: Any) -> None:
    with pytest.raises(InputError):
        generation.load_codec_model(engine=engine).decode(codes)


@pytest.mark.parametrize("stage", ["text", "coarse", "fine"])
def test_a_stage_answers(engine: Engine, stage: Any) -> None:
    handed = generation.load_model(model_type=stage, engine=engine)
    model = handed["model"] if stage == "text" else handed
    assert model.eval() is model
    assert model.to(torch.device("cpu")) is model
    assert model.device == "cpu"
    assert model == model.runner
    weights = engine.weights.stage(stage)
    assert model.get_num_params(non_embedding=False) == sum(array.size for array in weights.arrays.values())
    original_config = original("bark.model_fine" if stage == "fine" else "bark.model")
    fields = vars(original_config.FineGPTConfig() if stage == "fine" else original_config.GPTConfig())
    assert vars(model.config).keys() == fields.keys()
    assert (model.config.n_layer, model.config.input_vocab_size) == (
        weights.shape.n_layer,
        weights.shape.input_vocab,
    )
    with pytest.raises(UnsupportedError, match=r"a config decides .* Engine\(\.\.\., device="):
        model.to("cuda:0")
    with pytest.raises(UnsupportedError, match="cannot be called"):
        model(torch.zeros(1, 3))


@pytest.mark.parametrize(
    "name", ["encode", "encoder", "quantizer", "parameters", "state_dict", "half", "config", "nothing"]
)
def test_what_there_is_not_says_what_to_do(engine: Engine, name: str) -> None:
    codec = generation.load_codec_model(engine=engine)
    assert not hasattr(codec, name)
    with pytest.raises(UnsupportedError, match=f"the codec model has no '{name}': .+"):
        getattr(codec, name)


def test_where_parts_run() -> None:
    assert device_of(load_config("cpu-int8"), "text") == "cpu"
    assert device_of(load_config("torch-fp32"), "text") == ("cuda:0" if torch.cuda.is_available() else "cpu")
    assert device_of(load_config("torch-fp32", {"device": "cuda", "cpu_parts": ("text",)}), "text") == "cpu"
