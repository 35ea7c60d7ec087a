"""The demo voice's text encoder: English with numbers in words, encoded letter by letter."""

import re
import unicodedata
from collections.abc import Sequence

from alrakis.errors import InputError
from alrakis.text.encoder import BertEncoder, check_unicode
from alrakis.text.english.saying import say_in_words

# Frequent words of other languages and of English, enough to tell the language of a sentence.
_FOREIGN = {
    "German": "der die das und ist nicht ich sie ein eine mit auf für wir zu den dem von",
    "French": "le la les et est un une je vous nous pas dans pour que qui des du au avec",
    "Spanish": "el la los las y es un una yo que no en por para con del mi su se está",
    "Italian": "il lo la gli e è un una io non che per con di del sono mi si nel alla",
    "Portuguese": "o os as e é um uma eu não que por para com do da em no na se está",
    "Polish": "i w na z nie to jest się że do jak ja ty on co za po",
    "Turkish": "ve bir bu da de için ile çok ben sen ne mi değil var yok",
}
_ENGLISH = (
    "the a an and is are was were i you he she it we they of to in on at for with that this not be have has "
    "my your his her do does did what where will would can no so as by from but all me"
)
_LEAST_WORDS = 2  # of another language in a text that is taken for it
_CHARS_A_SECOND = 14.5  # with numbers in words; the pace of flite, which the voice was trained on


class DemoEncoder:
    """Text ids of the demo voice. Characters outside its vocabulary are skipped."""

    def __init__(self, vocab: Sequence[str], longest_s: float) -> None:
        """longest_s: the longest speech that the voice was trained on."""
        self._longest_s = longest_s
        self._bert = BertEncoder.from_vocab(vocab, lowercase=True)
        self._known = {token for token in vocab if len(token) == 1}

    def encode(self, text: str) -> list[int]:
        """Ids of `text`, with numbers and abbreviations in words. Raises InputError if it is not text."""
        check_unicode(text)
        return self._bert.encode(self._spoken(say_in_words(text)))

    def says_signs(self, text: str) -> bool:
        """Never: this voice was taught words alone."""
        return False

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids."""
        return self._bert.decode(ids)

    @property
    def vocab(self) -> dict[str, int]:
        """The id of each token."""
        return self._bert.vocab

    def remarks(self, text: str) -> list[str]:
        """What the user should know before this text is said; empty for plain English.

        Raises InputError if it is not text, or if no letter of it can be said.
        """
        check_unicode(text)
        said, words = [], say_in_words(text)
        if not any(char.isalpha() for char in self._spoken(words)):
            raise InputError(f"the demo voice can say nothing of {text!r:.80}: it knows English letters only")
        skipped = list(dict.fromkeys(char for char in words if not self._say(char)))
        if skipped:
            shown = " ".join(skipped[:10]) + (f" and {len(skipped) - 10} more" if len(skipped) > 10 else "")
            said.append(f"the demo voice has no sound for {shown}: skipped")
        language = foreign_language(text)
        if language:
            said.append(f"this text looks like {language}; the demo voice speaks English only")
        seconds = len(words) / _CHARS_A_SECOND
        if seconds > self._longest_s:
            said.append(
                f"this text takes about {seconds:.0f} s to say, and the demo voice loses its way after "
                f"{self._longest_s:.0f} s: split it, as `alrakis read` and `generate_long` do"
            )
        return said

    def _spoken(self, text: str) -> str:
        """What is said of it; marks on letters go, some of which are newer than the tokenizer."""
        return "".join(char for char in text if self._say(char) and not unicodedata.combining(char))

    def _say(self, char: str) -> bool:
        """Whether a character is white space or, without accents, in the vocabulary."""
        if char.isspace():
            return True
        base = [
            part for part in unicodedata.normalize("NFD", char.lower()) if not unicodedata.combining(part)
        ]
        return all(part in self._known for part in base)


def foreign_language(text: str) -> str | None:
    """The likely language of a text if not English, by its script and its frequent words."""
    letters = [char for char in text if char.isalpha()]
    if sum("LATIN" not in unicodedata.name(char, "") for char in letters) * 2 > len(letters):
        return "a language in another script"
    words = set(re.findall(r"[^\W\d_]+", text.lower()))
    english = len(words & set(_ENGLISH.split()))
    counts = {name: len(words & set(common.split())) for name, common in _FOREIGN.items()}
    name, count = max(counts.items(), key=lambda item: item[1])
    return name if count >= max(_LEAST_WORDS, english + 1) else None
