"""OnnxBackend: what is exported and opened when, how many threads it gets, and what is freed."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from alrakis.backends.onnx import backend as onnx_backend
from alrakis.backends.onnx.backend import OnnxBackend
from alrakis.backends.onnx.draft import DraftedCausalGPT
from alrakis.backends.onnx.gpt import OnnxCausalGPT
from alrakis.config import Config, load_config
from alrakis.errors import ConfigError
from alrakis.hardware import usable_cores
from alrakis.sampling import Draw, Sampling
from alrakis.spec import PARTS
from alrakis.weights import open_weights
from tests.backends.tiny import TinyWeights

GREEDY = Draw(0, 0, Sampling(0))


class Unmeasured(TinyWeights):
    """Weights that are not measured when they are exported, which takes less time."""

    name = "synthetic-tiny"

    def codec(self) -> Any:
        super().codec()
        return open_weights("synthetic-tiny").codec()


@pytest.fixture
def backend() -> Any:
    made: list[OnnxBackend] = []

    def make(weights: TinyWeights | None = None, **keys: Any) -> OnnxBackend:
        config = Config(backend="onnx", **{"threads": 1, **keys})
        made.append(OnnxBackend(config, weights or Unmeasured()))
        return made[-1]

    yield make
    for each in made:
        each.close()


def work(backend: OnnxBackend, part: str) -> None:
    """Let a part do a little of its work."""
    loaded = getattr(backend, part)()
    if part == "fine":
        window = loaded.begin(np.zeros((1, 10, 8), np.int64), 2)
        loaded.predict(window, 2, np.array([0]), [GREEDY])
    elif part == "codec":
        loaded.decode(np.zeros((1, 8, 3), np.int64))
    else:
        loaded.draw(loaded.admit([0], np.zeros((1, 9), np.int64)), [0], [GREEDY])
        loaded.step([0])


def test_parts_are_read_when_first_asked_for_and_rest_when_they_are_done(
    backend: Callable[..., OnnxBackend],
) -> None:
    weights = Unmeasured()
    engine = backend(weights)
    assert weights.read == []
    for _ in range(2):
        for part in PARTS:
            first = getattr(engine, part)()
            work(engine, part)
            engine.done(part)
            assert getattr(engine, part)() is first
    assert weights.read == list(PARTS)
    assert engine.text()._cache is engine.coarse()._cache is None


def test_one_stage_residency_frees_a_part_when_it_is_done(backend: Callable[..., OnnxBackend]) -> None:
    weights = Unmeasured()
    engine = backend(weights, residency="one-stage")
    for part in ("text", "coarse", "text"):
        work(engine, part)
        assert list(engine._parts) == [part]
        engine.done(part)
        assert not engine._parts
    assert weights.read == ["text", "coarse", "text"]


@pytest.mark.parametrize("threads", [1, 3, None])
def test_sessions_have_as_many_threads_as_the_config_or_the_machine(
    backend: Callable[..., OnnxBackend], threads: int | None
) -> None:
    session = backend(threads=threads).coarse()._step
    assert session.get_session_options().intra_op_num_threads == (threads or usable_cores())


@pytest.mark.parametrize("max_batch", [1, 3])
def test_a_model_has_a_slot_more_than_the_config_runs(
    backend: Callable[..., OnnxBackend], max_batch: int
) -> None:
    """So it can measure whether a lone sequence has to run as two rows, with a batch of 1 too."""
    engine = backend(max_batch=max_batch, precision="int4", trades="a test")
    assert engine.text().slots == engine.coarse().slots == max_batch + 1


@pytest.mark.parametrize("same", [True, False])
@pytest.mark.parametrize("drafts", [0, 4])
def test_a_lone_sequence_is_as_in_company_unless_the_config_says_no(
    same: bool, drafts: int, backend: Callable[..., OnnxBackend], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OnnxCausalGPT, "_fewest_rows", lambda gpt: 2)
    assert backend(draft_tokens=drafts, same_in_company=same).coarse().rows == (2 if same else 1)


def test_only_a_config_that_says_so_guesses_tokens(backend: Callable[..., OnnxBackend]) -> None:
    assert type(backend().text()) is OnnxCausalGPT
    drafted = backend(draft_tokens=4)
    assert type(drafted.text()) is type(drafted.coarse()) is DraftedCausalGPT


def test_a_device_that_is_not_there_is_said_before_anything_is_read() -> None:
    weights = Unmeasured()
    with pytest.raises(ConfigError, match="device 'mps': the onnx backend"):
        OnnxBackend(Config(backend="onnx", device="mps"), weights)
    assert weights.read == []


def test_a_backend_separates_large_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    monkeypatch.setattr(onnx_backend, "separate_large_blocks", lambda: made.append(True))
    OnnxBackend(load_config("cpu-int8"), TinyWeights())
    assert made == [True]
