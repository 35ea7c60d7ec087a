"""Times and sizes on the command line."""

import pytest

from alrakis.bench.commands.amounts import read_size, read_time
from alrakis.errors import InputError


def test_times_and_sizes() -> None:
    times = {"90": 90, "90s": 90, "1.5m": 90, "1h": 3600, "168h": 604_800}
    assert {text: read_time("--budget", text) for text in times} == times
    sizes = {"800MB": 8e8, "1.5 GB": 1.5e9, "1GiB": 2**30}
    assert {text: read_size("--memory-limit", text) for text in sizes} == sizes


@pytest.mark.parametrize("text", ["", "5", "5 apples", "-1GB", "0MB", "nanGB", "9" * 400 + "GB", "٣GB"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(InputError, match=r"^--memory-limit takes a size like .{,200}$"):
        read_size("--memory-limit", text)


@pytest.mark.parametrize("text", ["", "m", "-5m", "0", "5d", "nan", "169h", "9" * 400, "9" * 20 + "s", "٣m"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(InputError, match=r"^--budget takes a time like .{,200}$"):
        read_time("--budget", text)
