"""`alrakis serve` over Ray Serve: the same application in replicas, more of them as more seconds wait.

`serve run alrakis.cluster.serving:app weights=demo open=true`; docs/cluster.md has more.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

from starlette.types import ASGIApp

from alrakis.engine import Engine
from alrakis.errors import ConfigError, InputError
from alrakis.files.parsing import parse_json
from alrakis.places.variables import warn_of_unread
from alrakis.serve.app import make_app
from alrakis.serve.logs import Log, to_stderr
from alrakis.serve.service import Service
from alrakis.serve.settings import Settings, load_settings

QUEUED = "queued_s"  # the figure that a replica tells
_OWN = ("replicas", "cpus", "gpus", "queued_per_replica_s")


class Speech:
    """One replica: an engine and its application. Its weights are loaded when it is there.

    Raises what stops them from being loaded.
    """

    def __init__(self, settings: Settings) -> None:
        engine = Engine(settings.weights, settings.config, **settings.overrides)
        engine.preload()
        self.service = Service(engine, settings)
        self.service.loaded()

    def __serve_build_asgi_app__(self) -> ASGIApp:  # Ray Serve's name for it
        log = Log(
            text=self.service.settings.log_text, failed=self.service.metrics.unlogged.inc, write=to_stderr
        )
        return make_app(self.service, log)

    def record_autoscaling_stats(self) -> dict[str, float]:
        """Seconds of audio that were asked for here and are not made yet."""
        return {QUEUED: self.service.queue.seconds}


class BySeconds:
    """How many replicas there should be: one for so many seconds of audio that wait."""

    def __init__(self, per_replica_s: float = 60.0) -> None:
        self._per_replica_s = per_replica_s

    def __call__(self, context: Any) -> tuple[int, dict[str, Any]]:
        """As Ray Serve asks for it: the number, and nothing to be remembered."""
        told = (context.aggregated_metrics or {}).get(QUEUED, {})
        wanted = math.ceil(sum(told.values()) / self._per_replica_s)
        least, most = context.capacity_adjusted_min_replicas, context.capacity_adjusted_max_replicas
        return max(least, min(most, wanted)), {}


def app(given: Mapping[str, Any]) -> Any:
    """The application for Ray Serve.

    given: settings of a server by their names, and besides `replicas` (MIN:MAX, 1:1), `cpus` and `gpus` of
    each, `queued_per_replica_s` (60). As Ray Serve listens where it was told to, a key is asked for unless
    `open=true` or `host` says that only this machine can reach it. Raises ConfigError or InputError.
    """
    from ray import serve
    from ray.serve.config import AutoscalingConfig, AutoscalingPolicy

    warn_of_unread()
    own = {name: given[name] for name in _OWN if name in given}
    asked = {"host": "0.0.0.0", **{name: value for name, value in given.items() if name not in own}}
    if isinstance(asked.get("overrides"), str):
        try:
            asked["overrides"] = parse_json(asked["overrides"])
        except ValueError as error:
            raise ConfigError(f"overrides are keys of the config, in JSON: {error}") from None
    settings = load_settings(asked)
    least, most = _replicas(str(own.get("replicas", "1")))
    policy = AutoscalingPolicy(
        policy_function=BySeconds,
        policy_kwargs={"per_replica_s": _number(own, "queued_per_replica_s", 60)},
    )
    deployment = serve.deployment(
        serve.ingress()(Speech),
        name="alrakis",
        max_ongoing_requests=settings.max_connections,
        autoscaling_config=AutoscalingConfig(min_replicas=least, max_replicas=most, policy=policy),
        ray_actor_options={"num_cpus": _number(own, "cpus", 1), "num_gpus": _number(own, "gpus", 0)},
        # a replica that is not needed ends when nothing is under way in it, which may take so long
        graceful_shutdown_timeout_s=max(settings.grace_s, settings.timeout_s),
    )
    return deployment.bind(settings)


def _number(given: Mapping[str, Any], name: str, default: float) -> float:
    try:
        number = float(given.get(name, default))
    except (TypeError, ValueError):
        number = math.nan
    if not 0 <= number < math.inf:
        raise InputError(f"{name} is a number that is not below 0, not {given[name]!r}")
    return number


def _replicas(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,6})(?::(\d{1,6}))?", text)
    if found is None or int(found[2] or found[1]) < max(1, int(found[1])):
        raise InputError(f"replicas are MIN:MAX or one number, as in replicas=1:4, not {text!r:.80}")
    return int(found[1]), int(found[2] or found[1])
