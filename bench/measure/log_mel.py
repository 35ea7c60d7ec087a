"""How different two sounds are to the ear: the distance between their log-mel spectra."""

import numpy as np
from scipy.signal import get_window

from alrakis.sampling import FloatArray

WINDOW, HOP, BANDS = 1024, 256, 80
FLOOR = 1e-5  # amplitude of a band: about 60 dB below speech


def log_mel_distance_db(a: FloatArray, b: FloatArray, rate_hz: int) -> float:
    """The root mean square of the difference over all bands and frames, in dB; 0 for equal sounds.

    a, b: samples `(T,)`; the longer of the two is cut.
    """
    length = min(len(a), len(b))
    difference = log_mel_db(a[:length], rate_hz) - log_mel_db(b[:length], rate_hz)
    return float(np.sqrt(np.mean(np.square(difference))))


def log_mel_db(samples: FloatArray, rate_hz: int) -> FloatArray:
    """The mel spectrum in dB, `(frames, BANDS)`, of samples `(T,)`; short ones are padded to a window."""
    padded = np.pad(samples, (0, max(0, WINDOW - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    spectrum = np.abs(np.fft.rfft(frames * get_window("hann", WINDOW))) / WINDOW
    return 20 * np.log10(np.maximum(spectrum @ mel_filters(rate_hz).T, FLOOR))


def mel_filters(rate_hz: int) -> FloatArray:
    """Triangular filters, evenly spaced in mel, over the bins of a spectrum: `(BANDS, WINDOW / 2 + 1)`."""
    bins_hz = np.fft.rfftfreq(WINDOW, 1 / rate_hz)
    top_mel = 2595 * np.log10(1 + rate_hz / 2 / 700)
    edges_hz = 700 * (10 ** (np.linspace(0, top_mel, BANDS + 2) / 2595) - 1)
    low, middle, high = (edges_hz[i : BANDS + i, None] for i in range(3))
    rising, falling = (bins_hz - low) / (middle - low), (high - bins_hz) / (high - middle)
    return np.maximum(0, np.minimum(rising, falling))
