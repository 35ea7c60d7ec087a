"""`pytest bench/`: the option and the engines of the micro-benchmarks."""

import sys
from collections.abc import Iterator

import pytest

from alrakis.config import PRECISIONS, load_config
from alrakis.engine import Engine
from alrakis.errors import BackendError, ConfigError

_VARIANTS = [(backend, precision) for backend in ("onnx", "torch") for precision in PRECISIONS[backend]]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--size",
        choices=["tiny", "small", "large"],
        default="small",
        help="Bark's size that is timed, with random parameters (default: small; tiny shows that all run)",
    )


@pytest.fixture(scope="session", params=_VARIANTS, ids="-".join)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An engine for each backend and precision; those that this machine cannot run are skipped."""
    backend, precision = request.param
    config = load_config(f"{backend}-fp32" if backend == "torch" else "cpu-fp32", {"precision": precision})
    try:
        engine = Engine(f"synthetic-{request.config.getoption('--size')}", config)
    except (BackendError, ConfigError) as error:
        pytest.skip(str(error))
    with engine:
        if precision == "fp16" and not sys.modules["torch"].cuda.is_available():
            pytest.skip("CPUs emulate fp16: nobody runs it there")
        yield engine
