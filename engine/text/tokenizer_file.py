"""Reading a `tokenizer.json`: BERT's tokenizer, built from what it says.

The format of the tokenizers library can also hold patterns and replacements, which take as much time and
memory as they like; BERT's has none, and they are refused.
"""

from itertools import groupby
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from tokenizers import AddedToken, Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import WordPiece

from alrakis.files.parsing import first_problem, parse_json

MOST_BYTES = 32 << 20  # that of multilingual BERT has 3 MB
_MOST_IDS = 1 << 24


class _Part(BaseModel):
    model_config = ConfigDict(strict=True)


class _WordPiece(_Part):
    type: Literal["WordPiece"] = "WordPiece"  # files of before 2021 do not say it
    unk_token: str = "[UNK]"
    continuing_subword_prefix: str = "##"
    max_input_chars_per_word: int = Field(default=100, ge=1, le=1000)
    vocab: dict[str, int] = Field(min_length=1)

    @field_validator("vocab", mode="before")
    @classmethod
    def _ids(cls, vocab: Any) -> Any:
        """One mistake, and not one for each id."""
        if isinstance(vocab, dict) and not all(type(i) is int and 0 <= i < _MOST_IDS for i in vocab.values()):
            raise ValueError(f"an id is a whole number from 0 to {_MOST_IDS - 1}")
        return vocab


class _Normalizer(_Part):
    type: Literal["BertNormalizer"]
    clean_text: bool = True
    handle_chinese_chars: bool = True
    strip_accents: bool | None = None
    lowercase: bool = True


class _PreTokenizer(_Part):
    type: Literal["BertPreTokenizer"]


class _Added(_Part):
    content: str = Field(min_length=1, max_length=1000)
    single_word: bool = False
    lstrip: bool = False
    rstrip: bool = False
    normalized: bool = True
    special: bool = False


class _TokenizerFile(_Part):
    added_tokens: list[_Added] = Field(default=[], max_length=1000)
    normalizer: _Normalizer | None = None
    pre_tokenizer: _PreTokenizer | None = None
    model: _WordPiece


def read_tokenizer(content: bytes) -> Tokenizer:
    """The tokenizer of a `tokenizer.json`, which neither cuts nor pads. Raises ValueError unless BERT's."""
    try:
        told = _TokenizerFile.model_validate(parse_json(content))
    except ValidationError as error:
        raise ValueError(first_problem(error.errors(include_url=False))) from None
    model = told.model
    if model.unk_token not in model.vocab:
        raise ValueError(f"its vocabulary has no {model.unk_token!r:.40}")
    tokenizer = Tokenizer(
        WordPiece(
            model.vocab,
            unk_token=model.unk_token,
            max_input_chars_per_word=model.max_input_chars_per_word,
            continuing_subword_prefix=model.continuing_subword_prefix,
        )
    )
    if told.normalizer:
        tokenizer.normalizer = normalizers.BertNormalizer(**told.normalizer.model_dump(exclude={"type"}))
    if told.pre_tokenizer:
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix=model.continuing_subword_prefix)
    for special, tokens in groupby(told.added_tokens, lambda token: token.special):
        add = tokenizer.add_special_tokens if special else tokenizer.add_tokens
        add([AddedToken(**token.model_dump()) for token in tokens])
    return tokenizer
