"""Text to token ids: BERT's tokenizer, and the padded ids that the text model takes.

Source of the behaviour: `bark/generation.py` (`_tokenize`, `_normalize_whitespace`, the head of
`generate_text_semantic`), which uses transformers' `BertTokenizer`. This builds the same tokenizer with the
`tokenizers` library, so transformers is not needed.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from tokenizers import AddedToken, Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import WordPiece

from alrakis.errors import InputError, WeightsError, WeightsNotFoundError
from alrakis.files.parsing import read_file, reason
from alrakis.sampling import IntArray
from alrakis.spec import TEXT_TOKENS, Layout
from alrakis.text.tokenizer_file import MOST_BYTES, read_tokenizer

UNKNOWN = "[UNK]"
_SPECIAL = ("[PAD]", UNKNOWN, "[CLS]", "[SEP]", "[MASK]")
MAX_WORD_CHARS = 100  # BERT replaces a longer word by [UNK]
_SUNG_OR_HESITATED = ("♪", "♫", "...", "…")  # what signs alone mean to Bark, by its README


class TextEncoder(Protocol):
    """A tokenizer: text to ids of its own vocabulary."""

    def encode(self, text: str) -> list[int]:
        """Ids of `text`, without special tokens, before the layout's offset is added."""

    def says_signs(self, text: str) -> bool:
        """Whether a text without a letter or digit is something to say, such as "♪" or "..." to Bark."""


class BertEncoder:
    """BERT's WordPiece tokenizer."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._unknown_id = tokenizer.token_to_id(UNKNOWN)

    @classmethod
    def from_vocab(
        cls, lines: Sequence[str], *, lowercase: bool, source: str = "vocabulary"
    ) -> "BertEncoder":
        """A tokenizer in which token i is `lines[i]`; `source` names the vocabulary in messages.

        Special tokens that the vocabulary has ([MASK], [SEP], ...) are recognised in a text. Raises
        WeightsError for a vocabulary that is empty, lacks [UNK] or has a token twice.
        """
        vocab = _numbered(lines, source)
        tokenizer = Tokenizer(
            WordPiece(vocab, unk_token=UNKNOWN, max_input_chars_per_word=MAX_WORD_CHARS),
        )
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        tokenizer.decoder = decoders.WordPiece()
        tokenizer.add_special_tokens(
            [AddedToken(token, special=True, normalized=False) for token in _SPECIAL if token in vocab]
        )
        return cls(tokenizer)

    @classmethod
    def from_file(cls, path: str | Path, *, lowercase: bool = False) -> "BertEncoder":
        """Read a `vocab.txt`: UTF-8, one token per line. Raises WeightsError."""
        try:
            text = read_file(path).decode("utf-8")
        except FileNotFoundError:
            raise WeightsNotFoundError(f"no vocabulary at {path}: a vocab.txt of BERT is needed") from None
        except (OSError, ValueError) as error:
            raise WeightsError(
                f"{path} is not a readable vocabulary (UTF-8, a token a line): {reason(error)}"
            ) from None
        lines = (
            text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        )  # lines end at \n only: tokens may hold U+2028
        while lines and not lines[-1]:
            lines.pop()
        return cls.from_vocab(lines, lowercase=lowercase, source=str(path))

    @classmethod
    def from_tokenizer_json(cls, path: str | Path) -> "BertEncoder":
        """Read a `tokenizer.json` as transformers writes it for BERT. Raises WeightsError."""
        try:
            tokenizer = read_tokenizer(read_file(path, MOST_BYTES))
        except FileNotFoundError:
            raise WeightsNotFoundError(f"no tokenizer at {path}") from None
        except (OSError, ValueError) as error:
            raise WeightsError(f"{path} is not a tokenizer.json of BERT's: {reason(error)}") from None
        if tokenizer.token_to_id(UNKNOWN) is None:
            raise WeightsError(f"{path} has no {UNKNOWN} token, so it is not a tokenizer of BERT")
        return cls(tokenizer)

    def encode(self, text: str) -> list[int]:
        """Ids of `text`, without special tokens. Raises InputError if it is not Unicode text."""
        check_unicode(text)
        return self._tokenizer.encode(text, add_special_tokens=False).ids

    def says_signs(self, text: str) -> bool:
        """Whether Bark makes something of a text without letters: it sings at notes and hesitates at dots."""
        return any(sign in text for sign in _SUNG_OR_HESITATED)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of `ids`, as far as the vocabulary preserves it. Raises InputError for invalid ids."""
        try:
            return self._tokenizer.decode([int(i) for i in ids], skip_special_tokens=False)
        except (OverflowError, TypeError, ValueError):
            raise InputError(f"token ids are whole numbers of at least 0, not {ids!r}") from None

    @property
    def vocab(self) -> dict[str, int]:
        """The id of each token."""
        return self._tokenizer.get_vocab()

    def unknown(self, text: str) -> list[str]:
        """The words of `text` that become [UNK], each once, in order."""
        check_unicode(text)
        encoded = self._tokenizer.encode(text, add_special_tokens=False)
        words = (
            text[start:end]
            for token, (start, end) in zip(encoded.ids, encoded.offsets, strict=True)
            if token == self._unknown_id
        )
        return list(dict.fromkeys(words))


