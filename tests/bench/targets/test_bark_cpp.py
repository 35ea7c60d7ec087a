"""bark.cpp as a peer: the file that is written for it, and what is made of what it says; it is not run."""

import struct
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from alrakis.bench.targets.bark_cpp import BarkCpp
from alrakis.bench.targets.ggml_file import write_ggml
from alrakis.bench.targets.peers import PEERS, best_device
from alrakis.errors import BackendError, InputError
from alrakis.spec import STAGES, Stage
from alrakis.text.encoder import BertEncoder
from alrakis.weights import open_weights

WEIGHTS = "synthetic-tiny"


class Read:
    """A file as bark.cpp reads it."""

    def __init__(self, path: Path) -> None:
        self._bytes, self._at = path.read_bytes(), 0
        self.magic = self.numbers(1)
        self.words = [self.text(self.numbers(1)[0]) for _ in range(self.numbers(1)[0])]
        self.stages: dict[Stage, tuple[tuple[int, ...], dict[str, np.ndarray]]] = {}
        for stage in STAGES:
            shape = self.numbers(10)
            self.stages[stage] = shape, dict(self.tensor() for _ in range(self.numbers(1)[0]))
        self.magic += self.numbers(1)
        self.codec_shape, self.codec = self.numbers(9), {}
        while self._at < len(self._bytes):
            name, array = self.tensor()
            self.codec[name] = array

    def numbers(self, count: int) -> tuple[int, ...]:
        found = struct.unpack_from(f"<{count}i", self._bytes, self._at)
        self._at += 4 * count
        return found

    def text(self, length: int) -> str:
        self._at += length
        return self._bytes[self._at - length : self._at].decode()

    def tensor(self) -> tuple[str, np.ndarray]:
        dims, length, halves = self.numbers(3)
        shape = self.numbers(dims)[::-1]
        name = self.text(length)
        array = np.frombuffer(
            self._bytes, np.float16 if halves else np.float32, int(np.prod(shape)), self._at
        )
        self._at += array.nbytes
        return name, array.reshape(shape)


def test_the_file_holds_the_same_parameters(tmp_path: Path) -> None:
    """Names as bark.cpp's own converter gives them, whose file of these weights was compared by hand."""
    weights, path = open_weights(WEIGHTS), tmp_path / "weights.bin"
    write_ggml(weights, path)
    found = Read(path)
    assert found.magic == (0x67676D6C, 0x67676D6C)
    tokenizer = weights.tokenizer()
    assert isinstance(tokenizer, BertEncoder)
    vocab = tokenizer.vocab
    assert {word: number for number, word in enumerate(found.words)} == vocab
    for stage in STAGES:
        part = weights.stage(stage)
        (layers, heads, width, positions, bias, *_), tensors = found.stages[stage]
        shape = part.shape
        assert (layers, heads, width, positions) == (
            shape.n_layer,
            shape.n_head,
            shape.n_embd,
            shape.block_size,
        )
        assert bias == (stage == "fine")
        tied = shape.n_codes_total - shape.n_codes_given if stage == "fine" else 0
        assert len(tensors) == len(part.arrays) + tied
        assert not [name for name in tensors if not name.startswith("model/")]
        weight = tensors["model/h1/mlp/c_fc/w"]
        assert weight.dtype == np.float16
        np.testing.assert_array_equal(weight, part.arrays["transformer.h.1.mlp.c_fc.weight"].astype("f2"))
        assert tensors["model/h0/ln_1/g"].dtype == tensors["model/wpe"].dtype == np.float32
    tensors = found.stages["fine"][1]
    np.testing.assert_array_equal(tensors["model/wte/7"], tensors["model/lm_head/6"])
    assert found.codec_shape[-1] == 1
    assert found.codec["quantizer.vq.layers.7._codebook.embed"].dtype == np.float32
    assert found.codec["decoder.model.3.convtr.convtr.weight"].dtype == np.float16


class Binding:
    """bark-cpp-python, which says what is asked of it and makes a second of audio."""

    def __init__(self, *, loads: bool = True, makes: bool = True) -> None:
        self.loaded: list[int] = []
        self.freed = 0
        self._loads, self._makes = loads, makes
        self.parameters: Any = None

    def bark_progress_callback(self, function: Any) -> Any:
        return function

    def bark_context_default_params(self) -> Any:
        return SimpleNamespace(min_eos_p=0.2)

    def bark_load_model(self, path: bytes, parameters: Any, seed: int) -> int:
        assert Path(path.decode()).stat().st_size
        assert parameters.min_eos_p > 1
        self.parameters = parameters
        self.loaded.append(parameters.n_steps_text_encoder)
        return 5 if self._loads else 0

    def bark_free(self, context: int) -> None:
        self.freed += 1

    def bark_generate_audio(self, context: Any, text: bytes, threads: int) -> bool:
        for stage, count in enumerate((self.loaded[-1], 150, 6)):
            for _ in range(count):
                self.parameters.progress_callback(context, stage, 0, None)
        return self._makes

    def bark_get_audio_data_size(self, context: Any) -> int:
        return 24_000


def opened(binding: Binding, monkeypatch: pytest.MonkeyPatch) -> BarkCpp:
    monkeypatch.setitem(sys.modules, "bark_cpp", SimpleNamespace(bark_cpp=binding))
    return BarkCpp(WEIGHTS, 1)


def test_what_it_says_is_counted_and_loading_is_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    binding = Binding()
    peer = opened(binding, monkeypatch)
    for seconds in (1.0, 2.0, 2.0):
        peer.prepare(seconds)
        made = peer.generate(["Hello."], seconds, None)
    assert binding.loaded == [50, 100]
    assert binding.freed == 1
    assert made.audio_s == 1.0
    steps = {name: work.steps for name, work in made.stages.items()}
    assert steps == {
        "semantic_prefill": 1,
        "semantic_decode": 99,
        "coarse_prefill": 3,
        "coarse_decode": 147,
        "fine": 6,
        "codec": 1,
    }
    assert all(work.seconds >= 0 for work in made.stages.values())


def test_what_it_cannot_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="no voices"):
        opened(Binding(), monkeypatch).generate(["Hello."], 1.0, "v2/en_speaker_6")
    with pytest.raises(BackendError, match="cannot load"):
        opened(Binding(loads=False), monkeypatch).prepare(1.0)
    with pytest.raises(BackendError, match="failed"):
        opened(Binding(makes=False), monkeypatch).generate(["Hello."], 1.0, None)
    monkeypatch.delitem(sys.modules, "bark_cpp")
    with pytest.raises(BackendError, match="peers install bark-cpp-python"):
        PEERS["bark-cpp"].open(WEIGHTS, 1)


def test_without_torch_a_peer_is_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert best_device() == "cpu"
