"""The default engine: made when first asked for, and anew when something else is."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from alrakis import Engine, api, default_engine, generation
from alrakis.config import load_config
from alrakis.errors import AlrakisError


def test_the_default_engine_follows_what_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        engine = default_engine.default_engine("synthetic-tiny", "torch-fp32")
        assert default_engine.default_engine("synthetic-tiny", "torch-fp32") is engine
        api.semantic_to_waveform(
            np.arange(20), weights="synthetic-tiny", config="torch-fp32", silent=True, seed=1
        )
        assert default_engine.current_engine() is engine
        assert set(generation.models) == {"coarse", "fine", "codec"}
        generation.clean_models("fine")
        assert set(generation.models) == {"coarse", "codec"}
        monkeypatch.setenv("SUNO_OFFLOAD_CPU", "1")
        assert default_engine.default_engine("synthetic-tiny", "torch-fp32") is not engine
        with pytest.raises(AlrakisError, match="closed"):
            engine.generate("x")
    finally:
        generation.clean_models()
    assert default_engine.current_engine() is None


@pytest.fixture
def no_engine() -> Iterator[None]:
    default_engine.close_default_engine()
    yield
    default_engine.close_default_engine()


TINY = "synthetic-tiny"


@pytest.mark.usefixtures("no_engine")
def test_it_is_made_anew_for_other_weights_another_config_or_on_demand() -> None:
    made = [default_engine.default_engine(TINY, "torch-fp32")]
    for weights, config, reload in (
        (TINY, "cpu-fp32", False),
        ("demo", "cpu-fp32", False),
        ("demo", "cpu-fp32", True),
    ):
        made.append(default_engine.default_engine(weights, config, reload=reload))
        assert default_engine.current_engine() is made[-1]
        with pytest.raises(AlrakisError, match="closed"):
            _ = made[-2].backend
    assert len(set(map(id, made))) == 4
    assert default_engine.default_engine("demo", "cpu-fp32", cpu_parts=["codec"]) is made[-1]


@pytest.mark.usefixtures("no_engine")
def test_without_a_config_sunos_variables_and_flags_change_what_auto_chose(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(default_engine, "choose_config", lambda: ("torch-fp32", "a test"))
    monkeypatch.setenv("SUNO_OFFLOAD_CPU", "1")
    engine = default_engine.default_engine(TINY, cpu_parts=["codec", "text"])
    assert (engine.config.cpu_parts, engine.config.offload) == (("text", "codec"), True)
    monkeypatch.setattr(default_engine, "choose_config", lambda: ("cpu-fp32", "a test"))
    engine = default_engine.default_engine(TINY, cpu_parts=["codec"], reload=True)
    assert engine.config == load_config("cpu-fp32"), "the ONNX backend is on the CPU anyhow"


@pytest.mark.usefixtures("no_engine")
def test_threads_get_the_same_one() -> None:
    found: list[Engine] = []
    threads = [
        threading.Thread(target=lambda: found.append(default_engine.default_engine(TINY, "torch-fp32")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, found))) == 1
