"""The fine model's graph over memory that another framework holds: addresses go in, and nothing comes out."""

from pathlib import Path

import numpy as np

from alrakis.backends.onnx.session import CUDA, bind, device_providers, only_what_is_asked, open_session
from alrakis.errors import BackendError
from alrakis.export.contract import fine_frames
from alrakis.files.printable import printable
from alrakis.spec import GPTShape


class FineGraph:
    """The graph that `build_stage` wrote into a folder, on one device.

    device, index: as torch names it, "cpu" or "cuda" and a card. stream: the address of the CUDA stream that
    it runs on. half: the graph is in fp16. Nothing waits for a run; on a GPU the caller orders streams.
    Raises ConfigError where onnxruntime does not know the device, BackendError where it cannot use it.
    """

    def __init__(
        self,
        folder: Path,
        shape: GPTShape,
        threads: int,
        device: str,
        index: int = 0,
        *,
        stream: int = 0,
        half: bool = False,
    ) -> None:
        self._shape, self._device, self._index = shape, device, index
        self._type = np.float16 if half else np.float32
        providers = device_providers(device, index, stream)
        self._session = open_session(folder / "fine.onnx", threads, providers)
        if device == "cuda" and CUDA not in self._session.get_providers():
            raise BackendError(
                "fine = 'onnx': onnxruntime could not load its CUDA libraries, which have to be of the "
                "version that torch brings; leave fine out, or install an onnxruntime-gpu for that version"
            )
        self._options = only_what_is_asked()
        if device == "cuda":
            self._options.add_run_config_entry("disable_synchronize_execution_providers", "1")

    def run(
        self, codebook: int, x: int, size: tuple[int, int], first: int, logits: int, candidates: int
    ) -> None:
        """A codebook's logits `(B, T - first, candidates)`, written to an address; x: that of embeddings.

        size: (B, T). Both are contiguous, and stay until the run is over.
        """
        rows, frames = size
        binding = self._session.io_binding()
        place = self._device, self._index, self._type
        binding.bind_input("x", *place, (rows, frames, self._shape.n_embd), x)
        # shapes, which ONNX Runtime reads on the host wherever it runs
        cut, counts = np.array([first]), fine_frames(self._shape, codebook, frames - first)
        bind(binding, "first", cut)
        bind(binding, "frames", counts)
        binding.bind_output(f"logits_{codebook}", *place, (rows, frames - first, candidates), logits)
        try:
            self._session.run_with_iobinding(binding, self._options)
        except Exception as error:  # onnxruntime's own classes, one for each of its status codes
            reason = printable(str(error).strip().splitlines()[0])
            raise BackendError(
                f"the fine model on ONNX Runtime: {reason}; lower max_batch, or leave fine = 'onnx' out"
            ) from error
