"""Both backends, and the toys of the tests, keep to the protocols; the stages ask for nothing else."""

import inspect
from typing import Any

import numpy as np
import pytest

from alrakis.backends.onnx.codec import OnnxCodec
from alrakis.backends.onnx.draft import DraftedCausalGPT
from alrakis.backends.onnx.fine import OnnxFineGPT
from alrakis.backends.onnx.gpt import OnnxCausalGPT
from alrakis.backends.protocols import CausalGPT, Codec, FineGPT
from alrakis.backends.torch.codec import TorchCodec
from alrakis.backends.torch.fine import TorchFineGPT
from alrakis.backends.torch.gpt import TorchCausalGPT
from alrakis.sampling import Options, Sampling
from alrakis.spec import Layout
from alrakis.stages.coarse import generate_coarse
from alrakis.stages.fine import generate_fine
from alrakis.stages.semantic import generate_semantic
from tests.toys import ToyFineGPT, ToyGPT

PAIRS = [
    *((CausalGPT, kind) for kind in (OnnxCausalGPT, DraftedCausalGPT, TorchCausalGPT)),
    *((FineGPT, kind) for kind in (OnnxFineGPT, TorchFineGPT)),
    *((Codec, kind) for kind in (OnnxCodec, TorchCodec)),
]
LAYOUT = Layout()


def methods(protocol: type) -> dict[str, Any]:
    return {
        name: value for name, value in vars(protocol).items() if inspect.isfunction(value) and name[0] != "_"
    }


@pytest.mark.parametrize(("protocol", "kind"), PAIRS, ids=lambda kind: kind.__name__)
def test_methods_are_called_alike(protocol: type, kind: type) -> None:
    assert methods(protocol)
    for name, method in methods(protocol).items():
        asked = inspect.signature(method).parameters.values()
        given = inspect.signature(getattr(kind, name)).parameters.values()
        assert [(p.name, p.kind, p.default) for p in given] == [(p.name, p.kind, p.default) for p in asked], (
            name
        )


class Only:
    """An object of which nothing but a protocol's own can be used."""

    def __init__(self, protocol: type, inner: Any) -> None:
        self._allowed = set(methods(protocol))
        self._inner = inner
        self.used: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        assert name in self._allowed, f"the stages use {name}, which is not in the protocol"
        self.used.add(name)
        return getattr(self._inner, name)


def test_the_stages_use_nothing_but_the_protocols() -> None:
    text = Only(CausalGPT, ToyGPT("text", LAYOUT.text_heads))
    ids = [np.full(256, LAYOUT.text_pad)] * 2
    said = generate_semantic(text, LAYOUT, ids, [None, None], [1, 5], Options(max_gen_duration_s=0.6))
    coarse = Only(CausalGPT, ToyGPT("coarse", LAYOUT.coarse_heads))
    lengths = [np.arange(5), np.arange(60)]
    codes = generate_coarse(coarse, LAYOUT, lengths, [None, None], [1, 2], Sampling())
    assert coarse.used == {"prefill", "step", "upload", "draw", "read", "keep"}
    assert text.used <= coarse.used
    assert said
    fine = Only(FineGPT, ToyFineGPT())
    generate_fine(fine, LAYOUT, codes, [None, None], [1, 2], Sampling(0.5))
    assert fine.used == {"begin", "predict", "codes"}
