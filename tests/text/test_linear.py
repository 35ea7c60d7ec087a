"""Time is linear in the text, whatever the text is: eight times as long takes about eight times as long."""

import time
from collections.abc import Callable

import pytest

from alrakis.text.boundaries import clause_ends, inner_sentence_ends, middle, sentence_ends
from alrakis.text.encoder import normalize_whitespace
from alrakis.text.english.saying import say_in_words
from alrakis.text.pace import expected_s, language_of
from alrakis.text.speakers import split_turns
from alrakis.text.splitting import split_text
from alrakis.weights import open_weights

TIMES = 8
LEAST_S = 0.02  # of CPU: what takes less at the long length cannot be told from noise
# fmt: off
REPEATED = [
    '"', "“", "«", "‘", '"「', "。", "! ", "“a. ", "(", "[a", "[a] ", "♪ ", "a", "A. ", "A ", "Mr. ", "中",
    "e\u0301", "\u200d", "1", "1,", "000,", "1.", "1-", "555-", "$1 ", "1 kg ", "10:10 ", "1 000 ", " ", " -",
    "\n", "\r\n", "\u00a0", "—", "，", ", ", "…", "MAN: ", "MAN: a\n", "a: ", "May 1 ", "1234567 ", "/", "%",
]
WRITTEN = [  # for what reads numbers, addresses and the like
    "1-2-", "a.", "a@", "a.b@", "a-", "http://", "https://a ", "x/", "a/", "1/2 ", "$1M-", "5 ft ", "v1.",
    "1:1", "#", "Jan-", "1st-", "C:\\", "+1 ", "(555) ", "1 - ", "Part X", ".com", "_", "1x", "a.b.",
    '1"', "1'", "IV ", "call 911 ", "$-", "€1,", "x^", "~5 ", "a_", "020 ", "0:", "St. ", "U.S. ", "1e5",
]
# fmt: on
TOKENIZER = open_weights("demo").tokenizer()
SHORT = {"split_text": 500}  # characters; it takes more than the others, which have 2000
READERS: dict[str, Callable[[str], object]] = {
    "say_in_words": say_in_words,
    "encode": TOKENIZER.encode,
    "split_text": lambda text: split_text(f"{text} a", TOKENIZER, language="en"),
    "split_turns": split_turns,
    "sentence_ends": lambda text: sentence_ends(text, "en"),
    "inner_sentence_ends": lambda text: inner_sentence_ends(text, "ja"),
    "clause_ends": lambda text: clause_ends(text, "en"),
    "middle": lambda text: middle(f"{text}aa"),
    "expected_s": lambda text: expected_s(text, language_of(text)),
    "normalize_whitespace": normalize_whitespace,
}


def cpu_s(read: Callable[[str], object], text: str) -> float:
    began = time.process_time()
    read(text)
    return time.process_time() - began


@pytest.mark.parametrize("reader", READERS)
def test_time_grows_as_the_text_does(reader: str) -> None:
    read, short = READERS[reader], SHORT.get(reader, 2000)
    read("1")  # imports
    for repeated in [*REPEATED, *(WRITTEN if reader == "say_in_words" else [])]:
        text = (repeated * short * TIMES)[: short * TIMES]
        long_s = cpu_s(read, text)
        if long_s < LEAST_S or long_s < 3 * TIMES * cpu_s(read, text[:short]):
            continue
        short_s = max(cpu_s(read, text[:short]) for _ in range(3))  # once more: something else was at work
        assert min(long_s, cpu_s(read, text)) < 3 * TIMES * short_s, repeated
