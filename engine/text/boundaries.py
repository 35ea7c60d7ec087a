"""Where a text may be cut: after sentences, clauses and words, but not within tags or after abbreviations.

sentencex finds the sentences. A text here has single spaces. Positions are in ascending order,
0 < position < len(text); the space at a boundary lies before the position.
"""

import re
import unicodedata
from collections.abc import Iterable
from itertools import accumulate

import sentencex

from alrakis.text.pace import TAG

# Abbreviations that do not end a sentence, where sentencex does not know them.
_ABBREVIATIONS = {
    "en": "Ms. approx. Vol.",
    "de": "Abs. inkl. geb.",
    "fr": "M. Mme. Dr. St. Pr.",
    "es": "D.",
    "it": "pag.",
    "pt": "ex. Av. n.º pág.",
    "pl": "m.in. al. tj. ok. św. godz. inż. hab. ww. wg. nr. im. pt.",
    "ru": "е. Е. им. рис. напр.",
    "tr": "Doç. örn. Av. Sn. Alb. bkz.",
    "hi": "डॉ. प्रो. श्री. पं. रु. ई.पू. कि.मी.",
}
_WINDOW = 2000  # characters that sentencex sees at once: its time is quadratic in them
_LYRICS = re.compile("[♪♫][^♪♫]*[♪♫] ?")
_QUOTES = dict.fromkeys(map(ord, '“”„«»‹›「」『』"()（）♪♫'), " ")
_OPENING = "“„«‹「『(（¿¡"
_CJK_COMMA = "[、，；：､][”’」』）]*"
_CLAUSE = re.compile(  # a comma between digits is part of a number
    rf"""[,;:…–][”"'’»›)]*[ ]|—|(?<!\d){_CJK_COMMA}|{_CJK_COMMA}(?!\d)"""
)
_SPACE = re.compile(r"(?<!\.) (?!\d)|(?<![.\d]) ")  # not within "Dr. No" or "1 000"


def sentence_ends(text: str, language: str) -> list[int]:
    """Where sentences end outside quotes, parentheses and lyrics, and where lyrics begin and end."""
    lyrics = [match.span() for match in _LYRICS.finditer(text)]
    edges = [edge for span in lyrics for edge in span]
    return _allowed(text, [*_ends(text, language), *edges], lyrics)


def inner_sentence_ends(text: str, language: str) -> list[int]:
    """Where sentences end, also within quotes, parentheses and lyrics."""
    ends = _ends(text.translate(_QUOTES), language)
    return _allowed(text, [_before_opening(text, end) for end in ends])


def clause_ends(text: str, language: str) -> list[int]:
    """Where clauses end: after commas, semicolons, colons and dashes."""
    return _allowed(text, [match.end() for match in _CLAUSE.finditer(text)])


def middle(text: str) -> int:
    """The best place near the middle of a text of two characters or more.

    That is after a space; in a text without spaces, between two characters as a reader sees them, so not
    before a combining mark. A tag is cut only if there is no other place.
    """
    spaces = [match.end() for match in _SPACE.finditer(text)]
    letters = [i for i in range(1, len(text)) if not _joins(text[i - 1], text[i])]
    for positions in (_allowed(text, spaces), _allowed(text, letters), letters):
        if positions:
            return min(positions, key=lambda i: abs(2 * i - len(text)))
    return len(text) // 2


def _ends(text: str, language: str) -> list[int]:
    abbreviations = tuple(f" {word}" for word in _ABBREVIATIONS.get(language, "").split())
    ends = _segment_ends(text, language)
    return [end for end in ends if not f" {text[max(0, end - 20) : end].rstrip()}".endswith(abbreviations)]


def _segment_ends(text: str, language: str) -> list[int]:
    """Where sentencex ends a segment. It is shown a window at a time, and believed about its first half."""
    ends: list[int] = []
    begin = 0
    while begin < len(text):
        window = text[begin : begin + _WINDOW]
        last = begin + len(window) == len(text)
        found = list(accumulate(len(segment) for segment in sentencex.segment(language, window)))
        if not last:
            found = [end for end in found if end <= _WINDOW // 2] or found[:1]
        ends += [begin + end for end in found if last or end < len(window)]
        begin += len(window) if last else found[-1]
    return ends


def _before_opening(text: str, position: int) -> int:
    """The position moved to before any opening quotes that stand there: they belong to what follows."""
    while position > 0 and (text[position - 1] in _OPENING or text[position - 2 : position] == ' "'):
        position -= 1
    return position


def _allowed(text: str, positions: Iterable[int], spans: Iterable[tuple[int, int]] = ()) -> list[int]:
    """The positions that are within the text, but not within a tag or one of the spans."""
    uncut = [*spans, *(match.span() for match in TAG.finditer(text))]
    inside = {i for begin, end in uncut for i in range(begin + 1, end)}
    return sorted({i for i in positions if 0 < i < len(text)} - inside)


def _joins(left: str, right: str) -> bool:
    """Whether a reader sees the two characters as one."""
    virama = unicodedata.combining(left) == 9
    return virama or unicodedata.category(right)[0] == "M" or "\u200d" in (left, right)
