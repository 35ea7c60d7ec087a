"""What libsndfile cannot do, by PyAV (the extra `formats`): AAC, and another speed with the same pitch."""

import io
import itertools
from typing import Any

import numpy as np

from alrakis.sampling import FloatArray
from alrakis.serve.problems import ApiError

AAC_BITS_A_SECOND = 96_000
SLOWEST = 0.5  # of one filter of FFmpeg's; slower takes two


def check_av(param: str, what: str) -> None:
    """Raises ApiError where PyAV is not installed."""
    try:
        import av  # noqa: F401
    except ImportError:
        message = f"{what} needs PyAV, which this server lacks: pip install 'alrakis[formats]'"
        raise ApiError(400, message, param=param, code="unsupported_value") from None


class AacEncoder:
    """AAC in ADTS frames, each of which can be played by itself."""

    def __init__(self, rate_hz: int) -> None:
        import av

        self._rate_hz = rate_hz
        self._file = io.BytesIO()
        self._container: Any = av.open(self._file, "w", format="adts")
        self._stream: Any = self._container.add_stream("aac", rate=rate_hz, layout="mono")
        self._stream.bit_rate = AAC_BITS_A_SECOND
        self._samples = 0

    def write(self, samples: FloatArray) -> bytes:
        if len(samples) == 0:
            return b""
        frame = _frame(samples, self._rate_hz)
        frame.pts = self._samples
        self._samples += len(samples)
        self._container.mux(self._stream.encode(frame))
        return self._take()

    def end(self) -> bytes:
        if self._samples:
            self._container.mux(self._stream.encode(None))
        self._container.close()
        return self._take()

    def _take(self) -> bytes:
        taken = self._file.getvalue()
        self._file.seek(0)
        self._file.truncate()
        return taken


class Tempo:
    """Speech at another speed, its pitch kept (FFmpeg's atempo)."""

    def __init__(self, speed: float, rate_hz: int) -> None:
        import av.filter

        self._rate_hz = rate_hz
        self._samples = 0
        graph = av.filter.Graph()
        source = graph.add_abuffer(sample_rate=rate_hz, format="flt", layout="mono")
        factors = [speed] if speed >= SLOWEST else [SLOWEST, speed / SLOWEST]
        filters = [graph.add("atempo", str(factor)) for factor in factors]
        nodes = [source, *filters, graph.add("abuffersink")]
        for before, after in itertools.pairwise(nodes):
            before.link_to(after)
        graph.configure()
        self._graph: Any = graph

    def write(self, samples: FloatArray) -> FloatArray:
        """What is ready of so much more."""
        if len(samples) == 0:
            return samples
        frame = _frame(samples, self._rate_hz)
        frame.pts = self._samples
        self._samples += len(samples)
        self._graph.push(frame)
        return self._pull()

    def end(self) -> FloatArray:
        """What is left."""
        self._graph.push(None)
        return self._pull()

    def _pull(self) -> FloatArray:
        import av

        ready = [np.empty(0, np.float32)]
        while True:
            try:
                ready.append(self._graph.pull().to_ndarray()[0])
            except (av.BlockingIOError, av.EOFError):
                return np.concatenate(ready)


def _frame(samples: FloatArray, rate_hz: int) -> Any:
    import av

    clipped = np.clip(samples, -1, 1).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(clipped[None], format="flt", layout="mono")
    frame.sample_rate = rate_hz
    return frame
