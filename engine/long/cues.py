"""When each chunk of a long text is heard: cues, for subtitles."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from alrakis.listening.loud import loud_span
from alrakis.marks.subtitles import Cue, Word
from alrakis.sampling import FloatArray
from alrakis.text.splitting import Chunk

FLOOR_DB = -40.0  # below the loudest frame of a chunk: what is softer is not heard as speech

Align = Callable[[FloatArray, int, str], Sequence[Word]]  # audio, its rate and what it says: its words' times


class CueTrack:
    """Cues of audio that goes by, piece by piece. align: finds each word; without, only chunks have times."""

    def __init__(self, rate_hz: int, align: Align | None = None) -> None:
        self._rate_hz = rate_hz
        self._align = align
        self._length = 0
        self.cues: list[Cue] = []

    def add(self, chunk: Chunk, audio: FloatArray) -> None:
        """A chunk's audio as it stands in the joined audio, pause included."""
        cue = cue_of(chunk.written or chunk.text, chunk.speaker, audio, self._rate_hz, self._align)
        if cue is not None:
            self.cues.append(cue.later(self._length / self._rate_hz))
        self._length += len(audio)


def cue_of(
    text: str, speaker: str | None, audio: FloatArray, rate_hz: int, align: Align | None = None
) -> Cue | None:
    """The cue of some audio that says a text, from its first sound to its last; None for silence."""
    begin, end = loud_span(audio, rate_hz, FLOOR_DB)
    if begin == end:
        return None
    begin_s, end_s = begin / rate_hz, end / rate_hz
    words = _within(align(audio, rate_hz, text), begin_s, end_s) if align is not None else ()
    return Cue(text, begin_s, end_s, speaker, words)


def _within(words: Sequence[Word], begin_s: float, end_s: float) -> tuple[Word, ...]:
    """Words that are said within a sound, and begin and end with it: a recogniser hears some in silence."""
    kept = [
        Word(word.text, min(max(word.begin_s, begin_s), end_s), min(max(word.end_s, begin_s), end_s))
        for word in words
    ]
    if kept:
        kept[0] = replace(kept[0], begin_s=begin_s)
        kept[-1] = replace(kept[-1], end_s=end_s)
    return tuple(kept)
