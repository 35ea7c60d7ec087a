"""Whole texts as a GPU says them, without one: what is recorded, what is read, and the same tokens."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch

from alrakis.backends.torch import backend as torch_backend
from alrakis.backends.torch import cuda, fine, gpt, noise, steps
from alrakis.backends.torch.backend import TorchBackend
from alrakis.backends.torch.steps import STRIDE, Steps
from alrakis.config import Config
from alrakis.flight.journey import Journey, Manner
from alrakis.flight.scheduler import Scheduler
from alrakis.flight.sequence import Caller
from alrakis.result import Result
from alrakis.sampling import Options
from alrakis.timings import Clock
from tests.backends.fake_cuda import fake_cuda
from tests.backends.tiny import LAYOUT, TinyWeights, codec_weights
from tests.backends.torch.replays import Replays

CONFIG = Config(
    backend="torch",
    device="cpu",
    fine_window="fitted",
    trades="a test",
    max_batch=2,
    sliding_window_len=40,
    max_coarse_history=60,
)


def said(backend: TorchBackend, config: Config, options: list[Options], *, inline: bool = False) -> list[Any]:
    """Texts with seeds 0, 1, ..., side by side; inline: in this thread, where a mode of torch holds."""
    journey = Journey(config, TinyWeights())
    scheduler = Scheduler(backend, slots=config.slots, one_stage=False)
    if inline:
        scheduler._start = lambda: None  # type: ignore[method-assign]
    try:
        handles = []
        for seed, own in enumerate(options):
            ids = np.random.default_rng(seed).integers(LAYOUT.text_offset, LAYOUT.text_pad, 256)
            manner = Manner(None, seed, own)
            handles.append(scheduler.submit(journey.whole("", ids, manner, Clock()), Caller(), Clock()))
        if inline:
            scheduler._work()
        return [handle.result(120) for handle in handles]
    finally:
        scheduler.close()


def silence(self: Any, codes: Any) -> Any:
    """In place of the codec, which has no part in this and takes its time."""
    return np.zeros((len(codes), 320 * codes.shape[2]), np.float32)


@pytest.fixture
def recorders(monkeypatch: pytest.MonkeyPatch) -> list[Replays]:
    """Backends that record steps, on the CPU."""
    made: list[Replays] = []

    def recorder(device: torch.device) -> Replays:
        made.append(Replays())
        return made[-1]

    monkeypatch.setattr(torch_backend, "Graphs", recorder)
    monkeypatch.setattr(TorchBackend, "_records", lambda self, device: True)
    return made


def test_replayed_texts_are_those_of_a_cpu(recorders: list[Replays], monkeypatch: pytest.MonkeyPatch) -> None:
    """40 texts of any length: all is recorded at loading, nothing is asked for and little said at a step."""
    lengths = np.random.default_rng(0).uniform(0.05, 0.3, 40)
    options = [
        Options(max_gen_duration_s=float(each), allow_early_stop=n % 3 > 0) for n, each in enumerate(lengths)
    ]
    options[7] = Options(max_gen_duration_s=0.3, text_temp=0, waveform_temp=0)
    uploads: list[Any] = []
    upload = Steps._upload
    monkeypatch.setattr(Steps, "_upload", lambda self, told: (uploads.append(1), upload(self, told)))
    monkeypatch.setattr(torch_backend.TorchCodec, "decode", silence)
    recorded = TorchBackend(CONFIG, TinyWeights())
    assert recorded.text().recordings == recorded.coarse().recordings
    counts = [len(recorder.recorded) for recorder in recorders]
    ranges, lengths_of_attention = 4, 3  # slots 1, 2, 3, and the last alone
    assert counts == [ranges * (1 + lengths_of_attention)] * 2
    uploads.clear()
    reads: list[int] = []
    read = cuda.Arrival.read
    monkeypatch.setattr(cuda.Arrival, "read", lambda self: (reads.append(1), read(self))[1])
    found = said(recorded, CONFIG, options)
    assert [len(recorder.recorded) for recorder in recorders] == counts
    monkeypatch.undo()
    monkeypatch.setattr(torch_backend.TorchCodec, "decode", silence)
    expected = said(TorchBackend(CONFIG, TinyWeights()), CONFIG, options[:10])
    for one, other in zip(found[:10], expected, strict=True):
        assert isinstance(one, Result)
        for part in ("semantic_tokens", "coarse_tokens", "fine_tokens"):
            np.testing.assert_array_equal(getattr(one, part), getattr(other, part))
    steps = sum(one.semantic_tokens.size + one.coarse_tokens.size for one in found)
    replays = sum(recorder.replayed for recorder in recorders)
    print(
        f"{len(options)} texts, {steps} tokens: {replays} launches, {len(uploads)} times something told, "
        f"{len(reads)} reads; {sum(counts)} recorded at loading, 0 later"
    )
    assert len(reads) < steps / 4
    assert len(uploads) < steps / 4


FINE_PASSES = 6  # of a window


def uploads_by_module(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Bytes that go to the device, by who sends them."""
    told: Counter[str] = Counter()
    for module in (fine, gpt, noise, steps):
        name, upload = module.__name__.rpartition(".")[2], module.upload

        def counted(array: Any, device: torch.device, name: str = name, upload: Any = upload) -> Any:
            told[name] += array.nbytes
            return upload(array, device)

        monkeypatch.setattr(module, "upload", counted)
    return told


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_no_stage_reads_a_value_of_the_device(precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of fake tensors a read raises; the tokens that arrive are zeros, so a text goes on to its length."""
    codec_weights()
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
    codes: list[tuple[int, ...]] = []

    def arrived(self: Any, window: Any) -> Any:
        codes.append(tuple(window.codes.shape))
        return np.zeros(window.codes.shape, np.int64)

    monkeypatch.setattr(torch_backend.TorchFineGPT, "codes", arrived)
    monkeypatch.setattr(torch_backend.TorchCodec, "decode", silence)
    told = uploads_by_module(monkeypatch)
    with fake_cuda():
        config = CONFIG.model_copy(update={"precision": precision, "device": "cuda:0"})
        backend = TorchBackend(config, TinyWeights())
        found = said(backend, config, [Options(max_gen_duration_s=each) for each in (0.1, 0.5)], inline=True)
        assert backend.text().stride == STRIDE
    for one, seconds in zip(found, (0.1, 0.5), strict=True):
        assert isinstance(one, Result), one
        assert one.semantic_tokens.size == int(seconds * LAYOUT.semantic_rate_hz) + 1
        assert one.coarse_tokens.size
    assert codes
    tokens = sum(one.semantic_tokens.size + one.coarse_tokens.size for one in found)
    print(f"{tokens} tokens: bytes uploaded {dict(told)}, of them 0 of noise")
    # what is drawn with, when that changes; of the fine stage's noise seeds and steps
    assert told["steps"] / tokens < 60
    assert told["noise"] == 16 * len(found) * FINE_PASSES
