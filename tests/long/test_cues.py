"""Cues are where the audio is, within 50 ms, whatever was trimmed, faded and paused."""

import numpy as np
import pytest

from alrakis.config import load_config
from alrakis.long.cues import CueTrack, cue_of
from alrakis.long.pieces import join_ready
from alrakis.marks.subtitles import Word
from alrakis.text.splitting import Chunk

RATE_HZ = 24_000


def speech(before_s: float, sound_s: float, after_s: float) -> np.ndarray:
    """A tone between two silences that have a faint hiss."""
    rng = np.random.default_rng(0)
    lengths = [round(RATE_HZ * seconds) for seconds in (before_s, sound_s, after_s)]
    audio = rng.standard_normal(sum(lengths)) * 1e-4
    audio[lengths[0] : lengths[0] + lengths[1]] += 0.3 * np.sin(np.arange(lengths[1]) * 0.1)
    return audio.astype(np.float32)


SHAPES = [(0.3, 1.0, 0.5), (0.0, 0.7, 0.0), (1.0, 2.0, 0.2), (0.1, 0.3, 1.0)]


@pytest.mark.parametrize(
    "changes",
    [{}, {"trim_silence_db": 0.0}, {"fade_s": 0.02, "pause_sentence_s": 1.5}, {"pause_sentence_s": 0.0}],
)
def test_cues_are_where_the_sound_is_in_the_joined_audio(changes: dict[str, float]) -> None:
    config = load_config("cpu-fp32", changes)
    track, joined = CueTrack(RATE_HZ), []
    for number, shape in enumerate(SHAPES):
        chunk = Chunk(f"text {number}", "sentence", None, 1.0)
        audio = join_ready(speech(*shape), chunk, RATE_HZ, config)
        track.add(chunk, audio)
        joined.append(audio)
    loud = np.abs(np.concatenate(joined)) > 0.01
    loud = np.convolve(loud, np.ones(480), "same") > 0
    edges = np.flatnonzero(np.diff(loud.astype(int), prepend=0, append=0)) / RATE_HZ
    if changes.get("pause_sentence_s") != 0.0:
        assert len(edges) == 2 * len(SHAPES)
        times = [time for cue in track.cues for time in (cue.begin_s, cue.end_s)]
        assert times == pytest.approx(list(edges), abs=0.05)
    assert [cue.text for cue in track.cues] == [f"text {number}" for number in range(4)]


def test_silence_has_no_cue_and_its_time_counts() -> None:
    track = CueTrack(RATE_HZ)
    track.add(Chunk("a", "none", None, 1.0), np.zeros(RATE_HZ, np.float32))
    track.add(Chunk("b", "none", "MAN", 1.0, written="B"), speech(0, 1, 0))
    (cue,) = track.cues
    assert (cue.text, cue.speaker, cue.begin_s) == ("B", "MAN", pytest.approx(1.0, abs=0.01))
    assert cue_of("a", None, np.zeros(0, np.float32), RATE_HZ) is None


def test_words_are_within_the_sound_and_begin_and_end_with_it() -> None:
    """A recogniser had the first word begin in the silence before it, 200 ms too early."""
    heard = [Word("a", 0.0, 0.6), Word("b", 0.6, 0.9), Word("c", 0.9, 1.8)]
    cue = cue_of("a b c", None, speech(0.3, 1.0, 0.5), RATE_HZ, lambda audio, rate_hz, text: heard)
    assert cue is not None
    assert [(word.text, word.begin_s, word.end_s) for word in cue.words] == [
        ("a", cue.begin_s, 0.6),
        ("b", 0.6, 0.9),
        ("c", 0.9, cue.end_s),
    ]
    assert (cue.begin_s, cue.end_s) == (pytest.approx(0.3, abs=0.02), pytest.approx(1.3, abs=0.02))
    none = cue_of("a", None, speech(0.3, 1.0, 0.5), RATE_HZ, lambda audio, rate_hz, text: [])
    assert none is not None
    assert none.words == ()
