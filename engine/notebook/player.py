"""A player, a waveform and how it was made, as HTML that needs nothing else."""

import base64
import html
from collections.abc import Mapping

import numpy as np

from alrakis.audio import audio_bytes
from alrakis.sampling import FloatArray

MOST_BYTES = 2 << 20  # of audio within a page; a notebook keeps all of it
_BARS, _WIDTH, _HEIGHT = 160, 480, 48
_KINDS = ((".wav", "audio/wav"), (".mp3", "audio/mpeg"))


def player_html(text: str, audio: FloatArray, rate_hz: int, facts: Mapping[str, object]) -> str:
    """The HTML of some audio, float32 `(N,)`; facts: what stands below it, by name, if it is not None."""
    said = html.escape(f"{text[:200]}..." if len(text) > 200 else text)
    below = ", ".join(
        html.escape(f"{name} {value}" if name else str(value))
        for name, value in facts.items()
        if value is not None
    )
    return (
        f'<div class="alrakis"><p>{said}</p>{_waveform(audio)}<br>{_player(audio, rate_hz)}'
        f"<p><small>{below}</small></p></div>"
    )


def _player(audio: FloatArray, rate_hz: int) -> str:
    if len(audio) == 0:
        return "<em>no audio</em>"
    for extension, kind in _KINDS:
        if len(audio) * (2 if extension == ".wav" else 0.3) <= MOST_BYTES:
            data = audio_bytes(extension, audio, rate_hz)
            if len(data) <= MOST_BYTES:
                return f'<audio controls src="data:{kind};base64,{base64.b64encode(data).decode()}"></audio>'
    return "<em>too long to be embedded: use save()</em>"


def _waveform(audio: FloatArray) -> str:
    """The loudest sample of each part, as an SVG in the colour of the text."""
    if len(audio) == 0:
        return ""
    parts = np.array_split(np.abs(audio), min(_BARS, len(audio)))
    peaks = np.array([part.max() for part in parts]) / max(float(np.abs(audio).max()), 1e-9)
    step = _WIDTH / len(peaks)
    lines = "".join(
        f"M{index * step + step / 2:.1f} {_HEIGHT / 2 * (1 - peak):.1f}v{max(_HEIGHT * peak, 1):.1f}"
        for index, peak in enumerate(peaks)
    )
    return (
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="waveform"><path d="{lines}" stroke="currentColor" '
        f'stroke-width="{step * 0.6:.2f}"/></svg>'
    )
