"""The history prompts of drop-in calls: whatever an engine takes, and names that a script has allowed."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from alrakis import Engine, generation
from alrakis.default.history import history_arrays
from alrakis.errors import VoiceError
from alrakis.voices import save_voice


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine("demo", "cpu-int8") as made:
        yield made


ARRAYS = np.arange(50), np.zeros((2, 75), int), np.zeros((8, 75), int)


def test_names_that_a_script_allows_are_files_of_the_package(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "assets" / "prompts"
    folder.mkdir(parents=True)
    save_voice(folder / "my_voice.npz", *ARRAYS)
    allowed = {*generation.ALLOWED_PROMPTS, "my_voice", "absent"}
    found = history_arrays("my_voice", engine, allowed, str(tmp_path))
    np.testing.assert_array_equal(found["semantic_prompt"], ARRAYS[0])
    with pytest.raises(VoiceError, match=r"'absent' is in ALLOWED_PROMPTS, but .*absent\.npz is not there"):
        history_arrays("absent", engine, allowed, str(tmp_path))
    with pytest.raises(VoiceError, match="there is no voice 'another'"):
        history_arrays("another", engine, allowed, str(tmp_path))
    with pytest.raises(VoiceError):
        history_arrays("", engine, allowed, str(tmp_path))


def test_the_set_of_names_is_live() -> None:
    generation.ALLOWED_PROMPTS.add("my_voice")
    try:
        assert "my_voice" in generation.ALLOWED_PROMPTS
        with pytest.raises(VoiceError, match="is in ALLOWED_PROMPTS"):
            generation.generate_text_semantic("hi", "my_voice", weights="demo", config="cpu-int8")
    finally:
        generation.ALLOWED_PROMPTS.discard("my_voice")
        generation.clean_models()


def test_voices_of_the_weights_paths_and_results(engine: Engine, tmp_path: Path) -> None:
    path = save_voice(tmp_path / "me.npz", *ARRAYS)
    result = engine.generate("Hi.", seed=1, silent=True)
    for prompt in ("demo/slt", path, str(path), result, engine.load_voice("demo/rms")):
        tokens = generation.generate_text_semantic(
            "Hi.", prompt, engine=engine, seed=1, silent=True, max_gen_duration_s=0.2
        )
        assert len(tokens)
