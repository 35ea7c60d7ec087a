"""What a server measures of itself, in a registry of its own, as Prometheus reads it."""

from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SOUND_S = (0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128)
RTF = (0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.5, 2, 4, 8, 16)


class Metrics:
    """Counters and histograms; requests are counted by what they asked for and how they ended."""

    def __init__(self) -> None:
        own = self.registry = CollectorRegistry()
        self._gauges: dict[str, Gauge] = {}
        ProcessCollector(registry=own)
        self.requests = Counter("alrakis_requests", "Answered requests", ["path", "outcome"], registry=own)
        self.audio_s = Counter("alrakis_audio_seconds", "Seconds of audio made for requests", registry=own)
        self.first_sound_s = Histogram(
            "alrakis_first_sound_seconds", "From a request to its first sound", buckets=SOUND_S, registry=own
        )
        self.rtf = Histogram(
            "alrakis_rtf", "Seconds that a request took, by second of audio", buckets=RTF, registry=own
        )
        self.unlogged = Counter(
            "alrakis_log_failures", "Lines of the log that could not be written", registry=own
        )

    def watch(self, name: str, told: str, read: Callable[[], float], **labels: str) -> None:
        """A gauge that is read when it is asked for; one of several with labels."""
        gauge = self._gauges.get(name)
        if gauge is None:
            gauge = self._gauges[name] = Gauge(f"alrakis_{name}", told, list(labels), registry=self.registry)
        (gauge.labels(**labels) if labels else gauge).set_function(read)

    def text(self) -> bytes:
        """All of them, in Prometheus' text format."""
        return generate_latest(self.registry)
