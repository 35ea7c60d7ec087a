"""What every backend does alike: parts are opened when first asked for, and freed as the config says."""

from abc import ABC, abstractmethod
from typing import Any

from alrakis.backends.protocols import CausalGPT, Codec, FineGPT
from alrakis.config import Config
from alrakis.spec import Part
from alrakis.weights.types import Weights


class Backend(ABC):
    """Runs the networks of one set of weights."""

    def __init__(self, config: Config, weights: Weights) -> None:
        self._config = config
        self._weights = weights
        self._parts: dict[Part, Any] = {}

    def text(self) -> CausalGPT:
        gpt: CausalGPT = self._ready("text")
        return gpt

    def coarse(self) -> CausalGPT:
        gpt: CausalGPT = self._ready("coarse")
        return gpt

    def fine(self) -> FineGPT:
        gpt: FineGPT = self._ready("fine")
        return gpt

    def codec(self) -> Codec:
        codec: Codec = self._ready("codec")
        return codec

    def opened(self, part: Part) -> Any:
        """A part if it is open, else None."""
        return self._parts.get(part)

    def width(self, part: Part) -> int:
        """How many sequences of a part can run at once with a gain."""
        return self._config.max_batch if part in ("text", "coarse") else 1

    def prepare(self, part: Part) -> None:  # noqa: B027  # torch has nothing to prepare
        """Make what opening a part needs and takes long to make, so that a worker has only to open it."""

    def done(self, part: Part) -> None:
        """A part has done its work for now: free what the config says not to keep (offload, residency)."""
        if part in self._parts:
            if self._config.residency == "one-stage":
                self._drop(part)
                self._give_back()
            else:
                self._rest(part)

    def unload(self, part: Part) -> None:
        """Free a part whatever the config says; it is opened again when next asked for."""
        if part in self._parts:
            self._drop(part)
            self._give_back()

    def close(self) -> None:
        """Free everything."""
        for part in list(self._parts):
            self._drop(part)
        self._give_back()

    def _ready(self, part: Part) -> Any:
        """A part, opened."""
        if part not in self._parts:
            self._parts[part] = self._open(part)
        return self._parts[part]

    def _drop(self, part: Part) -> None:
        self._parts.pop(part)

    @abstractmethod
    def _open(self, part: Part) -> Any:
        """Bring a part into memory."""

    @abstractmethod
    def _rest(self, part: Part) -> None:
        """Free and give back what a part keeps between calls, but not the part."""

    @abstractmethod
    def _give_back(self) -> None:
        """Let others have the memory that was freed."""
