"""Settings: flags before variables, and each mistake named where it was made."""

from pathlib import Path

import pytest

from alrakis.errors import ConfigError
from alrakis.serve.settings import load_settings


def test_flags_count_more_than_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALRAKIS_PORT", "81")
    monkeypatch.setenv("ALRAKIS_WEIGHTS", "demo")
    monkeypatch.setenv("ALRAKIS_MAX_QUEUED_S", "12.5")
    monkeypatch.setenv("ALRAKIS_OVERRIDES", '{"threads": 2}')
    monkeypatch.setenv("ALRAKIS_HOST", "")
    settings = load_settings({"port": 82})
    assert (settings.port, settings.weights, settings.max_queued_s) == (82, "demo", 12.5)
    assert settings.overrides == {"threads": 2}
    assert settings.host == "127.0.0.1"


def test_variables_of_other_meaning_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CACHE", "DEBUG", "SUNO_CACHE"):
        monkeypatch.setenv(f"ALRAKIS_{name}", "1")
    assert load_settings({}).port == 8000


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"port": 70000}, "--port: "),
        ({"prot": 7000}, "there is no setting 'prot'; did you mean 'port'?"),
        ({"host": "0.0.0.0"}, "api_key, or open"),
        ({"host": "0.0.0.0", "api_key": "short"}, "8 ASCII characters"),
        ({"grace_s": -1}, "--grace: "),
        ({"api_key_file": "/nowhere"}, "cannot be read"),
        ({"api_key": ""}, "has no key"),
        ({"api_key": " , "}, "has no key"),
        ({"api_key": "", "open": True, "host": "0.0.0.0"}, "has no key"),
        ({"timeout_s": float("inf")}, "--timeout: "),
        ({"max_queued_s": float("nan")}, "--max-queued: "),
        ({"host": "0.0.0.0", "api_key": "long-enough", "wyoming": 10200}, "Wyoming knows no keys"),
    ],
)
def test_mistakes_are_told_by_flag(given: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError) as error:
        load_settings(given)
    assert told in str(error.value)
    assert "long-enough" not in str(error.value)


@pytest.mark.parametrize("content", [None, b"", b"\n \n\n", b"\xff\xfe", b"x" * (1 << 17)])
def test_files_without_a_key(tmp_path: Path, content: bytes | None) -> None:
    """Nobody who asks for a key gets a server that asks for none."""
    file = tmp_path / "keys"
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)
    with pytest.raises(ConfigError) as error:
        load_settings({"api_key_file": str(file)})
    assert "key" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "x"),
        ("PORT", "tcp://10.0.0.1:8000"),
        ("OVERRIDES", "{"),
        ("OVERRIDES", "3"),
        ("OPEN", "perhaps"),
        ("HOST", "0.0.0.0"),
        ("API_KEY", "short"),
        ("API_KEY", " , "),
        ("API_KEY_FILE", "/nowhere"),
        ("GRACE_S", "-1"),
        ("MAX_QUEUED_S", "nan"),
    ],
)
def test_mistakes_are_told_by_variable(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"ALRAKIS_{name}", value)
    with pytest.raises(ConfigError, match=f"ALRAKIS_{name}"):
        load_settings({})


def test_who_may_reach_it() -> None:
    for host in ("127.0.0.1", "::1", "localhost", "127.1.2.3"):
        assert load_settings({"host": host}).loopback
    assert load_settings({"host": "0.0.0.0", "open": True}).open
    assert load_settings({"host": "::", "api_key": "long-enough"}).keys == ("long-enough",)


def test_keys(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("the-third-key\n\n the-fourth-key \n", "utf-8")
    settings = load_settings({"api_key": "the-first-key, the-second-key", "api_key_file": str(file)})
    assert settings.keys == ("the-first-key", "the-second-key", "the-third-key", "the-fourth-key")
    assert "the-first-key" not in repr(settings)
