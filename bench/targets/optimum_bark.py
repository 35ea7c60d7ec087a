"""Bark on ONNX Runtime as optimum-onnx exports it: the fine model, one graph a codebook.

optimum-onnx knows no Bark. Its exporter takes a configuration of ours for the fine model, whose forward pass
is another one for each codebook; text, coarse and the codec stay with transformers.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from alrakis.bench.targets.transformers_bark import TransformersBark
from alrakis.spec import CONTEXT, N_COARSE_CODEBOOKS, N_FINE_CODEBOOKS
from alrakis.weights.types import Weights


class OptimumBark(TransformersBark):
    """`BarkModel.generate` in fp32, with the fine model on ONNX Runtime."""

    def __init__(self, source: str | Weights, threads: int | None) -> None:
        from transformers.models.bark.modeling_bark import BarkPreTrainedModel

        # random parameters, replaced anyway, cannot be made by this transformers where a norm has no bias
        BarkPreTrainedModel._init_weights = lambda *_: None  # type: ignore[method-assign]
        super().__init__(source, threads, "float32")
        fine = self.model.fine_acoustics
        with tempfile.TemporaryDirectory() as folder:
            sessions = {
                codebook: _session(_exported(fine, codebook, Path(folder)), threads)
                for codebook in range(N_COARSE_CODEBOOKS, N_FINE_CODEBOOKS)
            }
        last = fine.layernorm_final  # whose hooks count the passes

        def forward(codebook_idx: int, input_ids: Any, **_: Any) -> Any:
            import torch

            ids = input_ids.cpu().numpy()
            (logits,) = sessions[codebook_idx].run(["logits"], {"input_ids": ids})
            last(torch.zeros(1, 1, fine.config.hidden_size))
            return SimpleNamespace(logits=torch.from_numpy(logits))

        fine.forward = forward


def _exported(fine: Any, codebook: int, folder: Path) -> Path:
    """The graph of one codebook, written by optimum's exporter. Ids `(B, T, 8)` to logits `(B, T, 1056)`."""
    import torch
    from optimum.exporters.onnx.convert import export

    class OneCodebook(torch.nn.Module):
        """The fine model with its codebook fixed."""

        def __init__(self) -> None:
            super().__init__()
            self.fine, self.config = fine, fine.config

        def forward(self, input_ids: Any) -> dict[str, Any]:
            return {"logits": self.fine(codebook, input_ids).logits}

    path = folder / f"fine_{codebook}.onnx"
    export(OneCodebook().eval(), _onnx_config(fine.config), path)
    return path


def _onnx_config(config: Any) -> Any:
    """What optimum's exporter asks about a model: its inputs, its outputs, and inputs to trace it with."""
    import torch
    from optimum.exporters.onnx.base import OnnxConfig
    from optimum.utils import DummyInputGenerator, NormalizedTextConfig

    class Codes(DummyInputGenerator):  # type: ignore[misc]
        SUPPORTED_INPUT_NAMES = ("input_ids",)

        def __init__(self, *_: Any, **__: Any) -> None:
            pass

        def generate(self, *_: Any, **__: Any) -> Any:
            return torch.zeros(1, CONTEXT, N_FINE_CODEBOOKS, dtype=torch.int64)

    class FineConfig(OnnxConfig):  # type: ignore[misc]
        NORMALIZED_CONFIG_CLASS = NormalizedTextConfig
        DUMMY_INPUT_GENERATOR_CLASSES = (Codes,)
        DEFAULT_ONNX_OPSET = 17

        @property
        def inputs(self) -> Mapping[str, Mapping[int, str]]:
            return {"input_ids": {0: "batch_size", 1: "sequence_length"}}

        @property
        def outputs(self) -> Mapping[str, Mapping[int, str]]:
            return {"logits": {0: "batch_size", 1: "sequence_length"}}

    return FineConfig(config, task="feature-extraction")


def _session(path: Path, threads: int | None) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    return onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
