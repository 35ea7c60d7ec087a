"""How a network is run. `open_backend` gives the one that a config asks for, after `settle`."""

from typing import Protocol

from alrakis.backends.protocols import CausalGPT, Codec, FineGPT
from alrakis.config import Config
from alrakis.spec import Stage
from alrakis.weights.types import Weights


class Backend(Protocol):
    """Runs the networks of one set of weights. Each is loaded when it is first asked for."""

    def text(self) -> CausalGPT: ...

    def coarse(self) -> CausalGPT: ...

    def fine(self) -> FineGPT: ...

    def codec(self) -> Codec: ...

    def done(self, part: Stage | str) -> None:
        """A part has done its work for now: free what the config says not to keep (offload, residency)."""
        ...

    def unload(self, part: Stage | str) -> None:
        """Free a part whatever the config says; it is loaded again when next asked for."""
        ...

    def close(self) -> None:
        """Free everything."""
        ...


def settle(config: Config) -> Config:
    """A config with what it leaves to the installed runtime decided. Raises BackendError without one."""
    if config.kv_cache != "auto":
        return config
    from alrakis.backends.onnx_session import settle_cache

    return settle_cache(config)


def open_backend(config: Config, weights: Weights) -> Backend:
    """The backend that a config asks for, over these weights.

    Raises BackendError when it is not installed.
    """
    if config.backend == "torch":
        from alrakis.backends.torch_backend import TorchBackend

        return TorchBackend(config, weights)
    from alrakis.backends.onnx_backend import OnnxBackend

    return OnnxBackend(config, weights)
