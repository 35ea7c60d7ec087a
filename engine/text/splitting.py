"""Splitting a long text into chunks that Bark can say: at most 256 text tokens and 13 seconds each.

    chunks = split_text(text, engine.tokenizer, language="de", max_s=13.0, cast={"MAN", "WOMAN"})
    for chunk in chunks:
        chunk.text      what to say, white space normalised
        chunk.pause     the boundary that follows: "none", "clause", "sentence", "turn", "paragraph",
                        "scene", "end"
        chunk.speaker   who says it, from a label such as `MAN:`; None before the first label
        chunk.seconds   expected length
        chunk.chapter   of a book, from 1
        chunk.written   the text as it was written, where it is said in other words; else None

Nothing that can be said is lost: the chunks' texts, joined, are the text up to white space. Left out are the
labels of speakers in `cast`, and signs with nothing to say, such as `* * *`, where they stand alone: a line
of them is a break between scenes. The weights' tokenizer knows what signs alone mean to them.

A text is first cut into turns, scenes and paragraphs; a chunk never spans two. A paragraph is then cut into
sentences; a sentence that is too long is cut at the ends of sentences within quotes and lyrics, then of
clauses, and at last in the middle, if possible between words. The chunks are made of these pieces.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from alrakis.errors import InputError
from alrakis.spec import TEXT_TOKENS
from alrakis.text.boundaries import clause_ends, inner_sentence_ends, middle, sentence_ends
from alrakis.text.encoder import MAX_WORD_CHARS, TextEncoder, check_text, normalize_whitespace
from alrakis.text.pace import CHARS_A_SECOND, expected_s, language_of
from alrakis.text.speakers import split_turns
from alrakis.voices import SUPPORTED_LANGS

Pause = Literal["none", "clause", "sentence", "turn", "paragraph", "scene", "end"]

_PAUSES = get_args(Pause)

MAX_S = 13.0  # Bark's README: "roughly 13 seconds", beyond which speech gets worse

_LINE = re.compile(r"\r\n?|[\n\f\u2029]")
_PARAGRAPH = re.compile(r"(?:\r\n?|\n)[^\S\r\n]*(?:\r\n?|\n)|[\f\u2029]")
_SEPARATORS = r"\s!-/:-@\[-`{-~\u2010-\u2027\u2030-\u205e\u3000-\u303f\u3400-\u9fff\uff00-\uff0f"
_LONG_WORD = re.compile(rf"[^{_SEPARATORS}]{{{MAX_WORD_CHARS + 1},}}")


@dataclass(frozen=True, repr=False)
class Chunk:
    """A part of a text that is said at once; the fields are explained at the head of this module."""

    text: str
    pause: Pause
    speaker: str | None
    seconds: float
    chapter: int = 1
    written: str | None = None

    def __repr__(self) -> str:
        said = f"{self.text[:40]}..." if len(self.text) > 43 else self.text
        speaker = f", speaker {self.speaker!r}" if self.speaker else ""
        return f"<Chunk {said!r}: about {self.seconds:.1f} s, then {self.pause!r}{speaker}>"


def split_text(
    text: str,
    encoder: TextEncoder,
    *,
    language: str | None = None,
    max_s: float = MAX_S,
    pack_s: float | None = None,
    cast: Collection[str] = (),
) -> list[Chunk]:
    """The chunks of a text, in order.

    encoder: the tokenizer of the weights.
    language: one of Bark's codes; None chooses by the script, English for Latin letters.
    max_s, pack_s: the longest expected length of a chunk, and of a chunk of several sentences (None: max_s).
    cast: speakers whose labels are not said, because each has a voice.
    Raises InputError for a text that `check_text` refuses or that has nothing to say, and for a language that
    Bark does not speak.
    """
    check_text(text)
    language = check_language(language) or language_of(text)
    splitter = _Splitter(encoder, language, max_s, min(max_s, pack_s or max_s))
    chunks: list[Chunk] = []
    for turn in split_turns(text, cast):
        said = turn.text if turn.speaker in cast else f"{turn.label} {turn.text}"
        scenes = _scenes(said, encoder)
        for scene in scenes:
            for paragraph in filter(None, map(normalize_whitespace, _PARAGRAPH.split(scene))):
                chunks += splitter.chunks(paragraph, turn.speaker)
                _end(chunks, "paragraph")
            _end(chunks, "scene")
        if scenes[-1].strip():
            _end(chunks, "turn")
    chunks = _without_signs(chunks, encoder)
    if not chunks:
        raise InputError(f"there is nothing to say in {normalize_whitespace(text)!r:.80}: give a word")
    _end(chunks, "end")
    return chunks


def _end(chunks: list[Chunk], pause: Pause) -> None:
    """Let a pause follow the last chunk, if there is one."""
    chunks[-1:] = [replace(chunk, pause=pause) for chunk in chunks[-1:]]


def _scenes(text: str, encoder: TextEncoder) -> list[str]:
    """The parts of a text between lines with nothing to say; the lines themselves are left out."""
    scenes, begin, line = [], 0, 0
    for end, following in [*(match.span() for match in _LINE.finditer(text)), (len(text), len(text))]:
        if text[line:end].strip() and not _is_said(text[line:end], encoder):
            scenes.append(text[begin:line])
            begin = following
        line = following
    return [*scenes, text[begin:]]


def _without_signs(chunks: Sequence[Chunk], encoder: TextEncoder) -> list[Chunk]:
    """The chunks that have something to say; what follows the others follows the chunk before them."""
    said: list[Chunk] = []
    for chunk in chunks:
        if _is_said(chunk.text, encoder):
            said.append(chunk)
        elif said:
            _end(said, max(said[-1].pause, chunk.pause, key=_PAUSES.index))
    return said


def _is_said(text: str, encoder: TextEncoder) -> bool:
    return any(map(str.isalnum, text)) or encoder.says_signs(text)


def check_language(language: str | None) -> str | None:
    """The language as given. Raises InputError if it is neither None nor one of Bark's."""
    if language is not None and language not in CHARS_A_SECOND:
        codes = {name.casefold(): code for name, code in SUPPORTED_LANGS}
        meant = codes.get(str(language).casefold())
        hint = f"; did you mean {meant!r}?" if meant else ""
        known = ", ".join(f"{code} ({name})" for name, code in SUPPORTED_LANGS)
        raise InputError(f"no language {language!r}{hint}; Bark speaks {known}")
    return language


