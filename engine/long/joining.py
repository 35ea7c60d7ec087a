"""Chunks of audio made ready to follow each other: edges trimmed and faded, loudness evened, pauses between.

Every part is a config value, and off at 0 (`loudness_lufs`: at None).
"""

import numpy as np

from alrakis.config import Config
from alrakis.errors import BackendError
from alrakis.listening.loud import loud_span
from alrakis.sampling import FloatArray

KEPT_S = 0.04  # silence that stays at an edge: a sound's beginning may be softer than the floor
PEAK = 0.99  # evened audio is never louder
LOUDNESS_BLOCK_S = 0.4  # of ITU-R BS.1770; shorter audio is measured as one block


def finish(audio: FloatArray, rate_hz: int, config: Config) -> FloatArray:
    """One chunk's audio `(N,)` with silence cut off its edges, loudness evened, and edges faded.

    Raises BackendError when loudness is to be evened and pyloudnorm is not installed.
    """
    if config.trim_silence_db < 0:
        audio = trim_silence(audio, rate_hz, config.trim_silence_db)
    if config.loudness_lufs is not None:
        audio = even_loudness(audio, rate_hz, config.loudness_lufs)
    return fade_edges(audio, round(config.fade_s * rate_hz))


def pause_after(boundary: str, rate_hz: int, config: Config) -> FloatArray:
    """The silence for a boundary between chunks: `clause`, `sentence`, `turn`, `paragraph`, `scene`."""
    seconds = {
        "clause": config.pause_clause_s,
        "sentence": config.pause_sentence_s,
        "turn": config.pause_turn_s,
        "paragraph": config.pause_paragraph_s,
        "scene": config.pause_scene_s,
    }
    return np.zeros(round(seconds.get(boundary, 0.0) * rate_hz), np.float32)


def trim_silence(audio: FloatArray, rate_hz: int, floor_db: float) -> FloatArray:
    """Audio without its silent edges: frames that are floor_db (below 0) softer than the loudest one.

    40 ms of an edge stay. Audio that is silent altogether becomes empty.
    """
    begin, end = loud_span(audio, rate_hz, floor_db)
    if begin == end:
        return audio[:0]
    kept = round(KEPT_S * rate_hz)
    return audio[max(0, begin - kept) : end + kept]


def fade_edges(audio: FloatArray, length: int) -> FloatArray:
    """Audio that comes up from nothing over `length` samples and goes back; at most half of it each."""
    length = min(length, len(audio) // 2)
    if length == 0:
        return audio
    rise = np.sin(np.linspace(0, np.pi / 2, length, endpoint=False, dtype=np.float32)) ** 2
    faded = audio.copy()
    faded[:length] *= rise
    faded[-length:] *= rise[::-1]
    return faded


def even_loudness(audio: FloatArray, rate_hz: int, target_lufs: float) -> FloatArray:
    """Audio at a loudness in LUFS (ITU-R BS.1770), or as near as its peaks allow; silence stays silence.

    Raises BackendError when pyloudnorm is not installed.
    """
    try:
        import pyloudnorm
    except ImportError:
        raise BackendError(
            "loudness_lufs needs pyloudnorm: pip install 'alrakis[loudness]', or leave loudness_lufs out"
        ) from None
    peak = float(np.abs(audio).max(initial=0.0))
    if peak == 0.0:
        return audio
    block_s = min(LOUDNESS_BLOCK_S, len(audio) / rate_hz)
    loudness = pyloudnorm.Meter(rate_hz, block_size=block_s).integrated_loudness(audio.astype(np.float64))
    if not np.isfinite(loudness):  # all of it is below the gate of -70 LUFS
        return audio
    gain = min(10 ** ((target_lufs - loudness) / 20), PEAK / peak)
    return audio * np.float32(gain)
