"""How many words are wrong: numbers count as right both in digits and in words."""

import re
import unicodedata
from collections.abc import Sequence

from alrakis.text.english.saying import say_in_words
from alrakis.text.pace import TAG

BY_LETTER = ("zh", "ja")  # languages whose words have no spaces between them: letters are compared
_LETTER_NAMES = {"ay em": "am", "a m": "am", "pee em": "pm", "p m": "pm", "you ess": "us", "u s": "us"}


def word_error_rate(said: Sequence[str], heard: str, language: str) -> float:
    """Wrong, missing and added words over the words that should have been heard; the best of some readings.

    said: what should have been said, in one or more spellings.
    """
    heard_as = _readings(heard, language)
    rates = []
    for text in said:
        for wanted in _readings(text, language):
            for words in heard_as:
                rates.append(distance(wanted, words) / max(1, len(wanted)))
    return min(rates)


def _readings(text: str, language: str) -> list[list[str]]:
    words = words_of(text, language)
    readings = [words, _joined(words)]
    if language == "en":
        readings.append(words_of(say_in_words(TAG.sub(" ", text)), language))
    return readings


def _joined(words: Sequence[str]) -> list[str]:
    """Words with numbers that follow each other as one: who hears 9:30 may write 930."""
    joined: list[str] = []
    for word in words:
        if joined and word.isdigit() and joined[-1].isdigit():
            joined[-1] += word
        else:
            joined.append(word)
    return joined


def words_of(text: str, language: str) -> list[str]:
    """The words of a text without case, punctuation and tags."""
    plain = unicodedata.normalize("NFKC", TAG.sub(" ", text)).casefold().replace("’", "'")
    if language in BY_LETTER:
        return [char for char in plain if char.isalnum()]
    words = " ".join(re.findall(r"[^\W_]+(?:'[^\W_]+)*", plain))
    for spelled, letters in _LETTER_NAMES.items():
        words = re.sub(rf"\b{spelled}\b", letters, words)
    return words.split()


def distance(wanted: Sequence[str], heard: Sequence[str]) -> int:
    """The fewest words to change, add and take away (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for number, word in enumerate(wanted, 1):
        before, row[0] = row[0], number
        for place, other in enumerate(heard, 1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (word != other))
    return row[-1]