@dataclass(frozen=True)
class _Cut:
    """A kind of boundary: the pause there, and the cost of ending a chunk there."""

    pause: Pause
    cost: float


# Each cost outweighs what fewer chunks would save: a chunk ends at a finer boundary only where it must.
_LEVELS = (
    (sentence_ends, _Cut("sentence", 0)),
    (inner_sentence_ends, _Cut("sentence", 10)),
    (clause_ends, _Cut("clause", 100)),
)
_END = _LEVELS[0][1]
_FORCED = _Cut("none", 0)  # a chunk ends here in any case


@dataclass(frozen=True)
class _Piece:
    """A part of a paragraph, its expected length and text tokens, and the boundary that follows it."""

    text: str
    seconds: float
    tokens: int
    after: _Cut


@dataclass(frozen=True)
class _Splitter:
    """Splits paragraphs into chunks within the limits."""

    encoder: TextEncoder
    language: str
    max_s: float
    pack_s: float

    def chunks(self, paragraph: str, speaker: str | None) -> Iterator[Chunk]:
        """The chunks of a paragraph, which has single spaces."""
        run: list[_Piece] = []
        for piece in self._pieces(paragraph, _END):
            run.append(piece)
            if piece.after is _FORCED:
                yield from self._pack(run, speaker)
                run = []
        yield from self._pack(run, speaker)

    def _pieces(self, text: str, after: _Cut, level: int = 0) -> Iterator[_Piece]:
        """The pieces of a text: sentences, and the parts of sentences that do not fit into a chunk."""
        if len(text) < 2 or (level > 0 and self._fits(text.strip())):
            yield _Piece(text, expected_s(text, self.language), len(self.encoder.encode(text)), after)
            return
        if level < len(_LEVELS):
            find, cut = _LEVELS[level]
            positions = find(text, self.language)
        else:
            cut, positions = _FORCED, [middle(text)]
        begin = 0
        for end in positions:
            yield from self._pieces(text[begin:end], cut, level + 1)
            begin = end
        yield from self._pieces(text[begin:], after, level + 1)

    def _fits(self, text: str) -> bool:
        return (
            expected_s(text, self.language) <= self.max_s
            and not _LONG_WORD.search(text)
            and len(self.encoder.encode(text)) <= TEXT_TOKENS
        )

    def _pack(self, pieces: Sequence[_Piece], speaker: str | None) -> Iterator[Chunk]:
        """Put pieces together into chunks: few, of similar length, ending where that costs least."""
        best, starts = [0.0], [0]  # for the first n pieces: the least cost, and where their last chunk starts
        for n in range(1, len(pieces) + 1):
            cost, start = min(
                (best[start] + 1 + max(0.0, 1 - seconds / self.pack_s) ** 2, start)
                for start, seconds in self._last_chunks(pieces, n)
            )
            best.append(cost + pieces[n - 1].after.cost)
            starts.append(start)
        for start, end in _ranges(starts):
            text = "".join(piece.text for piece in pieces[start:end]).strip()
            if text:  # a forced cut may leave a lone space
                yield Chunk(text, pieces[end - 1].after.pause, speaker, expected_s(text, self.language))

    def _last_chunks(self, pieces: Sequence[_Piece], n: int) -> Iterator[tuple[int, float]]:
        """Where the last chunk of the first n pieces can start, and its length in seconds."""
        seconds, tokens, limit_s = 0.0, 0, self.max_s
        for start in range(n - 1, -1, -1):
            piece = pieces[start]
            seconds, tokens = seconds + piece.seconds, tokens + piece.tokens
            if start < n - 1:
                limit_s = self.pack_s if piece.after.pause == "sentence" else limit_s
                if seconds > limit_s or tokens > TEXT_TOKENS:
                    return
            yield start, seconds


def _ranges(starts: Sequence[int]) -> list[tuple[int, int]]:
    """Start and end of each chunk: from the last one back, each ends where the next one starts."""
    ranges = []
    end = len(starts) - 1
    while end:
        ranges.append((starts[end], end))
        end = starts[end]
    return ranges[::-1]
