"""The profile of a decode step."""

from alrakis.bench.operators import operator_times


def test_every_operator_has_its_share() -> None:
    for config, linear in (("cpu-fp32", "MatMul"), ("cpu-int8", "MatMulNBits")):
        times = operator_times("synthetic-tiny", config, 1, rows=2)
        assert {linear, "GroupQueryAttention", "LayerNormalization", "all"} <= set(times)
        assert next(iter(times)) == "all"
        assert 0 < sum(times.values()) - times["all"] <= times["all"]
