"""`alrakis read`: the takes of its chunks as a table, and how a person chooses among them."""

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from alrakis.errors import InputError

if TYPE_CHECKING:
    from alrakis.jobs.reading_manifest import ChunkState

_TAKE = re.compile(r"\s*(\d{1,9})\s*=\s*(\d{1,9})\s*")


def parse_takes(items: Sequence[str]) -> dict[int, int]:
    """Takes by chunk, from items `N=K`. Raises InputError for other items or a chunk twice."""
    takes: dict[int, int] = {}
    for item in items:
        named = _TAKE.fullmatch(item)
        if named is None:
            raise InputError(
                f"--take takes N=K, as in --take 7=2 for the second take of chunk 7, not {item!r:.80}"
            )
        chunk, take = map(int, named.groups())
        if chunk in takes:
            raise InputError(f"--take names chunk {chunk} twice; one of its takes can be heard")
        takes[chunk] = take
    return takes


def takes_table(chunks: "Sequence[ChunkState]") -> Iterator[str]:
    """A line for each take; of a chunk's several, `*` is at the one that is heard."""
    heading = ("chunk", "take", "state", "seconds", "seed", "voice", "text")
    rows = [heading, *(_row(chunk, place) for chunk in chunks for place in range(len(chunk.takes)))]
    widths = [max(len(row[i]) for row in rows) for i in range(len(heading))]
    for chunk, take, state, seconds, seed, voice, text in rows:
        numbers = f"{chunk:>{widths[0]}}  {take:<{widths[1]}}  {state:<{widths[2]}}  {seconds:>{widths[3]}}"
        yield f"{numbers}  {seed:<{widths[4]}}  {voice:<{widths[5]}}  {text}"


def _row(chunk: "ChunkState", place: int) -> tuple[str, ...]:
    take = chunk.takes[place]
    heard = "*" if place == chunk.take - 1 and len(chunk.takes) > 1 else ""
    labelled = take.speaker is None or take.text.startswith(f"{take.speaker}:")
    said = take.text if labelled else f"{take.speaker}: {take.text}"
    return (
        str(chunk.chunk) if place == 0 else "",
        f"{place + 1}{heard}",
        take.state,
        f"{take.seconds:.2f}" if take.state == "done" else "",
        str(take.seed),
        take.voice or "",
        f"{said} ({take.error})" if take.error else said,
    )
