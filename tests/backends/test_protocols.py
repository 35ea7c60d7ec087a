"""Both backends, and the toys of the tests, keep to the protocols; the scheduler asks for nothing else."""

import inspect
from typing import Any

import numpy as np
import pytest

from alrakis.backends.onnx.codec import OnnxCodec
from alrakis.backends.onnx.draft import DraftedCausalGPT
from alrakis.backends.onnx.fine import OnnxFineGPT
from alrakis.backends.onnx.gpt import OnnxCausalGPT
from alrakis.backends.protocols import CausalGPT, Codec, FineGPT, Striding
from alrakis.backends.torch.codec import TorchCodec
from alrakis.backends.torch.exported import ExportedFineGPT
from alrakis.backends.torch.fine import TorchFineGPT
from alrakis.backends.torch.gpt import TorchCausalGPT
from alrakis.sampling import Options, Sampling
from alrakis.spec import Layout
from alrakis.stages.coarse import coarse_codes
from alrakis.stages.fine import fine_codes
from alrakis.stages.semantic import semantic_steps
from tests.toys import ToyBackend, run_all

PAIRS = [
    *((CausalGPT, kind) for kind in (OnnxCausalGPT, DraftedCausalGPT, TorchCausalGPT)),
    (Striding, TorchCausalGPT),
    *((FineGPT, kind) for kind in (OnnxFineGPT, TorchFineGPT, ExportedFineGPT)),
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
        kinds = protocol.__mro__
        self._allowed = {name for kind in kinds for name in (*methods(kind), *inspect.get_annotations(kind))}
        self._inner = inner
        self.used: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        assert name in self._allowed, f"the scheduler uses {name}, which is not in the protocol"
        self.used.add(name)
        return getattr(self._inner, name)


@pytest.mark.parametrize(("causal", "stride"), [(CausalGPT, 1), (Striding, 16)])
def test_the_scheduler_uses_nothing_but_the_protocols(causal: type, stride: int) -> None:
    backend = ToyBackend(LAYOUT, stride=stride)
    kinds = {"text": causal, "coarse": causal, "fine": FineGPT, "codec": Codec}
    used = {part: Only(kind, backend.parts[part]) for part, kind in kinds.items()}
    backend.parts.update(used)
    text, options = np.full(256, LAYOUT.text_pad), Options(max_gen_duration_s=0.6)
    assert len(run_all(backend, [semantic_steps(text, None, seed, options, LAYOUT) for seed in (1, 5)])) == 2
    spoken = [np.arange(5), np.arange(60)]
    codes = run_all(backend, [coarse_codes(each, None, 1, Sampling(), LAYOUT) for each in spoken])
    run_all(backend, [fine_codes(each, None, 1, Sampling(0.5), LAYOUT) for each in codes])
    each = {"read", "leave", "batches_prefixes", "stride", "release"}
    steps = {"admit", "step", "draw", "looks_ahead"} if stride == 1 else {"enter", "advance"}
    assert used["text"].used == used["coarse"].used == each | steps
    assert used["fine"].used == {"begin", "predict", "codes", "release"}
