"""What transformers' JSON files say is checked, whatever they say."""

import json
from pathlib import Path
from typing import Any

import pytest

from alrakis.errors import WeightsError
from alrakis.spec import Layout
from alrakis.weights.transformers_config import read_layout, read_shards, read_sizes

ODD: list[Any] = [None, [], {}, "1", True, 1.5, -1, 10**9, 2**70, float("inf"), float("nan")]
ODD_TEXTS = ["9" * 5000, "[" * 5000, '"\\ud800"', '"\\u0000"']


def write(path: Path, value: Any) -> Path:
    path.write_text(value if isinstance(value, str) else json.dumps(value), "utf-8")
    return path


def test_ids_and_rates_are_laid_over_barks(tmp_path: Path) -> None:
    values = {
        "semantic_config": {"semantic_vocab_size": 9, "semantic_rate_hz": 50, "eos_token_id": 3},
        "coarse_acoustics_config": {"coarse_rate_hz": 80},
        "fine_acoustics_config": {"temperature": 0.5},
        "sample_rate": 24_000,
    }
    path = write(tmp_path / "generation_config.json", values)
    assert read_layout(path) == Layout(semantic_vocab=9, semantic_rate_hz=50.0, coarse_rate_hz=80)
    for nothing in ({}, {"semantic_config": None}, {"semantic_config": {}}):
        assert read_layout(write(path, nothing)) == Layout()


@pytest.mark.parametrize("section", ["semantic_config", "coarse_acoustics_config"])
@pytest.mark.parametrize("odd", [[], "x", 1, 1.5, True], ids=repr)
def test_a_section_that_is_no_table(tmp_path: Path, section: str, odd: Any) -> None:
    path = write(tmp_path / "generation_config.json", {section: odd})
    with pytest.raises(WeightsError, match=f"ids or rates that cannot be: {section}"):
        read_layout(path)


@pytest.mark.parametrize(
    ("section", "name"),
    [
        ("semantic_config", "semantic_pad_token"),
        ("semantic_config", "semantic_rate_hz"),
        ("coarse_acoustics_config", "coarse_infer_token"),
        ("coarse_acoustics_config", "coarse_rate_hz"),
    ],
)
@pytest.mark.parametrize("odd", [*ODD[1:], 0, *ODD_TEXTS], ids=lambda odd: repr(odd)[:12])
def test_ids_and_rates_that_cannot_be(tmp_path: Path, section: str, name: str, odd: Any) -> None:
    if odd == 0 and not name.endswith("hz"):
        pytest.skip("an id may be 0")
    if odd == 1.5 and name == "semantic_rate_hz":
        pytest.skip("a rate may have a fraction")
    shown = odd if odd in ODD_TEXTS else json.dumps(odd)
    path = write(tmp_path / "generation_config.json", f'{{"{section}": {{"{name}": {shown}}}}}')
    with pytest.raises(WeightsError) as error:
        read_layout(path)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 400


def test_sizes_of_a_stage(tmp_path: Path) -> None:
    sizes = {"num_layers": 2, "num_heads": 3, "hidden_size": 6, "input_vocab_size": 9, "n_codes_total": 8}
    path = write(tmp_path / "config.json", {"semantic_config": sizes, "fine_acoustics_config": sizes})
    assert read_sizes(path, "text")["n_layer"] == 2
    assert "n_codes_total" not in read_sizes(path, "text")
    assert read_sizes(path, "fine")["n_codes_total"] == 8
    for odd in (*ODD[:3], "x", 1):
        with pytest.raises(WeightsError, match="has no coarse_acoustics_config"):
            read_sizes(write(path, {"coarse_acoustics_config": odd} if odd != {} else {}), "coarse")
    for content in (*ODD_TEXTS, "", "{", "[]", "3"):
        with pytest.raises(WeightsError, match=r"config\.json"):
            read_sizes(write(path, content), "text")


def test_shards_are_beside_their_index(tmp_path: Path) -> None:
    path = tmp_path / "index.json"
    write(path, {"weight_map": {"semantic.a": "1.bin", "semantic.b": "2.bin", "other": "../3.bin"}})
    assert read_shards(path, "semantic.") == [tmp_path / "1.bin", tmp_path / "2.bin"]
    for shard in ("../3.bin", "/etc/passwd", "a/b", "..", "", "a\0b"):
        write(path, {"weight_map": {"semantic.a": shard}})
        with pytest.raises(WeightsError, match="outside its folder"):
            read_shards(path, "semantic.")
    for odd in (*ODD, {"semantic.a": 1}, {"semantic.a": None}):
        with pytest.raises(WeightsError, match=r"index\.json"):
            read_shards(write(path, {"weight_map": odd} if odd != {} else {}), "semantic.")
