"""Which voice says a chunk, so that a long text stays in one voice for each of its speakers."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Literal, get_args

from alrakis.errors import InputError
from alrakis.voices import Voice

Steady = Literal["voice", "chain"]
Recall = Callable[[int], Voice | None]


def check_steady(steady: str) -> None:
    """Raises InputError for what is no way of staying steady."""
    if steady not in get_args(Steady):
        raise InputError(f"steady must be {' or '.join(map(repr, get_args(Steady)))}, not {steady!r}")


class SteadyVoices:
    """The voice of each chunk, and which chunks can be made now.

    speakers: who says chunk i. given: voices by speaker; a speaker who is not in it is said by whatever voice
    his first chunk that speaks comes out in (with `voice`), or begins without one (with `chain`). With
    `chain` each chunk goes on from the speaker's chunk before it. done: chunks that need not be made.
    recall: the result of such a chunk as a voice, None if it is silent.
    """

    def __init__(
        self,
        speakers: Sequence[str | None],
        given: Mapping[str | None, Voice | None],
        steady: Steady,
        *,
        done: Collection[int] = (),
        recall: Recall = lambda index: None,
    ) -> None:
        check_steady(steady)
        self._speakers = speakers
        self._given = dict(given)
        self._chain = steady == "chain"
        self._done = set(done)
        self._recall = recall
        self._last: dict[str | None, tuple[int, Voice]] = {}  # chunk and voice that a speaker had last
        self._before = _before(speakers)

    def ready(self, index: int) -> bool:
        """Whether the voice of a chunk is known by now."""
        before = self._before[index]
        fixed = self._speakers[index] in self._given and not self._chain
        return fixed or before is None or before in self._done

    def voice(self, index: int) -> Voice | None:
        """The voice of a chunk that is ready."""
        speaker = self._speakers[index]
        before = self._before[index] if self._chain else None
        while before is not None:
            last, voice = self._last.get(speaker, (-1, None))
            found = voice if last == before else self._recall(before)
            if found is not None:
                return found
            before = self._before[before]
        return self._given.get(speaker)

    def finish(self, index: int, voice: Voice | None) -> None:
        """A chunk has been made: its result as a voice, None if it is silent."""
        self._done.add(index)
        speaker = self._speakers[index]
        if voice is None:
            return
        if self._chain:
            self._last[speaker] = index, voice
        else:
            self._given.setdefault(speaker, voice)


def _before(speakers: Sequence[str | None]) -> list[int | None]:
    """For each chunk the one before it of the same speaker."""
    latest: dict[str | None, int] = {}
    before = []
    for index, speaker in enumerate(speakers):
        before.append(latest.get(speaker))
        latest[speaker] = index
    return before
