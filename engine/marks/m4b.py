"""Audio books as m4b: AAC in MP4, with chapters and a cover; PyAV (FFmpeg) writes them."""

import io
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from alrakis.errors import OutputError
from alrakis.files.sink import Sink
from alrakis.marks.mark import Mark

BIT_RATE = 64_000  # of mono speech at 24 kHz
# FFmpeg would guess: it knows hundreds of formats, and some name other files that it opens.
_PICTURES = {b"\x89PNG\r\n\x1a\n": "png_pipe", b"\xff\xd8\xff": "jpeg_pipe"}
_MOST_PIXELS = 1 << 25  # of a cover: a small file may be a picture of gigabytes
_MILLISECOND = Fraction(1, 1000)
_TAGS = {"title": "title", "artist": "artist", "album": "album", "comment": "comment", "software": "encoder"}


def write_m4b(
    file: BinaryIO,
    folder: Path,
    pieces: Iterable[npt.NDArray[np.float32]],
    rate_hz: int,
    fields: Mapping[str, str],
    marks: Callable[[], Sequence[Mark]],
    cover: bytes | None,
) -> None:
    """Write pieces of mono audio. marks: the chapters, asked for when all pieces are encoded.

    folder: for what is encoded before the chapters are known. Raises OutputError.
    """
    import av
    from av.error import FFmpegError

    try:
        with tempfile.TemporaryFile(dir=folder) as plain:
            _encode(av, plain, pieces, rate_hz)
            plain.seek(0)
            _with_marks(av, plain, file, fields, marks(), cover)
    except FFmpegError as error:
        raise OutputError(f"the m4b cannot be written: {error}") from None


def _encode(av: Any, file: BinaryIO, pieces: Iterable[npt.NDArray[np.float32]], rate_hz: int) -> None:
    sink = Sink(file)
    with av.open(sink, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=rate_hz, layout="mono", bit_rate=BIT_RATE)
        written = 0
        for piece in filter(len, pieces):
            samples = np.ascontiguousarray(np.clip(piece, -1, 1).astype(np.float32)[None, :])
            frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = rate_hz, written, Fraction(1, rate_hz)
            written += samples.shape[1]
            container.mux(stream.encode(frame))
            sink.check()
        container.mux(stream.encode(None))
    sink.check()


def _with_marks(
    av: Any,
    plain: BinaryIO,
    file: BinaryIO,
    fields: Mapping[str, str],
    marks: Sequence[Mark],
    cover: bytes | None,
) -> None:
    sink = Sink(file)
    with av.open(plain) as source, av.open(sink, "w", format="mp4") as target:
        (sound,) = source.streams.audio
        stream = target.add_stream_from_template(sound)
        for field, value in fields.items():
            target.metadata[_TAGS[field]] = value
        picture = _add_cover(av, target, cover) if cover else None
        target.set_chapters([_chapter(number, mark) for number, mark in enumerate(marks)])
        if picture is not None:
            target.mux(picture)
        for packet in source.demux(sound):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    sink.check()


def _add_cover(av: Any, target: Any, cover: bytes) -> Any:
    """A stream for the cover; gives its one packet, to be written after the head; None for no picture."""
    kind = next((kind for begin, kind in _PICTURES.items() if cover.startswith(begin)), None)
    if kind is None:
        return None
    how: dict[str, Any] = {"format": kind, "options": {"max_pixels": str(_MOST_PIXELS)}}
    try:
        picture = av.open(io.BytesIO(cover), **how)
        (image,) = picture.streams.video
        if not 0 < image.width * image.height <= _MOST_PIXELS:
            return None
        next(av.open(io.BytesIO(cover), **how).decode(video=0))
    except (av.error.FFmpegError, ValueError, StopIteration):
        return None
    stream = target.add_stream_from_template(image)
    stream.disposition = av.stream.Disposition.attached_pic
    packet = next(picture.demux(image))
    packet.stream = stream
    return packet


def _chapter(number: int, mark: Mark) -> dict[str, Any]:
    return {
        "id": number,
        "start": round(mark.begin_s * 1000),
        "end": round(mark.end_s * 1000),
        "time_base": _MILLISECOND,
        "metadata": {"title": mark.title},
    }
