"""What `make windows` holds against what, and its figures on utterances whose differences are known."""

from dataclasses import replace

import numpy as np
import pytest

from alrakis.config import load_config, preset_names
from demo_voice import windows
from demo_voice.windows import Said, Utterances

REFERENCE: Utterances = {
    f"demo/slt {drawn} {number}": Said(f"sentence {number}", 10, number % 3, 0.4, 0.1, 0.2, 0.3)
    for drawn in ("greedy", "drawn 1", "drawn 2")
    for number in range(30)
}


def test_every_preset_with_windows_of_its_own_is_judged_after_itself_with_barks() -> None:
    found = list(windows.variants(None).items())
    own = [name for name in preset_names() if load_config(name).sliding_window_len != 60]
    assert [name for name, _ in found[1::2]] == own
    for (_, (config, barks)), (name, (same, none)) in zip(found[::2], found[1::2], strict=True):
        assert config == same == name
        assert none == {}
        changed = load_config(config, barks)
        assert (changed.max_coarse_history, changed.sliding_window_len) == (630, 60)
        assert (changed.fine_history_frames, changed.fine_window) == (512, "full")
        assert changed.precision == load_config(config).precision


def test_splits_are_of_int8_and_after_barks() -> None:
    barks, split = windows.variants(["550/140"]).values()
    assert barks == ("cpu-int8", {})
    assert split == ("cpu-int8", {"max_coarse_history": 550, "sliding_window_len": 140})


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_what_is_the_same_has_no_difference() -> None:
    line = cells(windows._line("same", "drawn", REFERENCE, REFERENCE))
    assert line[:5] == ["same", "drawn", "60", "10.0%", ""]
    assert line[5] == "0.40 (+0.00 to +0.00)"


def test_a_difference_is_within_its_interval_and_one_of_every_sentence_has_none() -> None:
    words = np.random.default_rng(0).integers(0, 4, 30)
    ours = {
        key: replace(one, wrong=one.wrong + int(words[int(key.split()[-1])]), distance=one.distance + 0.05)
        for key, one in REFERENCE.items()
    }
    line = cells(windows._line("worse", "greedy", ours, REFERENCE))
    more, low, high = (
        float(part) for part in line[4].replace("(", "").replace(")", "").replace("to ", "").split()
    )
    assert more == pytest.approx(100 * words.mean() / 10, abs=0.05)
    assert low < more < high
    assert high - low == pytest.approx(2 * 1.96 * 100 * words.std() / 10 / np.sqrt(30), rel=0.2)
    assert line[5] == "0.45 (+0.05 to +0.05)"
