"""Audio in the formats of OpenAI's interface: whole, or bytes as they come.

WAV, FLAC and MP3 go back to mend their headers when they end. A stream cannot: WAV's header declares the
largest length, FLAC's an unknown one, and MP3 has a constant bit rate, from which readers know its length.
"""

import os
from typing import Any, Protocol

import numpy as np

from alrakis.audio import pcm16, wav_header
from alrakis.sampling import FloatArray
from alrakis.serve.asked import Format

CONTENT_TYPES: dict[Format, str] = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
_KINDS: dict[Format, tuple[str, str]] = {
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "opus": ("OGG", "OPUS"),
    "flac": ("FLAC", "PCM_16"),
    "wav": ("WAV", "PCM_16"),
}
MP3_STREAM: dict[str, Any] = {"bitrate_mode": "CONSTANT", "compression_level": 0.5}  # 80 kbit/s
_BLOCK_SAMPLES = 1 << 15


class Encoder(Protocol):
    """Takes samples in -1..1, float32 `(N,)`, and gives the bytes that are ready."""

    def write(self, samples: FloatArray) -> bytes: ...

    def end(self) -> bytes:
        """What is left. Nothing is written after it."""


def open_encoder(format: Format, rate_hz: int, *, stream: bool) -> Encoder:
    """An encoder of mono audio. stream: bytes are sent as they come; otherwise `end` gives all of them.

    Raises ApiError for aac where PyAV is not installed.
    """
    if format == "aac":
        from alrakis.serve.av_encoders import AacEncoder

        return AacEncoder(rate_hz)
    if format == "pcm":
        return _Pcm(b"")
    if format == "wav" and stream:
        return _Pcm(wav_header(rate_hz))
    return _SoundFile(format, rate_hz, stream)


class _Pcm:
    """Signed 16-bit little-endian samples, after a header."""

    def __init__(self, header: bytes) -> None:
        self._header = header

    def write(self, samples: FloatArray) -> bytes:
        header, self._header = self._header, b""
        return header + (pcm16(samples) if len(samples) else b"")

    def end(self) -> bytes:
        header, self._header = self._header, b""
        return header


class _SoundFile:
    """libsndfile, on a file in memory."""

    def __init__(self, format: Format, rate_hz: int, stream: bool) -> None:
        import soundfile

        container, subtype = _KINDS[format]
        constant = MP3_STREAM if format == "mp3" and stream else {}
        self._stream = stream
        self._sink = _Sink(stream)
        self._file = soundfile.SoundFile(self._sink, "w", rate_hz, 1, subtype, format=container, **constant)

    def write(self, samples: FloatArray) -> bytes:
        for start in range(0, len(samples), _BLOCK_SAMPLES):  # libopus and libvorbis put it on the stack
            self._file.write(np.clip(samples[start : start + _BLOCK_SAMPLES], -1, 1))
        return self._sink.take() if self._stream else b""

    def end(self) -> bytes:
        self._file.close()
        return self._sink.take()


class _Sink:
    """The file that libsndfile writes to. Of a stream, what was sent is kept no more, and not mended."""

    def __init__(self, stream: bool) -> None:
        self._stream = stream
        self._begin = 0  # of what is kept
        self._kept = bytearray()
        self._at = 0

    def take(self) -> bytes:
        taken = bytes(self._kept)
        self._begin += len(taken)
        self._kept.clear()
        return taken

    def write(self, data: Any) -> int:
        data = bytes(data)
        place = self._at - self._begin
        if place >= 0:
            self._kept[place : place + len(data)] = data
        self._at += len(data)
        return len(data)

    def read(self, count: int) -> bytes:
        place = max(0, self._at - self._begin)
        data = bytes(self._kept[place : place + count])
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._begin + len(self._kept)}[whence]
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at


def encode(format: Format, samples: FloatArray, rate_hz: int) -> bytes:
    """A whole file."""
    encoder = open_encoder(format, rate_hz, stream=False)
    return encoder.write(samples) + encoder.end()
