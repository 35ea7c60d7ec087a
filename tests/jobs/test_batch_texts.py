"""The files that a batch is read from: what is in them, and which line is wrong."""

import contextlib
import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis.errors import InputError
from alrakis.jobs.batch_texts import MOST_ROWS, BatchItem, read_items


def items(content: str, name: str = "t.jsonl") -> list[BatchItem]:
    return read_items(content, name, ".wav")


def test_a_jsonl_file() -> None:
    first, second = items(
        '{"text": "Hello", "id": "a", "voice": "v2/en_speaker_1", "seed": 7, "lang": "en"}\n\n'
        '{"text": "You\u2028there", "file": "x.flac", "seed": null}\r\n'
    )
    assert (first.id, first.file, first.voice, first.seed, first.lang) == (
        "a", "a.wav", "v2/en_speaker_1", 7, "en",
    )  # fmt: skip
    assert (second.line, second.id, second.file, second.text, second.seed) == (
        3, "0003", "x.flac", "You\u2028there", None,
    )  # fmt: skip


def test_a_csv_file() -> None:
    first, second = items('id,text,seed\na,"Hello,\nyou",5\n\n,Bye,\n', "t.csv")
    assert (first.id, first.text, first.seed, first.line) == ("a", "Hello,\nyou", 5, 2)
    assert (second.id, second.text, second.seed) == ("0005", "Bye", None)


def test_a_csv_file_may_have_long_texts() -> None:
    text = "word " * 100_000
    (item,) = items(f"text\n{text}\n", "t.csv")
    assert item.text == text


def test_a_text_file_has_a_text_a_line() -> None:
    assert [(item.id, item.text) for item in items("Hello\r\n\n  Bye", "t.txt")] == [
        ("0001", "Hello"),
        ("0003", "Bye"),
    ]


@given(st.lists(st.text().filter(str.strip), min_size=1))
def test_any_text_comes_through_jsonl(texts: list[str]) -> None:
    content = "".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts)
    assert [item.text for item in items(content)] == texts


@given(st.text(), st.sampled_from(["t.jsonl", "t.csv", "t.txt"]))
def test_any_content_is_read_or_refused(content: str, name: str) -> None:
    with contextlib.suppress(InputError):
        assert items(content, name)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("t.jsonl", "", "t.jsonl is empty"),
        ("t.csv", "text\n", "t.csv is empty"),
        ("t.txt", " \n", "t.txt is empty"),
        ("t.doc", "a", "must end in .jsonl, .csv, .txt"),
        ("t.jsonl", '{"text":"a"}\n{"text": }', "line 2 is no JSON: Expecting value (column 10)"),
        ("t.jsonl", "[" * 100_000, "line 1"),
        ("t.jsonl", '["a"]', "line 1 must be an object"),
        ("t.jsonl", '{"id": "a"}', "line 1: there is no 'text'"),
        ("t.jsonl", '{"text": "a", "voise": "b"}', "'voise'; did you mean 'voice'"),
        ("t.jsonl", '{"text": "a", "line": 3}', "unknown field 'line'"),
        ("t.jsonl", '{"text": 3}', "text 3: input should be a valid string"),
        ("t.jsonl", '{"text": "\\ud800"}', "half of a surrogate pair"),
        ("t.jsonl", '{"text": "a", "seed": -1}', "seed -1"),
        ("t.jsonl", '{"text": "a", "id": "../b"}', "no slash"),
        ("t.jsonl", '{"text": "a", "id": ""}', "names a file"),
        ("t.jsonl", '{"text":"a","id":"x"}\n{"text":"b","id":"X"}', "lines 1 and 2 have the same id, 'X'"),
        ("t.jsonl", '{"text":"a","id":"x"}\n{"text":"b","file":"x.wav"}', "the same file, 'x.wav'"),
        ("t.csv", "id,txt\na,b", "no column `text`"),
        ("t.csv", "text,text\na,b", "a column twice"),
        ("t.csv", "text,seed\na,b", "line 2: a seed is a whole number, not 'b'"),
        ("t.csv", "text,id\na,b\nc\n", "line 3 has 1 cells; the header has 2"),
        ("t.csv", 'text\nok\n"a', "line 3 is no CSV"),
        ("t.csv", "text\n" + "," * 2_000_000, "a row with more than 1000000 commas"),
        ("t.csv", "text\n" + '"\n",' * 1_500_000, "a row with more than 1000000 commas"),
        ("t.txt", "\n" * 3_000_000, "more than 2000000 lines"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(name: str, content: str, told: Any) -> None:
    with pytest.raises(InputError) as error:
        items(content, name)
    assert told in str(error.value)


ROW = '{{"text": "This is line {0} of it", "id": "row-{0}", "voice": "v2/en_speaker_6"}}'.format


@pytest.mark.parametrize(
    ("name", "first", "line"),
    [("t.jsonl", "{", ROW), ("t.txt", "", "Line {}".format), ("t.csv", "text", "Line {}".format)],
)
def test_rows_are_counted_before_one_is_believed(name: str, first: str, line: Callable[[int], str]) -> None:
    with pytest.raises(InputError, match="more than 100000 rows"):
        items("\n".join([first, *map(line, range(MOST_ROWS + 1))]), name)


def test_a_large_file_is_refused_with_little_memory() -> None:
    content = "\n".join([*map(ROW, range(MOST_ROWS - 1)), '{"text": 3}'])
    tracemalloc.start()
    with pytest.raises(InputError, match="line 100000"):
        items(content)
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most_bytes < 120 << 20  # 210 MB when items were models


def test_keys_of_a_row_are_counted_before_they_are_checked() -> None:
    with pytest.raises(InputError, match="line 1 cannot be read: it has a table of 10001 keys"):
        items(json.dumps({"text": "a", **{f"k{i}": [] for i in range(10_000)}}))