def bert_tokenizer(path: Path) -> TextEncoder:
    """Bark's tokenizer, cased, from a `vocab.txt` or a `tokenizer.json`. Raises WeightsError."""
    if path.suffix == ".json":
        return BertEncoder.from_tokenizer_json(path)
    return BertEncoder.from_file(path, lowercase=False)


def _numbered(lines: Sequence[str], source: str) -> dict[str, int]:
    if not lines:
        raise WeightsError(f"{source} is empty; a vocabulary has one token a line")
    vocab: dict[str, int] = {}
    for i, token in enumerate(lines):
        if not isinstance(token, str) or not _is_unicode(token):
            raise WeightsError(f"{source} holds {token!r}, which is not text, as number {i}")
        if token in vocab:
            raise WeightsError(f"{source} has the token {token!r} twice, as number {vocab[token]} and {i}")
        vocab[token] = i
    if UNKNOWN not in vocab:
        raise WeightsError(f"{source} has no {UNKNOWN} token, so it is not a vocabulary of BERT")
    return vocab


def check_unicode(text: str) -> None:
    """Raises InputError for what is no str, or has half of a surrogate pair."""
    if not isinstance(text, str):
        raise InputError(f"a text must be a str, not {type(text).__name__}: {text!r:.80}")
    if not _is_unicode(text):
        raise InputError(
            f"the text holds half of a surrogate pair: {text!a:.80}; it was decoded wrongly, read it as UTF-8"
        )


def _is_unicode(text: str) -> bool:
    """False if the text has surrogates, which UTF-8 cannot encode."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def normalize_whitespace(text: str) -> str:
    """Each run of white space as one space, none at the ends (`bark.generation._normalize_whitespace`)."""
    return re.sub(r"\s+", " ", text).strip()


def check_text(text: str) -> str:
    """The text with white space normalised. Raises InputError if it is empty or not Unicode text."""
    check_unicode(text)
    text = normalize_whitespace(text)
    if not text:
        raise InputError("the text is empty; give at least one word to say")
    return text


def encode_text(encoder: TextEncoder, text: str, layout: Layout) -> tuple[IntArray, float]:
    """The text ids of a text model's prefix, `(256,)` int64: the layout's offset added, cut or padded.

    Also returns the share of the text's tokens that was cut off, 0.0 if none (`generate_text_semantic`).
    Raises InputError for a text that `check_text` refuses, WeightsError if an id is too large for the layout.
    """
    ids = encoder.encode(check_text(text))
    out = np.full(TEXT_TOKENS, layout.text_pad, np.int64)
    kept = ids[:TEXT_TOKENS]
    out[: len(kept)] = np.array(kept, np.int64) + layout.text_offset
    if kept and max(kept) + layout.text_offset >= layout.text_pad:
        raise WeightsError(
            f"the tokenizer gives id {max(kept)}, but this text model knows only "
            f"{layout.text_pad - layout.text_offset} ids of text: use the vocabulary it was trained with"
        )
    return out, max(0, len(ids) - TEXT_TOKENS) / max(1, len(ids))
