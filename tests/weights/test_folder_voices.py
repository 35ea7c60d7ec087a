"""The voices that a folder of weights brings, under the names that its index or its files give them."""

import json
from pathlib import Path

import numpy as np
import pytest

from alrakis.spec import Layout
from alrakis.voices import VOICE_KEYS, load_voice, save_voice
from alrakis.weights.folder_voices import folder_voices

ARRAYS = np.arange(50), np.zeros((2, 75), int), np.zeros((8, 75), int)


def embeddings(folder: Path, name: str) -> None:
    for key, array in zip(VOICE_KEYS, ARRAYS, strict=True):
        path = folder / "speaker_embeddings" / f"{name}_{key}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, array)


def test_every_form_is_found_and_can_be_loaded(tmp_path: Path) -> None:
    assert folder_voices(tmp_path) == {}
    embeddings(tmp_path, "v2/en_speaker_6")
    embeddings(tmp_path, "mine")
    embeddings(tmp_path, "other")
    index = {"repo_or_path": "x", "alias": {key: f"speaker_embeddings/other_{key}.npy" for key in VOICE_KEYS}}
    (tmp_path / "speaker_embeddings_path.json").write_text(json.dumps(index))
    save_voice(tmp_path / "own.npz", *ARRAYS)
    (tmp_path / "voices").mkdir()
    save_voice(tmp_path / "voices" / "second.npz", *ARRAYS)
    found = folder_voices(tmp_path)
    assert set(found) == {"v2/en_speaker_6", "mine", "other", "alias", "own", "voices/second"}
    for name in found:
        voice = load_voice(name, Layout(), weights_voices=found)
        assert voice is not None
        np.testing.assert_array_equal(voice.semantic, ARRAYS[0])


@pytest.mark.parametrize(
    "index",
    [
        "{",
        "[]",
        '{"a": 1, "b": {}, "c": {"semantic_prompt": 3}}',
        '{"evil": {"semantic_prompt": "../../secret_semantic_prompt.npy"}}',
        '{"evil": {"semantic_prompt": "/etc/secret_semantic_prompt.npy"}}',
        '{"half": {"semantic_prompt": "speaker_embeddings/half_semantic_prompt.npy"}}',
    ],
)
def test_an_index_that_is_damaged_or_hostile_gives_no_voice(tmp_path: Path, index: str) -> None:
    (tmp_path / "speaker_embeddings_path.json").write_text(index)
    embeddings(tmp_path, "half")
    (tmp_path / "speaker_embeddings" / "half_fine_prompt.npy").unlink()
    assert folder_voices(tmp_path) == {}
