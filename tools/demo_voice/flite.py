"""flite through ctypes: speech of a text with its phones, pitch and the words they belong to.

Debian's `flite1-dev` brings the libraries (`apt-get install flite1-dev`).
"""

import ctypes
import ctypes.util
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

PITCH_STEP_S = 0.005  # flite's statistical voices have a frame of parameters every 5 ms

_STRINGS = {  # functions of libflite that do not give back a pointer
    "item_feat_string": ctypes.c_char_p,
    "item_feat_float": ctypes.c_float,
    "feat_present": ctypes.c_int,
    "delete_utterance": None,
}
_POINTERS = (
    "flite_synth_text utt_wave utt_relation relation_head item_next item_parent item_as feat_val val_track"
)


class _Wave(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_char_p),
        ("sample_rate", ctypes.c_int),
        ("num_samples", ctypes.c_int),
        ("num_channels", ctypes.c_int),
        ("samples", ctypes.POINTER(ctypes.c_short)),
    ]


class _Track(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_char_p),
        ("num_frames", ctypes.c_int),
        ("num_channels", ctypes.c_int),
        ("times", ctypes.POINTER(ctypes.c_float)),
        ("frames", ctypes.POINTER(ctypes.POINTER(ctypes.c_float))),
    ]


class _Utterance(ctypes.Structure):
    _fields_ = [("features", ctypes.c_void_p)]  # the first field is all that is read


@dataclass(frozen=True)
class Phone:
    """One phone: its name, when it ends, and which word of the text it belongs to (-1: none)."""

    name: str
    end_s: float
    word: int


@dataclass(frozen=True)
class Speech:
    """What flite made of a text."""

    samples: np.ndarray[Any, np.dtype[np.int16]]
    sample_rate_hz: int
    pitch_hz: np.ndarray[Any, np.dtype[np.float32]]  # every 5 ms, 0 where it is unvoiced
    phones: list[Phone]
    words: list[str]  # without their punctuation


class Flite:
    """One of flite's voices: `slt` (female) or `rms` (male). Raises OSError where flite is not installed."""

    def __init__(self, voice: str) -> None:
        self._flite = ctypes.CDLL("libflite.so.1", mode=ctypes.RTLD_GLOBAL)
        for name in ("usenglish", "cmulex"):
            ctypes.CDLL(f"libflite_{name}.so.1", mode=ctypes.RTLD_GLOBAL)
        register = getattr(ctypes.CDLL(f"libflite_cmu_us_{voice}.so.1"), f"register_cmu_us_{voice}")
        register.restype = ctypes.c_void_p
        for name in _POINTERS.split():
            getattr(self._flite, name).restype = ctypes.c_void_p
        for name, result in _STRINGS.items():
            getattr(self._flite, name).restype = result
        self._flite.flite_init()
        self._voice = ctypes.c_void_p(register(None))

    def speak(self, text: str) -> Speech:
        flite = self._flite
        utterance = ctypes.c_void_p(flite.flite_synth_text(text.encode(), self._voice))
        try:
            wave = _Wave.from_address(flite.utt_wave(utterance))
            words: list[str] = []
            numbers: dict[Any, int] = {}
            for item in self._items(utterance, b"Token"):
                numbers[item.value] = len(words)
                words.append(flite.item_feat_string(item, b"name").decode())
            return Speech(
                np.ctypeslib.as_array(wave.samples, (wave.num_samples,)).copy(),
                wave.sample_rate,
                self._pitch(utterance),
                [self._phone(item, numbers) for item in self._items(utterance, b"Segment")],
                words,
            )
        finally:
            flite.delete_utterance(utterance)

    def _items(self, utterance: ctypes.c_void_p, relation: bytes) -> Iterator[ctypes.c_void_p]:
        item = self._flite.relation_head(ctypes.c_void_p(self._flite.utt_relation(utterance, relation)))
        while item:
            yield ctypes.c_void_p(item)
            item = self._flite.item_next(ctypes.c_void_p(item))

    def _phone(self, segment: ctypes.c_void_p, numbers: dict[Any, int]) -> Phone:
        flite = self._flite
        name = flite.item_feat_string(segment, b"name").decode()
        end_s = flite.item_feat_float(segment, b"end")
        item = flite.item_as(segment, b"SylStructure")
        for _ in range(2):  # phone, syllable, word
            item = flite.item_parent(ctypes.c_void_p(item)) if item else None
        token = flite.item_as(ctypes.c_void_p(item), b"Token") if item else None
        token = flite.item_parent(ctypes.c_void_p(token)) if token else None
        return Phone(name, end_s, numbers.get(token, -1))

    def _pitch(self, utterance: ctypes.c_void_p) -> np.ndarray[Any, np.dtype[np.float32]]:
        features = ctypes.c_void_p(_Utterance.from_address(utterance.value or 0).features)
        if not self._flite.feat_present(features, b"param_track"):
            raise RuntimeError("this voice of flite tells no pitch; use slt or rms")
        value = ctypes.c_void_p(self._flite.feat_val(features, b"param_track"))
        track = _Track.from_address(self._flite.val_track(value))
        return np.array([track.frames[i][0] for i in range(track.num_frames)], np.float32)
