"""The ONNX Runtime backend: parts are exported when they are first needed, and opened."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from alrakis.backends.base import Backend
from alrakis.backends.onnx.codec import OnnxCodec
from alrakis.backends.onnx.draft import DraftedCausalGPT
from alrakis.backends.onnx.fine import OnnxFineGPT
from alrakis.backends.onnx.gpt import OnnxCausalGPT
from alrakis.backends.onnx.memory import give_back_memory, separate_large_blocks
from alrakis.backends.onnx.session import check_version, pick_providers, settle_cache
from alrakis.config import Config
from alrakis.export.artifacts import Artifacts
from alrakis.hardware import usable_cores
from alrakis.spec import Part
from alrakis.weights.types import StageWeights, Weights


class OnnxBackend(Backend):
    """A `Backend` on ONNX Runtime.

    Raises ConfigError for a device that is not there, BackendError for an onnxruntime that is too old.
    """

    def __init__(self, config: Config, weights: Weights) -> None:
        config = settle_cache(config)
        super().__init__(config, weights)
        check_version(config.kv_cache)
        separate_large_blocks()
        self._threads = config.threads or usable_cores()
        self._providers = pick_providers(config.device)
        self._artifacts = Artifacts(weights, config)

    def close(self) -> None:
        super().close()
        self._artifacts.close()

    def prepare(self, part: Part) -> None:
        """Export a part where it is not in the cache yet."""
        if part not in self._parts:
            self._artifacts.ensure(self._weights.codec() if part == "codec" else self._weights.stage(part))

    def _rest(self, part: Part) -> None:
        self._parts[part].release()
        self._give_back()

    def _give_back(self) -> None:
        give_back_memory()

    def _open(self, part: Part) -> Any:
        providers = pick_providers("cpu") if part in self._config.cpu_parts else self._providers
        if part == "codec":
            codec = self._weights.codec()
            return self._artifacts.open(
                codec, lambda folder: OnnxCodec(folder, codec.shape, self._threads, providers)
            )
        weights = self._weights.stage(part)
        if part == "fine":
            return self._artifacts.open(
                weights, lambda folder: OnnxFineGPT(folder, weights.shape, self._threads, providers)
            )
        return self._artifacts.open(weights, self._causal_opener(weights, providers))

    def _causal_opener(self, weights: StageWeights, providers: list[Any]) -> Callable[[Path], OnnxCausalGPT]:
        layout, drafts = self._weights.layout, self._config.drafts
        heads = layout.text_heads if weights.stage == "text" else layout.coarse_heads

        def opener(folder: Path) -> OnnxCausalGPT:
            own = folder, weights.shape, weights.stage, heads, self._threads, providers, self._config.slots
            same = self._config.same_in_company
            if drafts:
                return DraftedCausalGPT(*own, drafts, same_in_company=same)
            return OnnxCausalGPT(*own, same_in_company=same)

        return opener
