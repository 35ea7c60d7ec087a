"""A text that was corrected, beside what was read of it: which chunks are kept, and which are made."""

import difflib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

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
    used = {take.seed for chunk in plan.heirs if chunk for take in chunk.takes}
    free = (number & MAX_SEED for number in itertools.count(seed + len(wanted)))
    chunks, changed = [], []
    for index, (chunk, heir) in enumerate(zip(wanted, plan.heirs, strict=True)):
        own = (seed + index) & MAX_SEED
        if heir is None:
            own = own if own not in used else next(number for number in free if number not in used)
            used.add(own)
        state = _brought(index + 1, chunk, heir, own)
        chunks.append(state)
        if heir is None or not _same(heir.chosen, state.chosen):
            changed.append(index + 1)
    return Revision(chunks, plan.left, changed, plan.gone)


def _same(before: TakeState, now: TakeState) -> bool:
    return before is now or before.file == now.file


def _brought(number: int, chunk: Chunk, heir: ChunkState | None, seed: int) -> ChunkState:
    """A chunk's state: what it inherits, and a take of its text as it is now."""
    facts = {"chunk": number, "text": chunk.text, "pause": chunk.pause, "speaker": chunk.speaker}
    own = TakeState(text=chunk.text, speaker=chunk.speaker, seed=heir.chosen.seed if heir else seed)
    if heir is None:
        return ChunkState(**facts, take=1, takes=[own])
    if _said(heir) == (chunk.speaker, chunk.text):
        return heir.model_copy(update=facts)
    takes = [take for take in heir.takes if take.state != "waiting"]
    for place, take in enumerate(takes, 1):
        if (take.speaker, take.text) == (chunk.speaker, chunk.text):
            return ChunkState(**facts, take=place, takes=takes)
    return ChunkState(**facts, take=len(takes) + 1, takes=[*takes, own])


def _said(chunk: ChunkState | Chunk) -> Said:
    return chunk.speaker, chunk.text


class _Plan:
    """Which chunk that was found each wanted one goes on from, in `heirs`; what is left of the others."""

    def __init__(
        self, found: Sequence[ChunkState], former: Sequence[list[TakeState]], wanted: Sequence[Chunk]
    ) -> None:
        self._found = list(found)
        self._former = list(former)
        self._wanted = [_said(chunk) for chunk in wanted]
        self._free = dict(enumerate(found))  # those that no wanted chunk goes on from
        self.heirs: list[ChunkState | None] = [None] * len(wanted)

    def match(self) -> None:
        before = [_said(chunk) for chunk in self._found]
        codes = difflib.SequenceMatcher(None, before, self._wanted, autojunk=False).get_opcodes()
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
            if places.get(self._wanted[new]):
                self._give(places[self._wanted[new]].pop(0), new)

    def _restored(self) -> None:
        """Chunks that were left out of the text once, and are in it again."""
        for new in self._without(range(len(self.heirs))):
            speaker, text = self._wanted[new]
            for takes in self._former:
                places = [i for i, t in enumerate(takes, 1) if (t.speaker, t.text) == (speaker, text)]
                if places:
                    self._former.remove(takes)
                    self.heirs[new] = ChunkState(
                        chunk=1, text=text, pause="", speaker=speaker, take=places[-1], takes=takes
                    )
                    break

    @property
    def gone(self) -> int:
        return len(self._free)

    @property
    def left(self) -> list[list[TakeState]]:
        """The takes that nobody goes on from, as far as they were made."""
        gone = [[take for take in chunk.takes if take.state != "waiting"] for chunk in self._free.values()]
        return [*self._former, *filter(None, gone)]
