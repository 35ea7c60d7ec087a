"""The names of what is measured: scenarios, and the stages whose time is told apart."""

from typing import Literal, get_args

StageName = Literal["semantic_prefill", "semantic_decode", "coarse_prefill", "coarse_decode", "fine", "codec"]
Scenario = Literal["latency", "throughput", "voice", "long", "cold-start", "memory", "accuracy"]
SCENARIOS: tuple[Scenario, ...] = get_args(Scenario)
STAGES: tuple[StageName, ...] = get_args(StageName)
