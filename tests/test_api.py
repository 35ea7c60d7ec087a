"""`bark.api`'s functions as alrakis has them: what they give, and how mistakes are told."""

from typing import Any

import numpy as np
import pytest

from alrakis import Engine, api, generation
from alrakis.errors import GenerationError, InputError


@pytest.fixture(scope="module")
def engine() -> Any:
    with Engine("synthetic-tiny", "torch-fp32") as made:
        yield made


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


@pytest.mark.parametrize(
    "call",
    [
        lambda e: api.generate_audio("", engine=e),
        lambda e: api.generate_audio(b"bytes", engine=e),
        lambda e: api.generate_audio("x", text_temp=-1, engine=e),
        lambda e: api.generate_audio("x", text_temp=float("nan"), engine=e),
        lambda e: api.generate_audio("x", history_prompt="v2/en_speaker_66", engine=e),
        lambda e: api.generate_audio("x", seed=-1, engine=e),
    ],
)
def test_bad_input_is_said(engine: Engine, call: Any) -> None:
    with pytest.raises(InputError):
        call(engine)


def test_no_speech_is_an_error_of_generate_audio(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    # min_eos_p is Bark's 0.2 in generate_audio: find a text that ends at once by asking for it
    empty = generation.generate_text_semantic("x", min_eos_p=0.0, engine=engine, seed=0)
    assert len(empty) == 0
    monkeypatch.setattr(api, "generate_text_semantic", lambda *a, **k: empty)
    with pytest.raises(GenerationError, match="seed"):
        api.generate_audio("x", engine=engine)
