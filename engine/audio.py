"""Writing audio files whose tags say what they were made from.

The extension chooses the format. wav and flac hold 16-bit samples: every player takes them, they are half the
size of floats, and their rounding (-98 dB) lies far below the noise of EnCodec at 6 kbit/s.

libsndfile writes the tags of wav, flac and ogg. For mp3 it writes UTF-8 but declares Latin-1, so `id3_tag`
makes the tag instead. It reads at most 2 kB of each tag of a wav, so longer values are shortened there.
"""

import importlib.util
import io
import os
import struct
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
import numpy.typing as npt

from alrakis.audio_tags import tag_fields
from alrakis.errors import GenerationError, InputError, OutputError
from alrakis.files.sink import Sink
from alrakis.files.writing import check_writable, real_path, replace_file, replacing
from alrakis.marks.flac import copy_flac
from alrakis.marks.id3 import id3_tag
from alrakis.marks.mark import Mark, marks_at, vorbis_comments
from alrakis.marks.ogg import copy_ogg

_FORMATS = {
    ".wav": ("WAV", "PCM_16"),
    ".flac": ("FLAC", "PCM_16"),
    ".ogg": ("OGG", "VORBIS"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
}
BOOK = ".m4b"  # written by PyAV
_RATES_HZ = range(8_000, 192_001)  # libvorbis and LAME crash at some others
_BLOCK_SAMPLES = 1 << 16  # libvorbis puts what is written at once on the stack
_WAV_TAG_BYTES = 2000


def check_output(path: str | os.PathLike[str], *, book: bool = False) -> Path:
    """The absolute path, if audio can be written there; call it before anything is generated.

    book: `save_pieces` is to write it, which knows m4b as well.
    Raises OutputError for an extension that names no format, and for a place that cannot be written.
    """
    if not book or Path(os.fsdecode(path)).suffix.lower() != BOOK:
        _format(path)
    elif importlib.util.find_spec("av") is None:
        raise OutputError(
            f"{os.fsdecode(path)}: m4b needs PyAV: pip install 'alrakis[formats]', or give mp3 or flac"
        )
    return check_writable(path)


def check_format(path: str | os.PathLike[str]) -> None:
    """Raises OutputError for an extension that names no format."""
    _format(path)


def _format(path: str | os.PathLike[str]) -> tuple[str, str]:
    extensions = _extensions()
    extension = Path(os.fsdecode(path)).suffix
    if extension.lower() == BOOK:
        raise OutputError(
            f"{os.fsdecode(path)}: an m4b holds a book, as `alrakis read` writes it; give another extension"
        )
    if extension.lower() not in extensions:
        given = f"the extension {extension!r}" if extension else "no extension"
        raise OutputError(
            f"{os.fsdecode(path)} has {given}, which names no format; give it one of {', '.join(extensions)}"
        )
    return _FORMATS[extension.lower()]


@cache
def _extensions() -> list[str]:
    import soundfile

    available = soundfile.available_formats()
    return [extension for extension, (name, _) in _FORMATS.items() if name in available]


def save_audio(
    path: str | os.PathLike[str],
    samples: npt.NDArray[np.floating[Any]],
    sample_rate_hz: int,
    tags: Mapping[str, str] | None = None,
    *,
    bits: Literal[16, 24] = 16,
) -> Path:
    """Write mono samples `(N,)`, floats in -1..1, to a wav, flac, ogg or mp3 file, or leave it unchanged.

    Samples beyond -1..1 are clipped. tags: `title` and `software` have fields of their own in the file; all
    others go into its comment as JSON. bits: the sample size in wav and flac.
    Raises InputError for samples or a rate of the wrong kind, GenerationError for samples that are empty or
    not finite, and OutputError if the file cannot be written.
    """
    container, subtype = _format(path)
    return replace_file(
        path, _content(container, subtype.replace("16", str(bits)), samples, sample_rate_hz, tags)
    )


def wav_bytes(
    samples: npt.NDArray[np.floating[Any]], sample_rate_hz: int, tags: Mapping[str, str] | None = None
) -> bytes:
    """What `save_audio` writes into a wav file; it raises the same."""
    return _content(*_FORMATS[".wav"], samples, sample_rate_hz, tags)


def audio_bytes(
    extension: str,
    samples: npt.NDArray[np.floating[Any]],
    sample_rate_hz: int,
    tags: Mapping[str, str] | None = None,
) -> bytes:
    """What `save_audio` writes into a file that ends so; it raises the same."""
    return _content(*_format(f"a{extension}"), samples, sample_rate_hz, tags)


def _content(
    container: str,
    subtype: str,
    samples: npt.NDArray[np.floating[Any]],
    sample_rate_hz: int,
    tags: Mapping[str, str] | None,
) -> bytes:
    if not isinstance(sample_rate_hz, (int, np.integer)) or int(sample_rate_hz) not in _RATES_HZ:
        raise InputError(f"a sample rate is a whole number from 8000 to 192000 Hz, not {sample_rate_hz!r}")
    audio = _check_samples(samples)
    fields = tag_fields(tags or {}, _WAV_TAG_BYTES if container == "WAV" else None)
    own_tag = id3_tag(fields) if container == "MP3" else b""
    encoded = _encode(audio, int(sample_rate_hz), container, subtype, {} if own_tag else fields)
    return own_tag + encoded


def save_pieces(
    path: str | os.PathLike[str],
    pieces: Iterable[npt.NDArray[np.float32]],
    sample_rate_hz: int,
    tags: Mapping[str, str],
    chapters: Sequence[tuple[int, str]] = (),
    cover: bytes | None = None,
) -> Path:
    """Like `save_audio`, for audio in consecutive pieces, of which only one is in memory at a time; also m4b.

    chapters: the number of the piece that each begins with, from 0, and its title. They become marks where
    the format has them, as the cover (JPEG or PNG) does: all but wav; ogg has no cover.
    """
    counted = _Counted(pieces, chapters, sample_rate_hz)
    target = real_path(path)
    if target.suffix.lower() == BOOK:
        from alrakis.marks.m4b import write_m4b

        fields = tag_fields(tags, None)
        with replacing(path) as file:
            write_m4b(file, target.parent, counted, sample_rate_hz, fields, counted.marks, cover)
        return target
    container, subtype = _format(path)
    fields = tag_fields(tags, _WAV_TAG_BYTES if container == "WAV" else None)
    with replacing(path) as file:
        if container == "MP3":
            file.write(id3_tag(fields, counted.marks(), cover))
            _encode_pieces(file, counted, sample_rate_hz, (container, subtype), {})
            file.seek(0)
            file.write(id3_tag(fields, counted.marks(), cover))
        elif container in ("FLAC", "OGG") and (chapters or cover):
            with tempfile.TemporaryFile(dir=target.parent) as plain:
                _encode_pieces(plain, counted, sample_rate_hz, (container, subtype), fields)
                plain.seek(0)
                comments = vorbis_comments(counted.marks())
                if container == "FLAC":
                    copy_flac(plain, file, comments, cover)
                else:
                    copy_ogg(plain, file, comments)
        else:
            _encode_pieces(file, counted, sample_rate_hz, (container, subtype), fields)
    return target


class _Counted:
    """Pieces as they pass by, and where chapters begin among them."""

    def __init__(
        self, pieces: Iterable[npt.NDArray[np.float32]], chapters: Sequence[tuple[int, str]], rate_hz: int
    ) -> None:
        self._pieces = pieces
        self._chapters = chapters
        self._rate_hz = rate_hz
        self._begins: dict[int, int] = {}
        self._length = 0

    def __iter__(self) -> Iterator[npt.NDArray[np.float32]]:
        for number, piece in enumerate(self._pieces):
            self._begins[number] = self._length
            self._length += len(piece)
            yield piece

    def marks(self) -> list[Mark]:
        """The chapters; until all pieces have passed by, with times that are not right yet."""
        begins = [self._begins.get(number, 0) for number, _ in self._chapters]
        return marks_at(begins, [title for _, title in self._chapters], self._length, self._rate_hz)


def _encode_pieces(
    file: BinaryIO,
    pieces: Iterable[npt.NDArray[np.float32]],
    rate_hz: int,
    form: tuple[str, str],
    fields: Mapping[str, str],
) -> None:
    import soundfile

    sink = Sink(file)
    try:
        with soundfile.SoundFile(sink, "w", rate_hz, 1, form[1], format=form[0]) as encoder:
            _set_fields(encoder, fields)
            for piece in filter(len, pieces):
                _write_samples(encoder, _check_samples(piece))
                sink.check()
    except soundfile.LibsndfileError as error:
        sink.check()
        raise OutputError(f"the audio cannot be written: {error.error_string}") from None
    sink.check()


def pcm16(samples: npt.NDArray[np.float32]) -> bytes:
    """Samples as signed 16-bit little-endian PCM, rounded and clipped as in files."""
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, samples, 24_000, "PCM_16", endian="LITTLE", format="RAW")
    return buffer.getvalue()


