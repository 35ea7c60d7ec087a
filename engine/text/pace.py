"""Estimating how many seconds a text takes to say, from its characters and its language."""

import re

TAG = re.compile(r"\[[^\[\]\n]{1,40}\]")  # [laughs], [clears throat]
TAG_S = 1.5  # a guess

# Characters per second, white space and punctuation included. English: the demo voice said 8 sentences at
# 15.7, rounded down. The others relative to English: espeak-ng at one tempo, reading the first article of the
# Universal Declaration of Human Rights (Japanese from kana). Chinese, which espeak-ng reads word by word:
# from 5.18 syllables per second without pauses (Pellegrino, Coupé, Marsico 2011). No pace is set above
# English: a chunk that is too short does less harm than one that is cut off. Bark's was not measured.
CHARS_A_SECOND = {
    "de": 14.5,
    "en": 15.0,
    "es": 14.0,
    "fr": 15.0,
    "hi": 12.5,
    "it": 14.0,
    "ja": 5.3,
    "ko": 5.7,
    "pl": 12.0,
    "pt": 13.0,
    "ru": 15.0,
    "tr": 11.5,
    "zh": 4.0,
}
DIGIT_S = 0.45  # espeak-ng, English numbers of 4 and 5 digits, scaled the same way

_SCRIPTS = (
    ("ja", re.compile("[\u3040-\u30ff\uff66-\uff9f]")),
    ("ko", re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]")),
    ("hi", re.compile("[\u0900-\u097f]")),
    ("ru", re.compile("[\u0400-\u052f]")),
    ("zh", re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")),
)


def language_of(text: str) -> str:
    """The code of Bark's language whose script most of the letters are in; "en" for Latin letters."""
    letters = sum(char.isalpha() for char in text)
    for language, script in _SCRIPTS:
        if 2 * len(script.findall(text)) > letters * (0.2 if language == "ja" else 1):
            return language
    return "en"


def expected_s(text: str, language: str) -> float:
    """Roughly how many seconds a text takes to say; language is one of Bark's codes."""
    spoken = TAG.sub("", text)
    digits = sum(char.isdigit() for char in spoken)
    tags = len(TAG.findall(text))
    return (len(spoken) - digits) / CHARS_A_SECOND[language] + DIGIT_S * digits + TAG_S * tags
