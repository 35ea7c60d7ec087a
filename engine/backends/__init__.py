"""How a network is run. `open_backend` gives the one that a config asks for, after `settle`."""

from alrakis.backends.base import Backend
from alrakis.config import Config
from alrakis.weights.types import Weights


def settle(config: Config) -> Config:
    """A config with what it leaves to the installed runtime decided. Raises BackendError without one."""
    if config.kv_cache != "auto":
        return config
    from alrakis.backends.onnx.session import settle_cache

    return settle_cache(config)


def open_backend(config: Config, weights: Weights) -> Backend:
    """The backend that a config asks for, over these weights.

    Raises BackendError when it is not installed.
    """
    if config.backend == "torch":
        from alrakis.backends.torch.backend import TorchBackend

        return TorchBackend(config, weights)
    from alrakis.backends.onnx.backend import OnnxBackend

    return OnnxBackend(config, weights)
