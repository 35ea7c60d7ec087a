"""`alrakis serve` over Ray Serve: what it answers is what one server answers."""

import contextlib
import functools
import io
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile

from alrakis import Engine
from alrakis.audio import pcm16
from alrakis.cluster.serving import QUEUED, BySeconds, Speech, app
from alrakis.errors import ConfigError, InputError
from alrakis.serve.settings import load_settings
from tests.cluster.clusters import until
from tests.processes import free_port


@pytest.mark.parametrize(
    ("queued", "replicas"), [([], 1), ([0.0], 1), ([59.0], 1), ([61.0], 2), ([100.0, 100.0], 4), ([9e9], 5)]
)
def test_replicas_are_by_the_seconds_that_wait(queued: list[float], replicas: int) -> None:
    told = {QUEUED: dict(enumerate(queued))} if queued else None
    context = SimpleNamespace(
        aggregated_metrics=told, capacity_adjusted_min_replicas=1, capacity_adjusted_max_replicas=5
    )
    assert BySeconds(60.0)(context) == (replicas, {})


def test_a_replica_tells_how_much_waits_in_it() -> None:
    settings = load_settings({"weights": "demo", "config": "cpu-fp32", "overrides": {"threads": 1}})
    speech = Speech(settings)
    assert speech.record_autoscaling_stats() == {QUEUED: 0.0}
    speech.service.queue.enter(30.0)
    assert speech.record_autoscaling_stats() == {QUEUED: 30.0}
    speech.service.close()
    speech.service.engine.close()


@pytest.mark.parametrize(
    ("given", "error", "told"),
    [
        ({"weights": "demo"}, ConfigError, "other machines could use the server"),
        ({"open": "true", "replicas": "4:1"}, InputError, "replicas are MIN:MAX"),
        ({"open": "true", "wieghts": "demo"}, ConfigError, "wieghts"),
        (
            {"open": "true", "overrides": "{threads: 1"},
            ConfigError,
            "overrides are keys of the config",
        ),
        ({"open": "true", "cpus": "many"}, InputError, "cpus is a number that is not below 0, not 'many'"),
        ({"open": "true", "gpus": "nan"}, InputError, "gpus is a number"),
        ({"open": "true", "queued_per_replica_s": "-1"}, InputError, "queued_per_replica_s is a number"),
    ],
)
def test_a_mistake_is_told(given: dict[str, Any], error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        app(given)


@contextlib.contextmanager
def served_at(address: str, **more: Any) -> Iterator[str]:
    """The address of replicas that say the demo voice, on a cluster."""
    import ray
    from ray import serve

    ray.init(address, log_to_driver=False, logging_level="ERROR")
    port = free_port()
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    overrides = json.dumps({"threads": 1})
    given = {"weights": "demo", "config": "cpu-fp32", "overrides": overrides, "api_key": "a-long-key", **more}
    try:
        serve.run(app(given), name="speech")
        yield f"http://127.0.0.1:{port}"
    finally:
        serve.shutdown()
        ray.shutdown()


def ask(url: str, body: dict[str, Any], key: str = "a-long-key") -> bytes:
    headers = {"content-type": "application/json", "authorization": f"Bearer {key}"}
    request = urllib.request.Request(f"{url}/v1/audio/speech", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        return bytes(answer.read())


@pytest.mark.cluster
def test_a_replica_answers_as_a_server_does(one_machine: str) -> None:
    body = {"input": "Good morning.", "seed": 7, "response_format": "wav"}
    with Engine("demo", "cpu-fp32", threads=1) as engine:
        audio = engine.generate_long("Good morning.", seed=7).audio
    with served_at(one_machine) as url:
        said = ask(url, body)
        heard = soundfile.read(io.BytesIO(said), dtype="int16")[0]
        assert (heard == np.frombuffer(pcm16(audio), "<i2")).all()
        assert ask(url, body) == said
        with urllib.request.urlopen(f"{url}/ready") as answer:
            assert json.load(answer)["status"] == "ready"
        with pytest.raises(urllib.error.HTTPError, match="401"):
            ask(url, body, key="another-key")


@pytest.mark.cluster
def test_load_brings_a_replica_which_goes_again_and_cuts_no_stream(
    one_machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second one comes as seconds wait, and goes while there are streams under way in both."""
    from ray import serve
    from ray.serve import config

    at_once = {"upscale_delay_s": 0.0, "downscale_delay_s": 0.0, "look_back_period_s": 1.0}
    quick = functools.partial(config.AutoscalingConfig, **at_once, metrics_interval_s=0.5)
    monkeypatch.setattr(config, "AutoscalingConfig", quick)
    text = "This is a sentence of a long text, and it goes on for a while. " * 4
    with Engine("demo", "cpu-fp32", threads=1) as engine:
        result = engine.generate_long(text, seed=7)
    body = {"input": text, "seed": 7, "response_format": "pcm"}
    more = {"replicas": "1:2", "queued_per_replica_s": 2 * result.duration_s, "grace_s": 0}
    with served_at(one_machine, **more) as url, ThreadPoolExecutor(8) as threads:

        def running() -> int:
            speech = serve.status().applications["speech"]
            return int(speech.deployments["alrakis"].replica_states.get("RUNNING", 0))

        assert running() == 1
        streams = [threads.submit(ask, url, body) for _ in range(4)]
        until(lambda: running() == 2)
        streams += [threads.submit(ask, url, body) for _ in range(4)]  # some of them in the second
        until(lambda: running() == 1)
        assert [stream for stream in streams if not stream.done()]
        assert {stream.result() for stream in streams} == {pcm16(result.audio)}
