"""Texts to train on, of clear licence: WordNet's examples and definitions, SCOWL's words, own templates.

From Debian's `wordnet-base` (WordNet 3.0 licence) and `scowl` (permissive; the used levels are of public
domain lists). Whatever shares four words in a row with a held-out sentence is left out.
"""

import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from demo_voice import templates

WORDNET = Path("/usr/share/wordnet")
SCOWL = Path("/usr/share/dict/scowl")
HERE = Path(__file__).parent
HELD_OUT = ("dev_sentences.txt", "long_sentences.txt", "number_sentences.txt")
LEVELS = {10: 5, 20: 3, 35: 2}  # SCOWL's levels, common words first, and how often each is drawn from
MAX_CHARS = 150

_SPOKEN = re.compile(r"[A-Za-z][A-Za-z ,.!?;:'\-]*")
_LINKS = (", and ", ", but ", " because ", ", so ", " while ", ". ", ". ", "; ", ", then ", " when ", ", ")


class Corpus:
    """Draws texts without end; equal seeds draw equal texts. Raises FileNotFoundError without the lists."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._examples, self._definitions = wordnet_texts()
        self._words = {level: scowl_words(level) for level in LEVELS}
        self._held_out = held_out_runs()

    def texts(self) -> Iterator[str]:
        draws: dict[Callable[[], str], int] = {
            self._one: 14,
            self._joined: 44,
            self._definition: 8,
            self._word_list: 11,
            self._template: 23,
        }
        while True:
            (draw,) = self._random.choices(list(draws), list(draws.values()))
            text = draw()
            if speakable(text) and not (runs(text) & self._held_out):
                yield text

    def _example(self) -> str:
        return self._random.choice(self._examples)

    def _one(self) -> str:
        return self._ended(self._example())

    def _joined(self) -> str:
        """Two or more parts, so that sentences of 4 to 10 s are common."""
        parts = [self._example() for _ in range(self._random.choice((2, 2, 3, 3, 4)))]
        if self._random.random() < 0.3:
            parts[self._random.randrange(len(parts))] = templates.sentence(self._random).rstrip(".?!")
        text = parts[0]
        for part in parts[1:]:
            link = self._random.choice(_LINKS)
            text += link + (part[0].upper() + part[1:] if link == ". " else part)
        return self._ended(text)

    def _definition(self) -> str:
        word, definition = self._random.choice(self._definitions)
        verb = self._random.choice((" is ", " means ", ", ", " or "))
        return self._ended(word + verb + definition if self._random.random() < 0.5 else definition)

    def _word_list(self) -> str:
        """Words in no order: every common word is met in other company."""
        levels = self._random.choices(list(LEVELS), list(LEVELS.values()), k=self._random.randint(1, 14))
        glue = self._random.choice((" ", " ", ", "))
        return self._ended(glue.join(self._random.choice(self._words[level]) for level in levels))

    def _template(self) -> str:
        wanted = self._random.choice((1, 1, 1, 2, 2, 3))
        return " ".join(templates.sentence(self._random) for _ in range(wanted))

    def _ended(self, text: str) -> str:
        text = text[0].upper() + text[1:]
        return text if text[-1] in ".?!" else text + self._random.choice((".", ".", ".", ".", "!", "?", ""))


def wordnet_texts() -> tuple[list[str], list[tuple[str, str]]]:
    """Example sentences, and pairs of a word and its definition."""
    examples: set[str] = set()
    definitions: set[tuple[str, str]] = set()
    for kind in ("noun", "verb", "adj", "adv"):
        for line in (WORDNET / f"data.{kind}").read_text("utf-8").splitlines():
            if line.startswith("  "):  # the licence
                continue
            data, _, gloss = line.partition(" | ")
            word = re.sub(r"\(.*\)", "", data.split()[4]).replace("_", " ").lower()
            examples.update(cleaned(text) for text in re.findall(r'"([^"]+)"', gloss))
            definition = cleaned(re.sub(r"\([^)]*\)", " ", gloss.split('"')[0].split(";")[0]))
            definitions.add((word, definition))
    return (
        sorted(text for text in examples if speakable(text) and len(text.split()) > 2),
        sorted(
            pair for pair in definitions if speakable(pair[0]) and speakable(pair[1]) and len(pair[1]) < 110
        ),
    )


def scowl_words(level: int) -> list[str]:
    found = set()
    for name in ("english-words", "american-words"):
        found.update((SCOWL / f"{name}.{level}").read_text("latin-1").split())
    return sorted(word for word in found if re.fullmatch("[a-z]{2,14}", word))


def cleaned(text: str) -> str:
    text = text.replace("`", "'").replace("--", ", ").strip(" ;:,.-'")
    return re.sub(r"\s+", " ", re.sub(r"\s+([,.!?;:])", r"\1", text))


def speakable(text: str) -> bool:
    """Words of letters with a vowel, few capitals, and not too long."""
    words = text.split()
    return (
        4 <= len(text) <= MAX_CHARS
        and _SPOKEN.fullmatch(text) is not None
        and not re.search(r"[A-Z]{2}|[A-Z]\.|[,.!?;:'-]{2}|(^|[ -])'|'( |$)", text)
        and all(len(word) < 18 and re.search("[aeiouyAEIOUY]", word) for word in words)
    )


def plain_words(text: str) -> list[str]:
    return re.findall("[a-z0-9]+", text.lower().replace("'", ""))


def runs(text: str, length: int = 4) -> set[tuple[str, ...]]:
    words = plain_words(text)
    return {tuple(words[i : i + length]) for i in range(len(words) - length + 1)}


def held_out_runs() -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    for name in HELD_OUT:
        for part in re.split(r"[\n\t]", (HERE / name).read_text("utf-8")):
            found |= runs(part)
    return found
