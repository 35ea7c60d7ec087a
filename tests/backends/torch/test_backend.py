"""TorchBackend: what is loaded when, where it runs, and what is freed."""

import subprocess
import sys
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch

from alrakis.backends import open_backend
from alrakis.backends.torch import backend as torch_backend
from alrakis.backends.torch.backend import TorchBackend
from alrakis.backends.torch.compile import CompilationError
from alrakis.backends.torch.gpt import TorchCausalGPT
from alrakis.config import Config
from alrakis.errors import BackendError, ConfigError
from alrakis.sampling import Draw, Sampling
from tests.backends.fake_cuda import CUDA, fake_cuda
from tests.backends.tiny import TinyWeights, codec_weights

PARTS = ("text", "coarse", "fine", "codec")
CPU = torch.device("cpu")
GREEDY = Draw(0, 0, Sampling(0))


def backend(weights: TinyWeights | None = None, **keys: object) -> TorchBackend:
    return TorchBackend(config(**keys), weights or TinyWeights())


def config(**keys: object) -> Config:
    trades = "a test" if keys.get("precision", "fp32") != "fp32" else ""
    return Config(backend="torch", trades=trades, **{"device": "cpu", **keys})


def work(engine: TorchBackend, part: str) -> None:
    """Let a part do a little of its work."""
    loaded = getattr(engine, part)()
    if part == "fine":
        window = loaded.begin(np.zeros((1, 10, 8), np.int64), 2)
        loaded.predict(window, 2, np.array([0]), [GREEDY])
    elif part == "codec":
        with torch.inference_mode():
            loaded.net(torch.zeros(1, 8, 3, dtype=torch.int64, device=loaded.device))
    else:
        loaded.draw(loaded.admit([0], np.zeros((1, 9), np.int64)), [0], [GREEDY])
        loaded.step([0])


def test_parts_are_loaded_when_first_asked_for_and_once() -> None:
    weights = TinyWeights()
    engine = backend(weights)
    assert weights.read == []
    for part in ("coarse", "text", "codec", "fine"):
        first = getattr(engine, part)()
        assert getattr(engine, part)() is first
    assert weights.read == ["coarse", "text", "codec", "fine"]


def test_done_keeps_everything_by_default() -> None:
    weights = TinyWeights()
    engine = backend(weights)
    for _ in range(2):
        for part in PARTS:
            work(engine, part)
            engine.done(part)
    assert weights.read == list(PARTS)
    assert engine.text()._filled[0] == 10


def test_one_stage_residency_frees_a_part_when_it_is_done() -> None:
    weights = TinyWeights()
    engine = backend(weights, residency="one-stage")
    for _ in range(2):
        for part in PARTS:
            work(engine, part)
            assert list(engine._parts) == [part]
            engine.done(part)
            assert not engine._parts
    assert weights.read == [*PARTS, *PARTS]
    engine.done("text")  # twice is harmless


def test_unload_frees_a_part_whatever_the_config_says() -> None:
    weights = TinyWeights()
    engine = backend(weights)
    work(engine, "text")
    engine.unload("text")
    engine.unload("coarse")  # never loaded: harmless
    work(engine, "text")
    assert weights.read == ["text", "text"]


def test_close_frees_everything() -> None:
    engine = backend()
    work(engine, "text")
    text = engine.text()
    engine.close()
    engine.close()
    assert text._cache._buffers == []
    assert not engine._parts


