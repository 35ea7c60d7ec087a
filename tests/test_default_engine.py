"""The default engine: made when first asked for, and anew when something else is."""

import numpy as np
import pytest

from alrakis import api, default_engine, generation
from alrakis.errors import AlrakisError


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
