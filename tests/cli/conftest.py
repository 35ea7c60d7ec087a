"""Running `alrakis` in the tests' own process."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alrakis.cli.program import main
from tests.cli.programs import Ended, Run


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
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
