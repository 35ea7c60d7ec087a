"""Configs: the presets, what may be laid over them, and how mistakes are told."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from alrakis.config import PRECISIONS, Config, coarse_window_warnings, load_config, parse_config, preset_names
from alrakis.engine import Engine
from alrakis.errors import ConfigError
from alrakis.spec import MAX_COARSE_TOTAL, MIN_COARSE_HISTORY

CONFIGS = Path(__file__).parents[1] / "configs"
NUMERIC = {  # keys that touch the mathematics, with a value that differs from Bark's
    "precision": "bf16",
    "max_coarse_history": 300,
    "sliding_window_len": 138,
    "fine_window": "fitted",
    "fine_history_frames": 49,
}
HARMLESS: dict[str, Any] = {
    "threads": 3,
    "max_batch": 1,
    "device": "cpu",
    "compile": True,
    "offload": True,
    "residency": "one-stage",
    "cpu_parts": ("codec",),
}


@pytest.mark.parametrize("name", preset_names())
def test_presets_are_complete(name: str) -> None:
    config = load_config(name)
    assert config.name == name, "a preset's name is its file's"
    assert config.summary, "`alrakis info` shows a line for each preset"
    assert config.exact == (config.precision == "fp32" and config.fine_window == "full")
    assert config.exact or len(config.trades) > 10, "what is given up is said in words"


def test_presets_are_the_files_in_the_folder() -> None:
    assert preset_names() == sorted(path.stem for path in CONFIGS.glob("*.toml"))
    assert {"torch-fp32", "gpu-bf16", "gpu-fp16", "gpu-lowmem"} <= set(preset_names())


def test_a_preset_differs_from_every_other() -> None:
    chosen = [load_config(name).model_dump(exclude={"name", "summary", "trades"}) for name in preset_names()]
    assert all(config not in chosen[:i] for i, config in enumerate(chosen))


# exact


def test_exact_means_nothing_is_traded() -> None:
    assert load_config("torch-fp32").exact
    assert not load_config("gpu-bf16").exact


@pytest.mark.parametrize("key", NUMERIC)
def test_a_config_that_calls_itself_exact_must_be(key: str) -> None:
    values = {"backend": "torch", key: NUMERIC[key]}
    with pytest.raises(ConfigError, match="say so in `trades`"):
        parse_config(values, "mine")
    assert not parse_config({**values, "trades": "some of it"}, "mine").exact


@pytest.mark.parametrize("key", NUMERIC)
def test_overriding_the_mathematics_is_no_longer_exact(key: str) -> None:
    config = load_config("torch-fp32", {key: NUMERIC[key]})
    assert not config.exact
    assert key in config.trades
    assert repr(NUMERIC[key]) in config.trades


@pytest.mark.parametrize("key", HARMLESS)
def test_overriding_anything_else_stays_exact(key: str) -> None:
    config = load_config("torch-fp32", {key: HARMLESS[key]})
    assert config.exact
    assert getattr(config, key) == HARMLESS[key]


@pytest.mark.parametrize("name", preset_names())
def test_no_preset_has_coarse_windows_beyond_barks(name: str) -> None:
    config = load_config(name)
    assert config.max_coarse_history + config.sliding_window_len <= 690
    assert config.warnings == []


@given(st.integers(MIN_COARSE_HISTORY, 630), st.integers(1, 700))
def test_windows_beyond_barks_are_warned_of_with_both_reasons(history: int, window: int) -> None:
    """Bark's last token stands at position 257 + 630 + 60 and sees 26 semantic tokens ahead."""
    if history + window > MAX_COARSE_TOTAL:
        return
    warnings = coarse_window_warnings(history, window)
    assert bool(warnings) == (history + window > 690)
    for warning in warnings:
        assert f"position {257 + history + window}" in warning
        assert f"sees {256 - (history + window) // 3} semantic tokens ahead" in warning
        assert "(947)" in warning
        assert "not 26" in warning


def test_the_engine_warns_of_them(caplog: pytest.LogCaptureFixture) -> None:
    with Engine("synthetic-tiny", "torch-fp32", sliding_window_len=138):
        assert "over Bark's 690" in caplog.text


