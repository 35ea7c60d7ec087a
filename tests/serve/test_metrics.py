"""Figures, in a registry of their own."""

from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from alrakis.serve.metrics import Metrics


def test_they_can_be_read_and_are_nobody_elses() -> None:
    one, other = Metrics(), Metrics()
    one.requests.labels("/v1/audio/speech", "ok").inc()
    one.rtf.observe(0.5)
    families = {family.name: family for family in text_string_to_metric_families(one.text().decode())}
    (sample,) = (s for s in families["alrakis_requests"].samples if s.name.endswith("_total"))
    assert (sample.labels, sample.value) == ({"path": "/v1/audio/speech", "outcome": "ok"}, 1.0)
    assert b'outcome="ok"' not in other.text()
    assert REGISTRY.get_sample_value("alrakis_audio_seconds_total") is None