@pytest.fixture
def _gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine with one GPU, its tensors fake."""
    codec_weights()  # made with true values, outside
    for name, value in [
        ("is_available", True),
        ("device_count", 1),
        ("current_device", 0),
        ("get_device_capability", (8, 6)),
        ("get_arch_list", ["sm_80"]),
        ("get_device_name", "A10"),
    ]:
        monkeypatch.setattr(torch.cuda, name, lambda *_, value=value: value)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    with fake_cuda():
        yield


def places(engine: TorchBackend) -> dict[str, set[torch.device]]:
    return {name: {p.device for p in part.net.parameters()} for name, part in engine._parts.items()}


@pytest.mark.usefixtures("_gpu")
def test_with_offload_one_part_at_a_time_is_on_the_gpu() -> None:
    engine = backend(device="auto", offload=True, precision="fp16")
    for _ in range(2):
        for part in PARTS:
            getattr(engine, part)()
            assert all(where == {CPU} for where in places(engine).values())
            work(engine, part)
            where = places(engine)
            assert where.pop(part) == {CUDA}
            assert all(others == {CPU} for others in where.values())
            engine.done(part)
            assert all(where == {CPU} for where in places(engine).values())
    assert engine.text()._cache._buffers == []


@pytest.mark.usefixtures("_gpu")
def test_with_offload_a_part_that_broke_off_makes_room_for_the_next() -> None:
    engine = backend(device="auto", offload=True)
    work(engine, "coarse")  # never said to be done
    work(engine, "text")
    assert places(engine) == {"coarse": {CPU}, "text": {CUDA}}
    assert engine._parts["coarse"]._cache._buffers == []
    with pytest.raises(BackendError, match="run a prefix first"):
        engine.coarse().step([0])


@pytest.mark.usefixtures("_gpu")
def test_without_offload_parts_stay_on_the_gpu_except_those_kept_on_the_cpu() -> None:
    engine = backend(device="auto", cpu_parts=("codec", "fine"), precision="bf16")
    for part in PARTS:
        work(engine, part)
        engine.done(part)
    assert places(engine) == {"text": {CUDA}, "coarse": {CUDA}, "fine": {CPU}, "codec": {CPU}}
    assert all(layer.device == CUDA for layer in engine.text()._cache.layers)
    assert {p.dtype for p in engine.codec().net.parameters()} == {torch.float32}
    assert {p.dtype for p in engine.fine().net.parameters()} == {torch.bfloat16}


@pytest.mark.parametrize(
    ("residency", "given_back"), [("all", [0, 0, 0, 0, 1]), ("one-stage", [1, 2, 3, 4, 4])]
)
def test_a_gpu_gives_memory_back_when_parts_go_and_not_between_calls(
    residency: str, given_back: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """To take it anew costs a GPU more than a step. Apple's is stood in for."""
    calls: list[int] = []
    engine = backend(residency=residency)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.mps, "empty_cache", lambda: calls.append(1))
    found = []
    for part in PARTS:
        work(engine, part)
        engine._device = torch.device("mps")
        engine.done(part)
        engine._device = CPU
        found.append(len(calls))
    engine._device = torch.device("mps")
    engine.unload("text")
    assert [*found, len(calls)] == given_back
    engine.close()
    assert len(calls) == given_back[-1] + 1


@pytest.mark.usefixtures("_gpu")
def test_a_compiler_that_fails_is_told_and_steps_are_recorded_without_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def record(self: TorchCausalGPT, told: Callable[[int], None]) -> None:
        compiled.append(self._compiler is not None)
        if self._compiler:
            raise CompilationError("torch.compile failed: no ptxas")

    compiled: list[bool] = []
    monkeypatch.setattr(TorchCausalGPT, "record", record)
    monkeypatch.setattr(torch_backend, "missing", lambda device: None)
    engine = backend(device="cuda:0", compile=True, precision="bf16")
    with caplog.at_level("WARNING", "alrakis"):
        engine.coarse()
        engine.text()
    assert compiled == [True, False, False]
    (warning,) = caplog.messages
    assert "no ptxas; steps are recorded without it" in warning


@pytest.mark.parametrize("lack", [None, "Triton, which is not there"])
def test_what_a_compiler_lacks_is_told_once(
    lack: str | None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(torch_backend, "missing", lambda device: lack)
    with caplog.at_level("WARNING", "alrakis"):
        engine = backend(compile=True)
        assert (engine.text().stride > 1) is (lack is None)
        engine.coarse()
    assert [("needs Triton" in message) for message in caplog.messages] == ([True] if lack else [])


def test_a_device_that_is_not_there_is_said_before_anything_is_read() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    weights = TinyWeights()
    with pytest.raises(ConfigError, match="sees no CUDA device"):
        open_backend(config(device="cuda"), weights)
    assert weights.read == []


def test_threads_are_set() -> None:
    before = torch.get_num_threads()
    try:
        backend(threads=before + 1)
        assert torch.get_num_threads() == before + 1
        backend()
        assert torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("missing", ["torch", "accelerate"])
def test_what_is_not_installed_is_named_with_how_to_install_it(missing: str) -> None:
    script = f"""
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == {missing!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}")
import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == {missing!r} else found(name, *rest)
sys.meta_path.insert(0, Missing())
from alrakis.backends import open_backend
from alrakis.config import Config
from alrakis.errors import BackendError
try:
    open_backend(Config(backend="torch", device="cpu", offload=True), None)
except BackendError as error:
    print(error)
"""
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "pip install 'alrakis[torch]'" in said
    assert {"torch": "PyTorch", "accelerate": "accelerate"}[missing] in said
