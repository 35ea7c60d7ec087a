"""A text that was corrected, beside what was read of it: which chunks are kept, and which are made."""

import difflib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from alrakis.jobs.reading_manifest import ChunkState, TakeState
from alrakis.sampling import MAX_SEED
from alrakis.text.splitting import Chunk

Said = tuple[str | None, str]  # speaker and text


@dataclass(frozen=True)
class Revision:
    """The chunks of a text as it is now, with the takes that are there.

    changed: the numbers of those that are to be made for their text. gone: how many the text has no longer.
    former: the takes of those.
    """

    chunks: list[ChunkState]
    former: list[list[TakeState]]
    changed: list[int] = field(default_factory=list)
    gone: int = 0


def revised(
    found: Sequence[ChunkState], former: Sequence[list[TakeState]], wanted: Sequence[Chunk], seed: int
) -> Revision:
    """Chunks that were found, brought to the text that is wanted.

    A chunk is known by its speaker and its text, in the order of the text, then wherever it has moved from,
    and from where it was once left out; it keeps its takes and their seeds. One that stands in another's
    place is that chunk corrected: it keeps the takes, and gets one of its own with the same seed. A chunk
    that is new has `seed` and its place in the text, or a seed that no other has.
    """
    plan = _Plan(found, former, wanted)
    plan.match()
    seeds = _Seeds(plan, seed + len(wanted))
    chunks = []
    for index, (chunk, heir) in enumerate(zip(wanted, plan.heirs, strict=True)):
        facts: dict[str, Any] = {"chunk": index + 1, **_facts(chunk)}
        if heir is not None and _said(heir) == _said(chunk):
            chunks.append(heir.model_copy(update=facts))
            continue
        takes = [take for take in heir.takes if take.state != "waiting"] if heir else []
        place = _place_of(chunk, takes)
        if place is None:
            takes.append(seeds.take(chunk, heir.chosen.seed if heir else (seed + index) & MAX_SEED, heir))
        chunks.append(ChunkState(**facts, take=place or len(takes), takes=takes))
    pairs = zip(plan.heirs, chunks, strict=True)
    changed = [now.chunk for heir, now in pairs if heir is None or heir.chosen.file != now.chosen.file]
    return Revision(chunks, plan.left, changed, plan.gone)


class _Seeds:
    """Seeds for takes that are new: no two chunks have the same one, nor two takes the same files."""

    def __init__(self, plan: "_Plan", first_free: int) -> None:
        kept = [take for chunk in plan.heirs if chunk for take in chunk.takes]
        self._used = {take.seed for take in kept}
        self._files = {take.file for take in [*kept, *itertools.chain(*plan.left)]}
        self._free = (number & MAX_SEED for number in itertools.count(first_free))

    def take(self, chunk: Chunk, seed: int, heir: ChunkState | None) -> TakeState:
        """A take of a chunk with this seed, or with another where that will not do."""
        alone = heir is not None
        made = TakeState(text=chunk.text, speaker=chunk.speaker, seed=seed)
        while made.file in self._files or (made.seed in self._used and not alone):
            made.seed, alone = next(self._free), False
        self._used.add(made.seed)
        self._files.add(made.file)
        return made


def _place_of(chunk: Chunk, takes: Sequence[TakeState]) -> int | None:
    """Which of the takes says the chunk's text, from 1; the latest, if there are several."""
    places = [place for place, take in enumerate(takes, 1) if (take.speaker, take.text) == _said(chunk)]
    return places[-1] if places else None


def _facts(chunk: Chunk) -> dict[str, Any]:
    names = ("text", "pause", "speaker", "chapter", "written")
    return {name: getattr(chunk, name) for name in names}


def _said(chunk: ChunkState | Chunk) -> Said:
    return chunk.speaker, chunk.text


class _Plan:
    """Which chunk that was found each wanted one goes on from, in `heirs`; what is left of the others."""

    def __init__(
        self, found: Sequence[ChunkState], former: Sequence[list[TakeState]], wanted: Sequence[Chunk]
    ) -> None:
        self._found = list(found)
        self._former = list(former)
        self._wanted = wanted
        self._free = dict(enumerate(found))  # those that no wanted chunk goes on from
        self.heirs: list[ChunkState | None] = [None] * len(wanted)

    def match(self) -> None:
        before, now = ([_said(chunk) for chunk in chunks] for chunks in (self._found, self._wanted))
        codes = difflib.SequenceMatcher(None, before, now, autojunk=False).get_opcodes()
        for kind, first, last, begin, end in codes:
            if kind == "equal":
                for old, new in zip(range(first, last), range(begin, end), strict=True):
                    self._give(old, new)
        self._moved()
        self._restored()
        for kind, first, last, begin, end in codes:
            if kind == "replace":
                olds = [old for old in range(first, last) if old in self._free]
                for old, new in zip(olds, self._without(range(begin, end)), strict=False):
                    self._give(old, new)

    def _without(self, places: Sequence[int]) -> Iterator[int]:
        return (new for new in places if self.heirs[new] is None)

    def _give(self, old: int, new: int) -> None:
        self.heirs[new] = self._free.pop(old)

    def _moved(self) -> None:
        places: dict[Said, list[int]] = {}
        for old, chunk in self._free.items():
            places.setdefault(_said(chunk), []).append(old)
        for new in self._without(range(len(self.heirs))):
            if places.get(_said(self._wanted[new])):
                self._give(places[_said(self._wanted[new])].pop(0), new)

    def _restored(self) -> None:
        """Chunks that were left out of the text once, and are in it again."""
        for new in self._without(range(len(self.heirs))):
            chunk = self._wanted[new]
            for takes in self._former:
                place = _place_of(chunk, takes)
                if place is not None:
                    self._former.remove(takes)
                    self.heirs[new] = ChunkState(chunk=1, **_facts(chunk), take=place, takes=takes)
                    break

    @property
    def gone(self) -> int:
        return len(self._free)

    @property
    def left(self) -> list[list[TakeState]]:
        """The takes that nobody goes on from, as far as they were made."""
        gone = [[take for take in chunk.takes if take.state != "waiting"] for chunk in self._free.values()]
        return [*self._former, *filter(None, gone)]
