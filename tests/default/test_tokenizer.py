"""The tokenizer that `load_model` hands out does what transformers' does."""

from pathlib import Path
from typing import Any

import pytest

from alrakis.default.tokenizer import PromptTokenizer
from alrakis.errors import UnsupportedError
from alrakis.text.encoder import BertEncoder
from alrakis.weights.demo.weights import DemoVoice
from tests.checkpoints import write_vocab


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    from transformers import BertTokenizer

    folder: Path = tmp_path_factory.mktemp("vocab")
    write_vocab(folder)
    theirs = BertTokenizer(vocab=str(folder / "vocab.txt"), do_lower_case=False)
    return PromptTokenizer(BertEncoder.from_file(folder / "vocab.txt")), theirs


def test_answers_are_the_originals(both: tuple[Any, Any]) -> None:
    ours, theirs = both
    text = "Hello my name is Suno"
    for options in ({}, {"add_special_tokens": False}, {"add_special_tokens": True}):
        assert ours.encode(text, **options) == theirs.encode(text, **options)
    assert ours(text)["input_ids"] == theirs(text)["input_ids"]
    ids = ours.encode(text)
    assert ours.convert_ids_to_tokens(ids) == theirs.convert_ids_to_tokens(ids)
    assert ours.convert_tokens_to_ids(["the", "name"]) == theirs.convert_tokens_to_ids(["the", "name"])
    for token in ("the", "[UNK]", "nowhere-to-be-found"):
        assert ours.convert_tokens_to_ids(token) == theirs.convert_tokens_to_ids(token)
    assert ours.convert_ids_to_tokens(ids[1]) == theirs.convert_ids_to_tokens(ids[1])
    texts = [text, "Hello"]
    assert ours(texts)["input_ids"] == theirs(texts)["input_ids"]
    assert (
        ours(texts, add_special_tokens=False)["attention_mask"]
        == (theirs(texts, add_special_tokens=False)["attention_mask"])
    )
    for name in ("cls_token", "sep_token", "unk_token", "pad_token", "mask_token"):
        if getattr(theirs, name) in theirs.get_vocab():
            assert getattr(ours, name) == getattr(theirs, name)
            assert getattr(ours, f"{name}_id") == getattr(theirs, f"{name}_id")
    assert ours.tokenize(text) == theirs.tokenize(text)
    assert ours.decode(ids, skip_special_tokens=True) == theirs.decode(ids, skip_special_tokens=True)
    assert (len(ours), ours.vocab_size) == (len(theirs), theirs.vocab_size)


def test_the_demo_voices_has_no_special_tokens() -> None:
    tokenizer = PromptTokenizer(DemoVoice().tokenizer())
    assert tokenizer.encode("hi") == tokenizer.encode("hi", add_special_tokens=False)
    assert "hi" in tokenizer.decode(tokenizer.encode("hi")).replace(" ", "")


@pytest.mark.parametrize(
    "options", [{"return_tensors": "pt"}, {"padding": True}, {"max_length": 3, "truncation": True}]
)
def test_options_that_it_cannot_follow_are_refused(both: tuple[Any, Any], options: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedError, match=f"does not know {', '.join(options)}: "):
        both[0]("Hello", **options)
    with pytest.raises(UnsupportedError, match="not cut and not padded"):
        both[0].encode("Hello", **options)
    assert both[0].encode("Hello", **dict.fromkeys(options)) == both[0].encode("Hello")


def test_what_it_has_not_it_says(both: tuple[Any, Any]) -> None:
    with pytest.raises(UnsupportedError, match="transformers' BertTokenizer reads the same"):
        both[0].save_pretrained("x")
