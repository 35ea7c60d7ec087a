"""A `tokenizer.json` is BERT's or refused: nothing in it runs, and nothing in it costs much."""

import json
from typing import Any

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from alrakis.text.tokenizer_file import read_tokenizer

VOCAB = {"[UNK]": 0, "[PAD]": 1, "hello": 2, "##s": 3, "H": 4, "##i": 5, "[MASK]": 6}


def bert(**changes: Any) -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(VOCAB, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(**changes)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(["[MASK]"])
    tokenizer.add_tokens(["<new>"])
    return tokenizer


@pytest.mark.parametrize("changes", [{}, {"lowercase": False}, {"lowercase": False, "strip_accents": True}])
def test_what_the_library_writes_is_read_as_it_reads_it(changes: dict[str, Any]) -> None:
    wanted = bert(**changes)
    found = read_tokenizer(wanted.to_str().encode())
    for text in ("hellos Hi, hello", "[MASK]hello <new>", "Héllo " + "a" * 200, "hello\0", ""):
        assert found.encode(text).ids == wanted.encode(text).ids
    assert found.decode([2, 3, 4]) == wanted.decode([2, 3, 4]) or wanted.decoder is None


def changed(**parts: Any) -> bytes:
    return json.dumps({**json.loads(bert().to_str()), **parts}).encode()


DEEP: Any = {"type": "Sequence", "normalizers": []}
for _ in range(20):
    DEEP = {"type": "Sequence", "normalizers": [DEEP]}
DOUBLING = {"type": "Replace", "pattern": {"String": "a"}, "content": "aa"}


@pytest.mark.parametrize(
    "content",
    [
        changed(normalizer={"type": "Sequence", "normalizers": [DOUBLING] * 64}),
        changed(normalizer=DEEP),
        changed(pre_tokenizer={"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated"}),
        changed(model={"type": "WordLevel", "vocab": VOCAB, "unk_token": "[UNK]"}),
        changed(model={"type": "WordPiece", "vocab": {**VOCAB, "x": 10**30}}),
        changed(model={"type": "WordPiece", "vocab": {**VOCAB, "x": -1}}),
        changed(model={"type": "WordPiece", "vocab": {**VOCAB, "x": 1.5}}),
        changed(model={"type": "WordPiece", "vocab": {f"{i}": "x" for i in range(400_000)}}),
        changed(model={"type": "WordPiece", "vocab": ["a"]}),
        changed(model={"type": "WordPiece", "vocab": {"a": 1}}),
        changed(model={"type": "WordPiece", "vocab": VOCAB, "max_input_chars_per_word": 10**9}),
        changed(added_tokens=[{"content": ""}]),
        changed(added_tokens=[{"content": f"<{i}>"} for i in range(2000)]),
        changed(added_tokens=[{"content": "x" * 2000}]),
        changed(added_tokens={}),
        b"[" * 100_000,
        b"{}",
        b"",
        b"\xff",
    ],
)
def test_what_is_not_berts_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w") as error:
        read_tokenizer(content)
    assert "\n" not in str(error.value)


def test_files_of_before_models_had_a_type_are_read() -> None:
    content = json.loads(bert().to_str())
    del content["model"]["type"]
    assert read_tokenizer(json.dumps(content).encode()).encode("hello").ids == [2]
