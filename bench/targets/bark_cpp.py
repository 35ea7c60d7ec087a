"""bark.cpp as a peer, by the binding bark-cpp-python: alrakis' parameters in fp16."""

import ctypes
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from alrakis.bench.targets.counting import Counts
from alrakis.bench.targets.ggml_file import write_ggml
from alrakis.bench.targets.program import Generated
from alrakis.errors import BackendError, InputError
from alrakis.spec import COARSE_WINDOW_STEPS
from alrakis.stages.semantic import max_semantic_steps
from alrakis.weights import open_weights
from alrakis.weights.types import Weights

_NEVER = 2.0  # a probability of the end that none reaches
_STAGES = ("text", "coarse", "fine")  # as it numbers them


class BarkCpp:
    """bark.cpp on the CPU. It draws from other random numbers; the lengths are the same.

    What it says of its progress is counted: a call before each token and each fine pass. Its codec is counted
    with the fine stage, after which it says nothing.
    """

    def __init__(self, source: str | Weights, threads: int | None) -> None:
        from bark_cpp import bark_cpp

        self._weights, self._threads, self._bark = open_weights(source), threads or 1, bark_cpp
        self._folder = tempfile.TemporaryDirectory(prefix="alrakis-")
        self._file = Path(self._folder.name) / "weights.bin"
        write_ggml(self._weights, self._file)
        self._context: Any = None
        self._seconds = 0.0
        self._calls: list[tuple[int, float]] = []  # stage, and when
        self._progress = bark_cpp.bark_progress_callback(
            lambda context, stage, progress, data: self._calls.append((stage, time.perf_counter()))
        )

    def prepare(self, seconds: float) -> None:
        """Load for texts of a length, which it has to know when it loads."""
        if seconds == self._seconds:
            return
        if self._context is not None:
            self._bark.bark_free(self._context)
        parameters = self._bark.bark_context_default_params()
        parameters.min_eos_p = _NEVER
        parameters.n_steps_text_encoder = max_semantic_steps(self._weights.layout, seconds)
        parameters.progress_callback = self._progress
        self._context = self._bark.bark_load_model(str(self._file).encode(), parameters, 1)
        if not self._context:
            raise BackendError("bark.cpp cannot load the file that was written for it")
        self._seconds = seconds

    def generate(self, texts: Sequence[str], seconds: float, voice: str | None) -> Generated:
        if voice is not None:
            raise InputError("bark.cpp has no voices")
        (text,) = texts
        self.prepare(seconds)
        self._calls.clear()
        began = time.perf_counter()
        if not self._bark.bark_generate_audio(ctypes.c_void_p(self._context), text.encode(), self._threads):
            raise BackendError("bark.cpp failed; what it said is on standard error")
        ended = time.perf_counter()
        samples = self._bark.bark_get_audio_data_size(ctypes.c_void_p(self._context))
        return Generated.from_counts(
            samples / self._weights.layout.sample_rate_hz, self._counts(), self._times(began, ended)
        )

    def _counts(self) -> Counts:
        calls = [sum(stage == number for stage, _ in self._calls) for number in range(len(_STAGES))]
        counts = Counts(fine=calls[2], codec=1)
        windows = -(-calls[1] // COARSE_WINDOW_STEPS)
        counts.text.prefills, counts.text.steps = 1, max(0, calls[0] - 1)
        counts.coarse.prefills, counts.coarse.steps = windows, calls[1] - windows
        return counts

    def _times(self, began: float, ended: float) -> dict[str, float]:
        """Seconds by part: each lasts until the next one's first call."""
        starts = [began]
        for number in range(1, len(_STAGES)):
            first = next((when for stage, when in self._calls if stage == number), ended)
            starts.append(max(first, starts[-1]))
        ends = [*starts[1:], ended]
        return {**{part: ends[n] - starts[n] for n, part in enumerate(_STAGES)}, "codec": 0.0}
