"""AAC and other speeds, piece by piece."""

import io

import av
import numpy as np
import pytest

from alrakis.serve.av_encoders import AacEncoder, Tempo

RATE = 24_000
TONE = (0.5 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE)).astype(np.float32)


@pytest.mark.parametrize("speed", [0.25, 0.5, 0.9, 1.5, 2.0, 4.0])
@pytest.mark.parametrize("piece", [997, 2 * RATE])
def test_the_length_follows_the_speed_and_the_pitch_stays(speed: float, piece: int) -> None:
    tempo = Tempo(speed, RATE)
    parts = [tempo.write(TONE[start : start + piece]) for start in range(0, len(TONE), piece)]
    heard = np.concatenate([*parts, tempo.end()])
    assert len(heard) / RATE == pytest.approx(2 / speed, abs=0.1)
    spectrum = np.abs(np.fft.rfft(heard))
    assert spectrum.argmax() * RATE / len(heard) == pytest.approx(440, abs=5)


def test_nothing_is_nothing() -> None:
    tempo = Tempo(2.0, RATE)
    assert len(tempo.write(TONE[:0])) == len(tempo.end()) == 0
    encoder = AacEncoder(RATE)
    assert encoder.write(TONE[:0]) + encoder.end() == b""


def test_each_part_of_aac_can_be_played() -> None:
    encoder = AacEncoder(RATE)
    parts = [encoder.write(TONE[start : start + 4096]) for start in range(0, len(TONE), 4096)]
    data = b"".join(parts[3:]) + encoder.end()  # as if one had come late
    with av.open(io.BytesIO(data)) as container:
        samples = sum(frame.samples for frame in container.decode(audio=0))
    assert samples > RATE
