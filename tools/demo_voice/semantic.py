"""Semantic and text tokens of the demo voice. A semantic token is a phone, its pitch, and a frame in it."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from demo_voice.flite import PITCH_STEP_S, Speech

Ints = np.ndarray[Any, np.dtype[np.int64]]
CONFIG = Path(__file__).parents[2] / "engine" / "weights" / "demo" / "data" / "config.json"
NO_GUIDE = (-1, -1, -1, -1)


@dataclass(frozen=True)
class Ids:
    """The ids of the demo voice, from its `config.json`."""

    config: dict[str, Any]

    @classmethod
    def read(cls, path: Path = CONFIG) -> "Ids":
        return cls(json.loads(path.read_text("utf-8")))

    def __getattr__(self, name: str) -> Any:
        try:
            return self.config[name]
        except KeyError:
            raise AttributeError(f"{CONFIG.name} has no {name}") from None

    @cached_property
    def first(self) -> dict[str, int]:
        """The first id of each phone."""
        first, n = {}, 0
        for phone in self.phones:
            first[phone] = n
            n += self.idx_levels * (1 if phone in self.unvoiced else self.pitch_levels)
        return first

    @cached_property
    def text_ids(self) -> dict[str, int]:
        return {token: number for number, token in enumerate(self.text_vocab)}

    def thresholds(self, speaker: str) -> Ints:
        """The bounds between a speaker's pitch levels, as logarithms of Hz."""
        return np.array(self.config.get("f0_thresholds", {}).get(speaker, self.f0_thresholds_log))

    def tokens(self, text: str) -> tuple[Ints, Ints]:
        """Text ids, offset added, and the position of each in the text: BERT's WordPiece over characters."""
        ids, places, inside = [], [], False
        for place, char in enumerate(text.lower()):
            if not char.isspace():
                within = inside and char.isalnum()  # punctuation is a word of its own
                ids.append(self.text_ids.get(("##" if within else "") + char, 0))
                places.append(place)
            inside = char.isalnum()
        return np.array(ids) + self.text_offset, np.array(places)


def semantic_tokens(speech: Speech, text: str, places: Ints, ids: Ids, speaker: str) -> tuple[Ints, Ints]:
    """Semantic tokens `(S,)`, and the place of each in the text, `(S, 4)`.

    That is the first and the last text token of the letters that it probably comes from, and of its word; -1
    for pauses.
    """
    thresholds, spans = ids.thresholds(speaker), _word_spans(speech.words, text)
    phones_in = np.bincount([phone.word for phone in speech.phones if phone.word >= 0], minlength=len(spans))
    seen = np.zeros(len(spans), np.int64)
    tokens: list[int] = []
    guides: list[tuple[int, int, int, int]] = []
    pitch, begin_s = float(thresholds.mean()), 0.0
    for phone in speech.phones:
        pitch = _log_pitch(speech.pitch_hz, begin_s, phone.end_s, pitch)
        begin_s = phone.end_s
        level = 0 if phone.name in ids.unvoiced else int(np.searchsorted(thresholds, pitch))
        guide = NO_GUIDE
        if phone.word >= 0:
            guide = _guide(spans[phone.word], places, seen[phone.word], phones_in[phone.word])
            seen[phone.word] += 1
        end = max(round(phone.end_s * ids.semantic_rate_hz), len(tokens) + 1)
        frames = np.minimum(np.arange(end - len(tokens)), ids.idx_levels - 1)
        tokens += list(ids.first[phone.name] + level * ids.idx_levels + frames)
        guides += [guide] * len(frames)
    return np.array(tokens), np.array(guides)


def _log_pitch(pitch_hz: Any, begin_s: float, end_s: float, before: float) -> float:
    first = int(begin_s / PITCH_STEP_S)
    voiced = pitch_hz[first : max(int(end_s / PITCH_STEP_S), first + 1)]
    voiced = voiced[voiced > 50]
    return float(np.log(voiced).mean()) if len(voiced) else before


def _word_spans(words: list[str], text: str) -> list[tuple[int, int] | None]:
    """Begin and end of each word in the text; None for a word that is not in the text literally."""
    spans: list[tuple[int, int] | None] = []
    start, lower = 0, text.lower()
    for word in words:
        found = lower.find(word.lower(), start)
        spans.append((found, found + len(word)) if found >= 0 else None)
        start = found + len(word) if found >= 0 else start
    return spans


def _guide(span: tuple[int, int] | None, places: Ints, nth: int, of: int) -> tuple[int, int, int, int]:
    if span is None:
        return NO_GUIDE
    inside = np.nonzero((places >= span[0]) & (places < span[1]))[0]
    if not len(inside):
        return NO_GUIDE
    first, last = int(inside[0]), int(inside[-1])
    center = first + (nth + 0.5) / of * len(inside) - 0.5
    reach = max(1.0, 0.15 * len(inside))
    return max(first, int(np.ceil(center - reach))), min(last, int(np.floor(center + reach))), first, last
