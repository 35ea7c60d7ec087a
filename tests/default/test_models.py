"""`models` is live: it shows what is loaded, and what is removed from it is freed."""

from collections.abc import Iterator

import numpy as np
import pytest

from alrakis import generation
from alrakis.default import current_engine
from alrakis.errors import UnsupportedError
from alrakis.generation import models, models_devices

WHERE = {"weights": "synthetic-tiny", "config": "torch-fp32"}


@pytest.fixture(autouse=True)
def loaded() -> Iterator[None]:
    generation.preload_models(**WHERE)
    yield
    generation.clean_models()
    assert not models


def test_it_is_the_same_table_however_it_was_imported() -> None:
    assert generation.models is models
    assert sorted(models) == ["coarse", "codec", "fine", "text"]
    assert "text" in models
    assert set(models["text"]) == {"model", "tokenizer"}
    assert repr(models) == "<loaded models: text, coarse, fine, codec>"


def test_what_is_removed_is_freed_and_comes_back() -> None:
    del models["coarse"]
    assert models.pop("fine") is not None
    engine = current_engine()
    assert engine is not None
    assert engine.loaded == ["text", "codec"]
    with pytest.raises(KeyError):
        del models["coarse"]
    generation.generate_fine(np.zeros((2, 4), np.int64), seed=1, **WHERE)
    assert "fine" in models
    models.clear()
    assert len(models) == 0
    generation.preload_models(**WHERE)
    generation.models = {}
    assert len(models) == 0


def test_what_comes_from_elsewhere_is_refused() -> None:
    models["fine"] = models["fine"]
    with pytest.raises(UnsupportedError, match="weights=FOLDER"):
        models["fine"] = object()
    with pytest.raises(UnsupportedError, match="weights=FOLDER"):
        generation.models = {"text": {"model": None}}


def test_devices_are_told_where_parts_are_offloaded() -> None:
    assert dict(models_devices) == {}
    generation.preload_models(weights="synthetic-tiny", config=offloading())
    assert dict(models_devices) == dict.fromkeys(models, "cpu")
    with pytest.raises(UnsupportedError, match="a config decides where parts run"):
        models_devices["text"] = "cuda"


def offloading() -> object:
    from alrakis.config import load_config

    return load_config("torch-fp32", {"offload": True})