def wav_header(sample_rate_hz: int, data_bytes: int | None = None) -> bytes:
    """The header of a 16-bit mono wav stream, which is followed by so many bytes of samples.

    None: nobody knows how many yet; it declares the largest possible length, as for more than it can declare.
    """
    unknown = 0xFFFFFFFF
    data = unknown if data_bytes is None or data_bytes >= unknown - 36 else data_bytes
    riff = min(data + 36, unknown)
    form = struct.pack("<HHIIHH", 1, 1, sample_rate_hz, 2 * sample_rate_hz, 2, 16)
    return (
        struct.pack("<4sI4s4sI", b"RIFF", riff, b"WAVE", b"fmt ", 16)
        + form
        + struct.pack("<4sI", b"data", data)
    )


def _check_samples(samples: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    if not isinstance(samples, np.ndarray) or samples.dtype.kind != "f" or samples.ndim != 1:
        given = (
            f"{samples.dtype} {samples.shape}" if isinstance(samples, np.ndarray) else type(samples).__name__
        )
        raise InputError(f"samples must be a numpy array of floats, mono, of the shape (N,), not {given}")
    if samples.size == 0:
        raise GenerationError("there is no audio to save: not a single sample was made")
    broken = samples.size - np.count_nonzero(np.isfinite(samples))
    if broken:
        raise GenerationError(
            f"{broken} of {samples.size} samples are not numbers: this precision overflows; use fp32 or bf16"
        )
    clipped: npt.NDArray[np.float32] = np.clip(samples, -1, 1).astype(np.float32)
    return clipped


def _encode(
    audio: npt.NDArray[np.float32], rate_hz: int, container: str, subtype: str, fields: Mapping[str, str]
) -> bytes:
    import soundfile

    buffer = io.BytesIO()
    sink = Sink(buffer)
    try:
        with soundfile.SoundFile(sink, "w", rate_hz, 1, subtype, format=container) as file:
            _set_fields(file, fields)
            _write_samples(file, audio)
    except soundfile.LibsndfileError as error:
        sink.check()
        raise OutputError(
            f"{container} cannot hold mono audio at {rate_hz} Hz: {error.error_string}"
        ) from None
    sink.check()
    return buffer.getvalue()


def _set_fields(file: Any, fields: Mapping[str, str]) -> None:
    for field, value in fields.items():
        setattr(file, field, value)


def _write_samples(file: Any, audio: npt.NDArray[np.float32]) -> None:
    for start in range(0, len(audio), _BLOCK_SAMPLES):
        file.write(audio[start : start + _BLOCK_SAMPLES])
