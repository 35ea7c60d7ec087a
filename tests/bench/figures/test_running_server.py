"""A server to be measured."""

from alrakis.bench.figures.running_server import beside, get, metric, process, whole
from alrakis.engine import Engine

BODY = {"input": "Yes.", "seed": 1, "response_format": "pcm"}


def test_beside_its_engine() -> None:
    with Engine("demo", "cpu-realtime", threads=1) as engine, beside(engine) as port:
        answer = whole(port, BODY)
        assert answer.status == 200
        assert 0 < answer.first_s <= answer.wall_s
        assert metric(port, "alrakis_requests_total") >= 1
        assert metric(port, "alrakis_slots_in_use") == 0


def test_in_a_process_of_its_own() -> None:
    with process("--weights", "demo", "--config", "cpu-realtime", "--set", "threads=1") as port:
        assert get(port, "/health").status == 200
