"""Variables that begin like ours: those that are read, and those that are told because nothing does."""

import logging
import re
from pathlib import Path

import pytest

from alrakis.places.variables import OWN, PREFIX, SERVER, unread, warn_of_unread
from alrakis.serve.settings import Settings

ROOT = Path(__file__).parents[2]


def test_all_that_is_read_is_known() -> None:
    assert set(SERVER) == {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    code = [
        path.read_text("utf-8")
        for name in ("engine", "export", "bench")
        for path in (ROOT / name).rglob("*.py")
    ]
    read = {name for text in code for name in re.findall(r'"(ALRAKIS_\w+)"', text)}
    assert read - {PREFIX} == set(OWN)


def test_what_nothing_reads_is_told_with_what_may_be_meant(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = {
        "ALRAKIS_PROT": "'ALRAKIS_PORT'",
        "ALRAKIS_CACHE_DIR": "'ALRAKIS_CACHE'",
        "ALRAKIS_MAX_QUEUED": "'ALRAKIS_MAX_QUEUED_S'",
        "alrakis_debug": "'ALRAKIS_DEBUG'",
        "ALRAKIS_XYZZY": None,
    }
    for name in [*wrong, *OWN, *SERVER, "alrakis_port", "ALRAKI_PORT"]:
        monkeypatch.setenv(name, "secret-value")
    assert set(unread()) == set(wrong)
    monkeypatch.setattr(logging.getLogger("alrakis"), "propagate", True)
    with caplog.at_level(logging.WARNING, "alrakis"):
        warn_of_unread()
    told = {re.search(r"\S*alrakis_\w+", line, re.IGNORECASE)[0]: line for line in caplog.messages}  # type: ignore[index]
    assert told.keys() == wrong.keys()
    for name, meant in wrong.items():
        assert "\n" not in told[name]
        assert "secret-value" not in told[name]
        assert ("did you mean" in told[name]) is (meant is not None)
        assert (meant or "") in told[name]
