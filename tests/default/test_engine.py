"""The default engine: made when first asked for, and anew when something else is."""

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from alrakis import Engine, api, generation
from alrakis.config import load_config
from alrakis.default import engine as default_engine


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
        assert engine.loaded == []
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
        assert made[-2].loaded == []
    assert len(set(map(id, made))) == 4
    assert default_engine.default_engine("demo", "cpu-fp32", cpu_parts=["codec"]) is made[-1]


@pytest.mark.usefixtures("no_engine")
def test_without_a_config_sunos_variables_and_flags_change_what_auto_chose(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(default_engine, "resolve_config", lambda *_: load_config("torch-fp32"))
    monkeypatch.setenv("SUNO_OFFLOAD_CPU", "1")
    engine = default_engine.default_engine(TINY, cpu_parts=["codec", "text"])
    assert (engine.config.cpu_parts, engine.config.offload) == (("text", "codec"), True)
    monkeypatch.setattr(default_engine, "resolve_config", lambda *_: load_config("cpu-fp32"))
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


@pytest.mark.parametrize("config", ["cpu-int8", "torch-fp32"])
@pytest.mark.usefixtures("no_engine")
def test_clean_models_from_another_thread_at_any_moment(config: str) -> None:
    """Between any two parts of a call: the call goes on, and says the same."""
    where = {"weights": "demo", "config": config, "seed": 1, "silent": True}
    expected = api.generate_audio("Hi.", **where)
    weights = type(default_engine.default_engine("demo", config).weights)
    with pytest.MonkeyPatch.context() as patch:
        for method in ("tokenizer", "stage", "codec"):
            original = getattr(weights, method)

            def cleaning(self: Any, *arguments: Any, real: Any = original) -> Any:
                thread = threading.Thread(target=generation.clean_models)
                thread.start()
                thread.join(0.05)  # it may have to wait for this very call's stage
                return real(self, *arguments)

            patch.setattr(weights, method, cleaning)
        generation.clean_models()
        np.testing.assert_array_equal(api.generate_audio("Hi.", **where), expected)


@pytest.mark.usefixtures("no_engine")
def test_threads_that_speak_and_clean_and_change_the_engine() -> None:
    """Whatever others do to the default engine meanwhile, each call ends, with its own audio."""
    asked = [("demo", "torch-fp32"), ("synthetic-tiny", "torch-fp32")]
    expected = [speak(*where) for where in asked]
    said: list[tuple[int, Any]] = []
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(3):
                which = (number + turn) % 2
                said.append((which, speak(*asked[which])))
                generation.clean_models()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(said) == 9
    for which, codes in said:
        np.testing.assert_array_equal(codes, expected[which])


def speak(weights: str, config: str) -> Any:
    return generation.generate_fine(
        np.arange(20).reshape(2, 10) % 8, weights=weights, config=config, seed=1, silent=True
    )