def test_an_override_equal_to_the_preset_changes_nothing() -> None:
    plain = load_config("torch-fp32")
    assert load_config("torch-fp32", {"precision": "fp32", "backend": "torch"}) == plain


def test_overrides_keep_what_a_preset_says_it_trades() -> None:
    config = load_config("gpu-bf16", {"sliding_window_len": 100})
    assert config.trades.startswith(load_config("gpu-bf16").trades)


# hypothesis: any overrides are either right or told

TUPLES = ("cpu_parts",)
valid_values: dict[str, st.SearchStrategy[Any]] = {
    "precision": st.sampled_from(PRECISIONS["torch"]),
    "device": st.sampled_from(["auto", "cpu", "mps", "cuda", "cuda:0", "cuda:15"]),
    "cpu_parts": st.lists(st.sampled_from(["text", "coarse", "fine", "codec"]), unique=True),
    "threads": st.none() | st.integers(1, 1024),
    "max_batch": st.integers(1, 256),
    "compile": st.booleans(),
    "cuda_graphs": st.booleans(),
    "offload": st.booleans(),
    "residency": st.sampled_from(["all", "one-stage"]),
    "max_coarse_history": st.integers(MIN_COARSE_HISTORY, 630),
    "sliding_window_len": st.integers(1, MAX_COARSE_TOTAL - 630),
    "fine_window": st.sampled_from(["full", "fitted"]),
    "fine_history_frames": st.integers(0, 512),
}
any_value = (
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats()
    | st.text(max_size=8)
    | st.lists(st.integers() | st.text(max_size=4), max_size=3)
    | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)
)


@given(st.fixed_dictionaries({}, optional=valid_values))
def test_valid_overrides_are_taken(overrides: dict[str, Any]) -> None:
    config = load_config("torch-fp32", overrides)
    for key, value in overrides.items():
        assert getattr(config, key) == (tuple(value) if isinstance(value, list) else value)
    assert config.exact == (not any(getattr(config, key) != _bark(key) for key in NUMERIC))


def _bark(key: str) -> Any:
    return Config.model_fields[key].default


@given(st.dictionaries(st.sampled_from(sorted(Config.model_fields)) | st.text(max_size=12), any_value))
def test_any_overrides_are_taken_or_refused_as_config_errors(overrides: dict[str, Any]) -> None:
    try:
        config = load_config("torch-fp32", overrides)
    except ConfigError:
        return
    assert set(overrides) <= set(Config.model_fields)
    assert all(getattr(config, key) == value for key, value in overrides.items() if key not in TUPLES)


@given(st.sets(st.text(st.characters(codec="utf-8"), min_size=1, max_size=12), min_size=1, max_size=5))
def test_every_unknown_key_is_named(keys: set[str]) -> None:
    keys -= set(Config.model_fields)
    if keys:
        with pytest.raises(ConfigError) as caught:
            load_config("torch-fp32", dict.fromkeys(keys, 1))
        assert all(repr(key) in str(caught.value) for key in keys)


# mistakes


def test_all_mistakes_are_told_at_once_with_the_nearest_name() -> None:
    wrong = {"precison": "fp32", "trheads": 4, "max_batch": 0, "fine_window": "fited", "compile": "yes"}
    with pytest.raises(ConfigError) as caught:
        load_config("torch-fp32", wrong)
    message = str(caught.value)
    assert len(message.splitlines()) == 1 + len(wrong)
    for part in (
        "unknown key 'precison'; did you mean 'precision'?",
        "unknown key 'trheads'; did you mean 'threads'?",
        "max_batch: input should be greater than or equal to 1, not 0",
        "not 'fited'; did you mean 'fitted'?",
        "compile: input should be a valid boolean, not 'yes'",
    ):
        assert part in message


