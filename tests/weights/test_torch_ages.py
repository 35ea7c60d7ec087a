"""Files that torch of every age wrote are read."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alrakis.weights.torch_file import read_torch_file, tensors_as_arrays
from tests.weights.ages import write

AGES = sorted(Path(write.__file__).parent.glob("*.pt"))
WEIGHT = np.arange(24, dtype=np.float32).reshape(4, 6)
MODEL: dict[str, Any] = {
    "transformer.wte.weight": WEIGHT,
    "lm_head.weight": WEIGHT,
    "transposed": WEIGHT.T,
    "a part": WEIGHT[1:3, ::2],
    "half": WEIGHT.astype(np.float16),
    "bfloat16": WEIGHT,
    "ids": np.arange(5),
    "flags": np.array([True, False]),
    "scalar": np.array(2.5, np.float32),
    "empty": np.zeros((0, 3), np.float32),
    "parameter": 2 * WEIGHT[0],
}


def check(path: Path) -> None:
    found = read_torch_file(path)
    assert found["model_args"] == {"n_layer": 1, "n_head": 2, "n_embd": 6, "bias": False, "dropout": 0.0}
    assert (found["best_val_loss"], found["iter_num"]) == (np.float32(2.5), 1000)
    model = tensors_as_arrays(path, found["model"])
    assert list(model) == list(MODEL)
    for name, expected in MODEL.items():
        array = model[name].astype(np.float32) if name == "bfloat16" else model[name]
        assert array.dtype == expected.dtype, name
        np.testing.assert_array_equal(array, expected, name)
    assert np.shares_memory(model["transformer.wte.weight"], model["lm_head.weight"])
    module = tensors_as_arrays(path, found["module"])
    np.testing.assert_allclose(module["bias"], [0.25, 0.25], rtol=1e-6)
    state = found["optimizer"]["state"][0]
    np.testing.assert_allclose(state["exp_avg"].array(), np.full((2, 3), 0.1), rtol=1e-6)
    assert found["optimizer"]["param_groups"][0]["lr"] == 0.25


@pytest.mark.parametrize("path", AGES, ids=lambda path: path.stem)
def test_a_file_of_this_age(path: Path) -> None:
    check(path)


def test_there_are_files_of_both_kinds_and_of_several_ages() -> None:
    ages = {path.stem.split("-")[1] for path in AGES}
    assert len(ages) >= 2
    for kind in ("zip", "legacy"):
        assert {f"torch-{age}-{kind}" for age in ages} <= {path.stem for path in AGES}


def test_what_this_torch_writes(tmp_path: Path) -> None:
    write.write(tmp_path)
    for path in tmp_path.iterdir():
        check(path)
