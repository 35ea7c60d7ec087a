"""The profiles of a decode step and of a fine pass."""

from alrakis.bench.figures.operators import (
    PREFIX,
    pass_operators,
    pass_products,
    prefix_operators,
    prefix_products,
    step_operators,
)
from alrakis.spec import CONTEXT
from alrakis.weights import open_weights


def test_every_operator_of_a_step_has_its_share() -> None:
    for config, linear in (("cpu-fp32", "MatMul"), ("cpu-int8", "MatMulNBits")):
        times = step_operators("synthetic-tiny", config, 1, batch=2)
        assert {linear, "GroupQueryAttention", "LayerNormalization", "all"} <= set(times)
        assert next(iter(times)) == "all"
        assert 0 < sum(times.values()) - times["all"] <= times["all"]


def test_every_operator_of_a_pass_has_its_share() -> None:
    for config, linear, gelu in (
        ("cpu-fp32", "MatMul", "Gelu"),
        ("cpu-int8", "DynamicQuantizeMatMul", "FastGelu"),
    ):
        times = pass_operators("synthetic-tiny", config, 1)
        assert {linear, "MultiHeadAttention", gelu, "all"} <= set(times)
        assert 0 < sum(times.values()) - times["all"] <= times["all"]


def test_every_operator_of_a_prefix_has_its_share() -> None:
    times = prefix_operators("synthetic-tiny", "cpu-int8", 1)
    assert {"DynamicQuantizeMatMul", "GroupQueryAttention", "QuantizeLinear", "all"} <= set(times)
    assert 0 < sum(times.values()) - times["all"] <= times["all"]


def test_norms_are_not_fused_into_a_slower_operator() -> None:
    assert "SkipLayerNormalization" not in pass_operators("synthetic-tiny", "cpu-int8", 1)


def test_products_are_those_of_the_parameters() -> None:
    stage = open_weights("synthetic-tiny").stage("fine")
    parameters = sum(array.size for name, array in stage.arrays.items() if ".h." in name and array.ndim == 2)
    products = pass_products("synthetic-tiny")
    assert products["linears"] == CONTEXT * parameters
    heads = stage.shape.n_head * stage.shape.head_dim
    assert products["attention"] == stage.shape.n_layer * 2 * CONTEXT**2 * heads


def test_products_of_a_prefix_are_counted() -> None:
    stage = open_weights("synthetic-tiny").stage("coarse")
    last = f".h.{stage.shape.n_layer - 1}."
    parameters = sum(
        array.size
        for name, array in stage.arrays.items()
        if ".h." in name and array.ndim == 2 and (last not in name or "c_attn" in name)
    )
    products = prefix_products("synthetic-tiny")
    assert products["linears"] == PREFIX * parameters
    ends = [222, 444, 666, 887]  # each position attends to the end of its part
    seen = sum(next(end for end in ends if end > position) for position in range(PREFIX))
    width = stage.shape.n_head * stage.shape.head_dim
    assert products["attention"] == (stage.shape.n_layer - 1) * 2 * seen * width