def test_all_conflicts_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(
            {
                "backend": "onnx",
                "precision": "bf16",
                "compile": True,
                "offload": True,
                "max_coarse_history": 630,
                "sliding_window_len": 139,
                "trades": "much",
            },
            "mine.toml",
        )
    message = str(caught.value)
    assert message.startswith("mine.toml:")
    for part in (
        "'bf16'",
        "compile is for the torch",
        "offload is for the torch",
        "at most 768",
        "630 + 139",
    ):
        assert part in message


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"backend": "torch", "precision": "int8", "trades": "x"}, "int8"),
        ({"backend": "torch", "kv_cache": "int8", "trades": "x"}, "kv_cache"),
        ({"backend": "torch", "kv_cache": "auto", "trades": "x"}, "kv_cache 'auto'"),
        ({"backend": "onnx", "kv_cache": "auto"}, "say so in `trades`"),
        ({"backend": "torch", "draft_tokens": 4}, "draft_tokens is for the onnx backend"),
        ({"backend": "torch", "device": "tpu"}, "device"),
        ({"backend": "torch", "device": "cuda:x"}, "device"),
        ({"backend": "tensorflow"}, "backend"),
        ({}, "backend: field required"),
    ],
)
def test_what_cannot_be_is_refused(values: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        parse_config(values, "mine")


def test_only_fp32_guesses_tokens() -> None:
    assert load_config("cpu-fp32").drafts > 0
    assert load_config("cpu-fp32", {"precision": "int8"}).drafts == 0
    assert load_config("cpu-fp32", {"draft_tokens": 0}).drafts == 0


def test_a_config_cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValidationError):
        load_config("torch-fp32").precision = "bf16"  # type: ignore[misc]


# where a config comes from


def test_a_config_from_a_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('backend = "torch"\nthreads = 2\ncpu_parts = ["fine", "codec"]\n', "utf-8")
    for where in (path, str(path)):
        config = load_config(where)
        assert (config.name, config.threads, config.cpu_parts) == ("mine", 2, ("fine", "codec"))
    assert load_config(path, {"threads": 1}).threads == 1


def test_a_config_is_a_config() -> None:
    config = load_config("gpu-fp16")
    assert load_config(config) == config
    assert load_config(config, {"max_batch": 1}).max_batch == 1


def test_a_config_survives_being_written_out() -> None:
    for name in preset_names():
        config = load_config(name)
        assert parse_config(json.loads(config.model_dump_json()), name) == config


@pytest.mark.parametrize("content", [b"backend = torch", b"backend =", b"\xff\xfe", b"[", b"a = 1\na = 2"])
def test_bad_toml_names_the_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"broken\.toml is not a readable TOML file"):
        load_config(path)


def test_an_unknown_name_gets_the_nearest_and_all() -> None:
    with pytest.raises(ConfigError) as caught:
        load_config("gpu-bf61")
    assert "did you mean 'gpu-bf16'?" in str(caught.value)
    assert all(name in str(caught.value) for name in preset_names())


@pytest.mark.parametrize("given", [None, 3, {"backend": "torch"}, ["torch-fp32"]])
def test_what_is_no_config_is_refused(given: Any) -> None:
    with pytest.raises(ConfigError, match="a config is a preset's name, a path or a Config"):
        load_config(given)


def test_a_folder_is_no_config(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load_config(tmp_path)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"backend": "onnx"}, "fine is for the torch backend"),
        ({"precision": "bf16"}, "exported in fp32 or fp16, not in bf16"),
        ({"device": "mps"}, "does not run on Apple's GPU; cpu_parts"),
        ({"offload": True}, "cannot leave the device, as offload asks of it; cpu_parts"),
        ({"device": "mps", "offload": True, "cpu_parts": ["fine"]}, ""),
        ({"device": "cuda", "precision": "fp16", "compile": True, "residency": "one-stage"}, ""),
    ],
)
def test_an_exported_fine_model_is_taken_where_it_can_run(keys: dict[str, Any], said: str) -> None:
    values = {"backend": "torch", "fine": "onnx", "trades": "a test", **keys}
    if not said:
        assert parse_config(values, "mine").fine == "onnx"
        return
    with pytest.raises(ConfigError, match=said):
        parse_config(values, "mine")
