"""What was fastest on which kind of processor: the table that ships with alrakis.

`fastest.json` is made of the files in `bench/results/` by `make results`.
"""

import functools
from collections.abc import Collection
from importlib import resources
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from alrakis.files.parsing import parse_model

# What `auto` may choose on a CPU unasked: no further from fp32 than 8 bits are, and with Bark's own windows.
CLOSE = ("cpu-int8", "cpu-fp32", "torch-fp32")
FILE = "fastest.json"


class Row(BaseModel):
    """One config on one kind of processor. rtf: seconds of work for a second of speech, a median."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    config: str
    rtf: float = Field(gt=0)
    work: str
    machine: str
    measured: str


class Evidence(BaseModel):
    """All rows, by kind, the fastest config of each first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["alrakis-evidence"] = "alrakis-evidence"
    rows: tuple[Row, ...]


@functools.cache
def evidence() -> Evidence:
    """The table that ships."""
    content = resources.files("alrakis.evidence").joinpath(FILE).read_bytes()
    return parse_model(Evidence, content)


def fastest(kind: str, among: Collection[str], rows: tuple[Row, ...] | None = None) -> list[Row]:
    """The rows of these configs on a kind of processor, the fastest first. rows: those that ship."""
    known = evidence().rows if rows is None else rows
    return sorted((row for row in known if row.kind == kind and row.config in among), key=lambda row: row.rtf)
