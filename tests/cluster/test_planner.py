"""What a machine plans with that does not speak."""

import pytest

from alrakis import Engine
from alrakis.cluster.planner import Planner
from alrakis.errors import ConfigError


def test_it_knows_what_an_engine_knows() -> None:
    with Planner("demo", "cpu-fp32", threads=1) as planner, Engine("demo", "cpu-fp32", threads=1) as engine:
        assert planner.config == engine.config
        assert planner.layout == engine.layout
        assert list(planner.tokenizer.encode("Hello.")) == list(engine.tokenizer.encode("Hello."))
        ours, theirs = planner.load_voice("demo/rms"), engine.load_voice("demo/rms")
        assert ours is not None
        assert theirs is not None
        assert ours.name == theirs.name
        assert planner.load_voice(None) is None


def test_it_needs_no_card() -> None:
    assert Planner("demo", "gpu-bf16").config.precision == "bf16"


def test_a_config_that_is_none() -> None:
    with pytest.raises(ConfigError):
        Planner("demo", "nothing")
