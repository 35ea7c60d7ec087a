"""What every backend does alike, with parts that only remember what became of them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis.backends import open_backend, settle
from alrakis.backends.base import Backend
from alrakis.backends.onnx.backend import OnnxBackend
from alrakis.backends.torch.backend import TorchBackend
from alrakis.config import Config, load_config
from alrakis.spec import PARTS, Part
from tests.backends.tiny import TinyWeights

ASK, DONE, UNLOAD, CLOSE = "ask", "done", "unload", "close"


class Recording(Backend):
    """A backend whose parts are plain objects; says what it was told to do with them."""

    def __init__(self, residency: str) -> None:
        super().__init__(Config(backend="torch", residency=residency), TinyWeights())
        self.rested: list[Part] = []
        self.given_back = 0

    def _open(self, part: Part) -> Any:
        return object()

    def _rest(self, part: Part) -> None:
        self.rested.append(part)

    def _give_back(self) -> None:
        self.given_back += 1


calls = st.lists(
    st.tuples(st.sampled_from([ASK, ASK, DONE, UNLOAD, CLOSE]), st.sampled_from(PARTS)), max_size=30
)


@given(calls, st.sampled_from(["all", "one-stage"]))
def test_a_part_is_open_from_when_it_is_asked_for_until_it_is_dropped(
    calls: list[tuple[str, Part]], residency: str
) -> None:
    backend, there = Recording(residency), dict[Part, Any]()
    for what, part in calls:
        rested, given_back = len(backend.rested), backend.given_back
        if what == ASK:
            found = getattr(backend, part)()
            assert there.setdefault(part, found) is found
            continue
        assert backend.opened(part) is there.get(part)
        backend.close() if what == CLOSE else getattr(backend, what)(part)
        touched = part in there or what == CLOSE
        freed = touched and (what in (UNLOAD, CLOSE) or residency == "one-stage")
        assert backend.given_back == given_back + freed, "memory is given back when a part is freed"
        if what == CLOSE:
            there.clear()
        elif what == UNLOAD or residency == "one-stage":
            there.pop(part, None)
        else:
            assert backend.rested[rested:] == [part] * touched
    assert list(backend._parts) == list(there)


def test_how_many_run_at_once_with_a_gain() -> None:
    """Steps read the parameters once for all of them; windows and decodes are bound by arithmetic."""
    backend = Recording("all")
    widths = [backend.width(part) for part in PARTS]
    assert widths == [backend._config.max_batch] * 2 + [1, 1]


def test_a_config_opens_the_backend_that_it_names() -> None:
    weights = TinyWeights()
    for config, kind in (
        (Config(backend="torch", device="cpu"), TorchBackend),
        (Config(backend="onnx", device="cpu"), OnnxBackend),
    ):
        opened = open_backend(config, weights)
        assert type(opened) is kind
        opened.close()
    assert weights.read == []


@pytest.mark.parametrize("name", ["cpu-int8", "torch-fp32"])
def test_a_settled_config_leaves_nothing_to_the_runtime(name: str) -> None:
    config = load_config(name)
    settled = settle(config)
    assert settled.kv_cache in ("full", "int8")
    assert settled.model_copy(update={"kv_cache": config.kv_cache}) == config
    assert settle(settled) is settled
