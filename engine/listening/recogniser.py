"""A recogniser that listens to takes and finds words: Whisper, by faster-whisper (the extra `listen`)."""

import difflib
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from alrakis.errors import BackendError, InputError
from alrakis.listening.errors_of import BY_LETTER, word_error_rate, words_of
from alrakis.listening.plain import PlainListener
from alrakis.listening.score import Score
from alrakis.marks.subtitles import Word
from alrakis.places.hub import HubError, unreachable
from alrakis.sampling import FloatArray

if TYPE_CHECKING:
    from alrakis.result import Result

RATE_HZ = 16_000
_PLAIN_SHARE = 0.25  # what a listener without words finds counts so much beside the words
_TAPS = 97


class Recogniser:
    """Whisper, of a size or from a folder. model: `tiny`, `base.en`, ..., or a folder with a model.

    Raises BackendError if faster-whisper is not installed, InputError if there is no such model here and none
    can be downloaded.
    """

    def __init__(self, model: str | os.PathLike[str], *, threads: int = 0, beam: int = 1) -> None:
        self.name = os.fspath(model)
        self._beam = beam
        self._model = _open(self.name, threads)
        self._plain = PlainListener()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<Recogniser {self.name!r}>"

    def check(self, language: str) -> None:
        """Raises InputError if the model does not know a language."""
        if language != "en" and not self._model.model.is_multilingual:
            raise InputError(
                f"the recogniser {Path(self.name).name} knows English only, and the text is in {language!r}: "
                "give a model without .en, or do without a recogniser"
            )

    def score(self, result: "Result", language: str) -> Score:
        """The words that are wrong, and what a listener without words finds."""
        plain = self._plain.score(result, language)
        said = [result.text, *([result.said] if result.said is not None else [])]
        heard = self.hear(result.audio, result.sample_rate, language)
        rate = word_error_rate(said, heard, language)
        error = rate + _PLAIN_SHARE * plain.error
        return replace(plain, error=error, word_error_rate=rate, heard=heard)

    def hear(self, audio: FloatArray, rate_hz: int, language: str) -> str:
        """What is heard in some audio."""
        return " ".join(segment.text.strip() for segment in self._segments(audio, rate_hz, language, False))

    def words(self, audio: FloatArray, rate_hz: int, text: str, language: str = "en") -> list[Word]:
        """When each word of a text is said in some audio. A word that is not heard is put between others."""
        segments = self._segments(audio, rate_hz, language, True)
        heard = [
            Word(word.word.strip(), float(word.start), float(word.end))
            for segment in segments
            for word in segment.words or ()
        ]
        return aligned(text, heard, len(audio) / rate_hz, language)

    def aligning(self, language: str) -> Callable[[FloatArray, int, str], list[Word]]:
        """`words` of one language."""
        return lambda audio, rate_hz, text: self.words(audio, rate_hz, text, language)

    def _segments(self, audio: FloatArray, rate_hz: int, language: str, words: bool) -> list[Any]:
        if len(audio) == 0:
            return []
        with self._lock:
            segments, _ = self._model.transcribe(
                resampled(audio, rate_hz),
                language=language,
                beam_size=self._beam,
                temperature=0.0,
                condition_on_previous_text=False,
                without_timestamps=not words,
                word_timestamps=words,
            )
            return list(segments)


def aligned(text: str, heard: list[Word], length_s: float, language: str) -> list[Word]:
    """The words of a text with the times of those that were heard; the others share the time between."""
    parts = [char for char in text if not char.isspace()] if language in BY_LETTER else text.split()
    wanted = ["".join(words_of(part, language)) for part in parts]
    found = ["".join(words_of(word.text, language)) for word in heard]
    times: list[tuple[float, float] | None] = [None] * len(parts)
    matcher = difflib.SequenceMatcher(None, wanted, found, autojunk=False)
    for first, second, count in matcher.get_matching_blocks():
        for place in range(count):
            word = heard[second + place]
            times[first + place] = (word.begin_s, word.end_s)
    words: list[Word] = []
    place = 0
    while place < len(parts):
        last = place
        while last < len(parts) and times[last] is None:
            last += 1
        if last > place:
            begin = words[-1].end_s if words else (heard[0].begin_s if heard else 0.0)
            following = times[last] if last < len(parts) else None
            end = following[0] if following else (heard[-1].end_s if heard else length_s)
            step = max(0.0, end - begin) / (last - place)
            for number in range(place, last):
                at = begin + (number - place) * step
                words.append(Word(parts[number], at, at + step))
            place = last
        else:
            begin, end = times[place]  # type: ignore[misc]
            begin = max(begin, words[-1].end_s) if words else begin
            words.append(Word(parts[place], begin, max(begin, end)))
            place += 1
    return words


def resampled(audio: FloatArray, rate_hz: int) -> FloatArray:
    """Audio at 16 kHz; from 24 kHz by a filter, as that is what Bark has."""
    if rate_hz == RATE_HZ:
        return audio
    if rate_hz != 24_000:
        places = np.arange(0, len(audio), rate_hz / RATE_HZ)
        return np.interp(places, np.arange(len(audio)), audio).astype(np.float32)
    twice = np.zeros(2 * len(audio), np.float32)
    twice[::2] = audio
    at = np.arange(_TAPS) - _TAPS // 2
    taps = np.sinc(at / 3) * np.hamming(_TAPS)
    filtered = np.convolve(twice, (2 * taps / taps.sum()).astype(np.float32), "same")
    return np.ascontiguousarray(filtered[::3], dtype=np.float32)


def _open(name: str, threads: int) -> Any:
    try:
        from faster_whisper import WhisperModel
    except ImportError:
        raise BackendError(
            "a recogniser needs faster-whisper: pip install 'alrakis[listen]'; without one, takes are "
            "compared by length, end, silence and level"
        ) from None
    settings: dict[str, Any] = {"device": "cpu", "compute_type": "int8", "cpu_threads": threads}
    folder = Path(name).expanduser()
    if folder.is_dir() or os.sep in name:
        if not (folder / "model.bin").is_file():
            raise InputError(
                f"{name} is no folder of a recogniser: it needs model.bin, as faster-whisper has it"
            )
        try:
            return WhisperModel(str(folder), **settings)
        except Exception as error:  # whatever ctranslate2 finds wrong with the files
            raise InputError(f"the recogniser in {name} cannot be opened: {error}") from None
    try:
        return WhisperModel(name, local_files_only=True, **settings)
    except ValueError as error:
        raise InputError(f"no recogniser {name!r}: {error}") from None
    except Exception:  # not here: it has to be downloaded
        return _downloaded(name, settings)


def _downloaded(name: str, settings: dict[str, Any]) -> Any:
    from faster_whisper import WhisperModel

    reason = unreachable()
    try:
        if reason is not None:
            raise HubError(reason)
        return WhisperModel(name, **settings)
    except Exception as error:  # no network, no such model, no room: each library has errors of its own
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"the recogniser {name!r} is not on this machine and cannot be downloaded ({reason:.200}); "
            "without a network, give the folder of a model"
        ) from None
