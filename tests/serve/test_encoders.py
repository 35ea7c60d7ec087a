"""Formats: what is sent decodes while it arrives and as a whole, with libsndfile and with FFmpeg."""

import io
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import av
import numpy as np
import pytest
import soundfile

from alrakis.serve.asked import FORMATS, Format
from alrakis.serve.encoders import encode, open_encoder

RATE = 24_000
SECONDS = 3.0
LATE_S = {"mp3": 0.15, "opus": 0.05, "aac": 0.15}  # that an encoder adds


def tone(seconds: float = SECONDS) -> Any:
    return (0.5 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * RATE)) / RATE)).astype(np.float32)


def streamed(form: Format, samples: Any, piece: int = 7001) -> list[bytes]:
    encoder = open_encoder(form, RATE, stream=True)
    parts = [encoder.write(samples[start : start + piece]) for start in range(0, len(samples), piece)]
    return [*parts, encoder.end()]


def by_ffmpeg(data: bytes, form: Format) -> Any:
    with av.open(io.BytesIO(data), format={"pcm": "s16le"}.get(form), options=raw(form)) as container:
        stream = container.streams.audio[0]
        resampler = av.AudioResampler("flt", "mono", RATE)
        frames = [one for frame in container.decode(stream) for one in resampler.resample(frame)]
        return np.concatenate([frame.to_ndarray()[0] for frame in frames])


def raw(form: Format) -> dict[str, str]:
    return {"sample_rate": str(RATE), "ch_layout": "mono"} if form == "pcm" else {}


def by_libsndfile(data: bytes, form: Format) -> Any:
    kind: dict[str, Any] = {}
    if form == "pcm":
        kind = {"format": "RAW", "subtype": "PCM_16", "samplerate": RATE, "channels": 1, "endian": "LITTLE"}
    with soundfile.SoundFile(io.BytesIO(data), **kind) as file:
        audio = np.concatenate(list(blocks(file)))
        return audio if file.samplerate == RATE else audio[:: file.samplerate // RATE]


def blocks(file: soundfile.SoundFile) -> Iterator[Any]:
    """By libsndfile alone: the package seeks after each block, which FLAC of unknown length cannot."""
    while True:
        block = np.zeros(4096, np.float32)
        place = soundfile._ffi.cast("float*", block.ctypes.data)
        count = soundfile._snd.sf_readf_float(file._file, place, len(block))
        if count <= 0:
            return
        yield block[:count]


READERS = [by_ffmpeg, by_libsndfile]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("stream", [True, False])
def test_the_whole_decodes(form: Format, read: Any, stream: bool) -> None:
    if form == "aac" and read is by_libsndfile:
        return
    data = b"".join(streamed(form, tone())) if stream else encode(form, tone(), RATE)
    heard = read(data, form)
    assert len(heard) / RATE == pytest.approx(SECONDS, abs=LATE_S.get(form, 0.0) + 1e-6)
    middle = heard[RATE : 2 * RATE]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.05)
    spectrum = np.abs(np.fft.rfft(middle))
    assert spectrum.argmax() == 440


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("read", READERS)
def test_half_of_a_stream_decodes(form: Format, read: Any) -> None:
    if form == "aac" and read is by_libsndfile:
        return
    parts = streamed(form, tone())
    data = b"".join(parts[: len(parts) // 2])
    heard = read(data, form)
    assert SECONDS / 4 < len(heard) / RATE < SECONDS * 0.6
    assert np.abs(np.fft.rfft(heard[: RATE // 2])).argmax() == 220


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_written_is_sent_soon(form: Format) -> None:
    encoder = open_encoder(form, RATE, stream=True)
    assert len(encoder.write(tone(2.0))) > 0
    encoder.end()


@pytest.mark.parametrize("form", FORMATS)
def test_loud_samples_are_clipped_not_wrapped(form: Format) -> None:
    loud = 3 * np.sign(tone(0.5))
    heard = by_ffmpeg(encode(form, loud, RATE), form)
    assert np.abs(heard).max() > 0.9
    assert (np.sign(heard[2000:8000]) != 0).mean() > 0.9


@pytest.mark.parametrize("form", FORMATS)
def test_pieces_may_be_empty_or_single_samples(form: Format) -> None:
    samples = tone(0.2)
    encoder = open_encoder(form, RATE, stream=True)
    sizes = [0, 1, 2, 1000, 0, len(samples) - 1003, 0]
    parts, at = [], 0
    for size in sizes:
        parts.append(encoder.write(samples[at : at + size]))
        at += size
    data = b"".join([*parts, encoder.end()])
    assert len(by_ffmpeg(data, form)) / RATE == pytest.approx(0.2, abs=0.16)


def test_a_long_piece_does_not_end_the_process() -> None:
    """libvorbis and libopus put what is written at once on the stack."""
    assert len(encode("opus", tone(60.0), RATE)) > 10_000


def test_aac_without_pyav_is_refused_with_the_extra() -> None:
    program = """
import sys
sys.modules["av"] = None
from alrakis.serve.av_encoders import check_av
from alrakis.serve.problems import ApiError
try:
    check_av("response_format", "aac")
except ApiError as error:
    print(error.status, error, error.detail.param)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "400 aac needs PyAV" in done.stdout, done.stderr
    assert "alrakis[formats]" in done.stdout
