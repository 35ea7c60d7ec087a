"""A lone sequence runs as one row where that gives the numbers it gets in company, else as two."""

import numpy as np
import pytest

from alrakis.backends.onnx.gpt import OnnxCausalGPT
from alrakis.backends.onnx.lone_rows import lone_rows
from alrakis.config import PRECISIONS
from tests.backends.onnx.exported import HEADS, PROVIDERS, Make
from tests.backends.tiny import SHAPES


def test_every_precision_is_measured() -> None:
    rows = lone_rows()
    assert tuple(rows) == PRECISIONS["onnx"]
    assert set(rows.values()) <= {1, 2}


@pytest.mark.parametrize("same", [True, False])
def test_two_rows_are_run_only_where_one_gives_other_numbers(
    same: bool, folder_of: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With operators that give a lone row the same bits, and with some that do not."""
    run = OnnxCausalGPT._run_step

    def shifted(gpt: OnnxCausalGPT, *arguments: object) -> list[np.ndarray]:
        alone = gpt._range(arguments[1]) == slice(0, 1)
        return [logits + np.float32(1e-3 * (alone and not same)) for logits in run(gpt, *arguments)]

    monkeypatch.setattr(OnnxCausalGPT, "_run_step", shifted)
    own = folder_of("text"), SHAPES["text"], "text", HEADS["text"], 1, PROVIDERS
    assert OnnxCausalGPT(*own, 3).rows == (1 if same else 2)
    assert OnnxCausalGPT(*own, 3, same_in_company=False).rows == 1  # nobody asks for it
    assert OnnxCausalGPT(*own, 1).rows == 1  # there is no second slot
    gpt = OnnxCausalGPT(*own, 3)
    assert gpt.read_bytes == 0
    assert gpt._cache is None
