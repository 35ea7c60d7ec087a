"""The ONNX Runtime backend: which parts are open, and what stays open between calls."""

from pathlib import Path
from typing import Any

from alrakis.backends.onnx_codec import OnnxCodec
from alrakis.backends.onnx_draft import DraftedCausalGPT
from alrakis.backends.onnx_fine import OnnxFineGPT
from alrakis.backends.onnx_gpt import OnnxCausalGPT
from alrakis.backends.onnx_memory import give_back_memory, separate_large_blocks
from alrakis.backends.onnx_session import check_version, pick_providers, settle_cache
from alrakis.config import Config
from alrakis.export.artifacts import Artifacts
from alrakis.hardware import usable_cores
from alrakis.spec import Stage
from alrakis.weights.types import Weights


class OnnxBackend:
    """A `Backend` on ONNX Runtime; parts are exported and opened when they are first asked for.

    Raises ConfigError for a device that is not there, BackendError for an onnxruntime that is too old.
    """

    def __init__(self, config: Config, weights: Weights) -> None:
        config = settle_cache(config)
        check_version(config.kv_cache)
        separate_large_blocks()
        self._config = config
        self._weights = weights
        self._threads = config.threads or usable_cores()
        self._providers = pick_providers(config.device)
        self._artifacts = Artifacts(weights, config)
        self._parts: dict[str, Any] = {}

    def text(self) -> OnnxCausalGPT:
        gpt: OnnxCausalGPT = self._ready("text")
        return gpt

    def coarse(self) -> OnnxCausalGPT:
        gpt: OnnxCausalGPT = self._ready("coarse")
        return gpt

    def fine(self) -> OnnxFineGPT:
        gpt: OnnxFineGPT = self._ready("fine")
        return gpt

    def codec(self) -> OnnxCodec:
        codec: OnnxCodec = self._ready("codec")
        return codec

    def done(self, part: Stage | str) -> None:
        """Free a part's caches, and with residency "one-stage" the part itself."""
        if part not in self._parts:
            return
        if self._config.residency == "one-stage":
            self._parts.pop(part)
        elif part != "codec":
            self._parts[part].release()
        give_back_memory()

    def unload(self, part: Stage | str) -> None:
        self._parts.pop(part, None)
        give_back_memory()

    def close(self) -> None:
        self._parts.clear()
        give_back_memory()
        self._artifacts.close()

    def _ready(self, part: str) -> Any:
        if part not in self._parts:
            self._parts[part] = self._open(part)
        return self._parts[part]

    def _open(self, part: str) -> Any:
        layout = self._weights.layout
        threads, providers = self._threads, self._config_providers(part)
        if part == "codec":
            codec = self._weights.codec()
            return self._artifacts.open(
                codec, lambda folder: OnnxCodec(folder, codec.shape, threads, providers)
            )
        stage: Stage = "text" if part == "text" else "coarse" if part == "coarse" else "fine"
        weights = self._weights.stage(stage)
        if stage == "fine":
            return self._artifacts.open(
                weights, lambda folder: OnnxFineGPT(folder, weights.shape, threads, providers)
            )
        heads = layout.text_heads if stage == "text" else layout.coarse_heads
        drafts = self._config.drafts

        def open_causal(folder: Path) -> OnnxCausalGPT:
            if drafts:
                return DraftedCausalGPT(folder, weights.shape, heads, threads, providers, drafts)
            return OnnxCausalGPT(folder, weights.shape, heads, threads, providers)

        return self._artifacts.open(weights, open_causal)

    def _config_providers(self, part: str) -> list[Any]:
        return pick_providers("cpu") if part in self._config.cpu_parts else self._providers
