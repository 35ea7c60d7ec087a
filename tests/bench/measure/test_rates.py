"""The rates at which this machine multiplies and reads."""

from alrakis.bench.measure.rates import multiply_rate


def test_products_take_time_in_both_types() -> None:
    assert all(multiply_rate(kind, 1, repeats=1) > 0 for kind in ("float32", "int8"))
