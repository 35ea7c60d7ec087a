"""The distance between log-mel spectra."""

import numpy as np
import pytest

from alrakis.bench.measure.log_mel import BANDS, log_mel_db, log_mel_distance_db

RATE_HZ = 24_000
NOISE = np.random.default_rng(0).standard_normal(RATE_HZ).astype(np.float32)


def test_equal_sounds_have_no_distance() -> None:
    assert log_mel_distance_db(NOISE, NOISE, RATE_HZ) == 0
    assert log_mel_distance_db(NOISE, np.append(NOISE, NOISE), RATE_HZ) == 0  # the longer one is cut


def test_half_the_amplitude_is_6_db() -> None:
    assert log_mel_distance_db(NOISE, NOISE / 2, RATE_HZ) == pytest.approx(20 * np.log10(2), rel=1e-4)


def test_a_tone_is_in_the_band_of_its_pitch() -> None:
    times_s = np.arange(RATE_HZ) / RATE_HZ
    low, high = (log_mel_db(np.sin(2 * np.pi * hz * times_s), RATE_HZ).mean(0).argmax() for hz in (300, 3000))
    assert low < high < BANDS


def test_a_short_sound_is_padded() -> None:
    assert log_mel_db(NOISE[:10], RATE_HZ).shape == (1, BANDS)
