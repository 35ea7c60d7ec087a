"""`windows`: what windows unlike Bark's cost, with a voice: words, spectrum, pitch, likeness of the voice.

Every config says the same sentences with the same seeds as its reference: itself with Bark's windows.
Differences are paired by utterance; their 95% intervals come from resampling sentences.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from alrakis import Engine
from alrakis.config import MATHEMATICS, load_config, preset_names
from alrakis.listening.errors_of import distance
from alrakis.text.english.saying import say_in_words
from alrakis.weights.demo.weights import DemoVoice
from demo_voice.codec import to_24k
from demo_voice.evaluate import LONGEST_S, Ear, compared, log_mel, mel_distance, pitch_hz, sentences
from demo_voice.flite import Flite

VOICES = ("demo/slt", "demo/rms")
SETS = ("dev", "long")  # 74 sentences of 2 to 9 s
SEEDS = (1, 2, 3)
RESAMPLES = 4000
THIRD = 3  # pitch drifts from the first third of an utterance to its last
GREEDY = {"text_temp": 0.0, "waveform_temp": 0.0, "fine_temp": 0.0}
BARKS = {key: MATHEMATICS[key] for key in MATHEMATICS if key not in ("precision", "kv_cache")}
LONG_TEXT = 12  # sentences of `long` that make one long text


@dataclass(frozen=True)
class Said:
    """One utterance, measured. drift and pitch: in semitones; likeness and distance: of log-mel spectra."""

    sentence: str
    words: int
    wrong: int
    distance: float  # to flite's own audio of the text, along the best alignment
    pitch: float  # median, above the voice's own
    drift: float  # of the pitch, from the first third to the last, above flite's in the same text
    likeness: float  # mean difference of the long-term spectrum from the voice's own


FIGURES = ("distance", "pitch", "drift", "likeness")
Utterances = dict[str, Said]  # by voice, drawing and sentence


def judge(
    folder: Path, variants: Mapping[str, tuple[str, dict[str, Any]]], limit: int | None, kept: Path | None
) -> list[str]:
    """A table of variants, (config, overrides) by name, each against the first of its config's precision.

    limit: only so many sentences of each set. kept: a folder for the figures of single utterances, which are
    taken from there when they are there. Lines are printed as they come.
    """
    print("\n".join(HEAD), flush=True)
    lines: list[str] = []
    references: dict[str, Utterances] = {}
    for name, (config, overrides) in variants.items():
        path = None if kept is None else kept / f"{name}.json"
        said = _read(path) or _measure(folder, config, overrides, limit)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({key: asdict(one) for key, one in said.items()}))
        reference = references.setdefault(config, said)
        for drawn in ("greedy", "drawn", "read"):
            lines.append(_line(name, drawn, said, reference))
            print(lines[-1], flush=True)
    return lines


def variants(splits: Sequence[str] | None) -> dict[str, tuple[str, dict[str, Any]]]:
    """Splits of cpu-int8, or each preset whose windows are not Bark's; first what they are held against."""
    if splits:
        pairs = [[int(part) for part in split.split("/")] for split in splits]
        keys = "max_coarse_history", "sliding_window_len"
        chosen = {
            f"cpu-int8 {h} and {w}": ("cpu-int8", dict(zip(keys, (h, w), strict=True))) for h, w in pairs
        }
        return {"cpu-int8 630 and 60": ("cpu-int8", {}), **chosen}
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for name in preset_names():
        preset = load_config(name)
        if preset.backend == "onnx" and any(getattr(preset, key) != value for key, value in BARKS.items()):
            found[f"{name}, Bark's windows"] = (name, dict(BARKS))
            found[name] = (name, {})
    return found


HEAD = (
    "| windows | said | utterances | word error rate | more than Bark's windows | log-mel distance | pitch "
    "| drift | likeness |",
    "|---|---|---|---|---|---|---|---|---|",
)


def _read(path: Path | None) -> Utterances:
    if path is None or not path.exists():
        return {}
    return {key: Said(**values) for key, values in json.loads(path.read_text()).items()}


def _measure(folder: Path, config: str, overrides: dict[str, Any], limit: int | None) -> Utterances:
    """All sentences in both voices, greedy and with every seed, and a long text of some of them."""
    ear, said = Ear(), {}
    pairs = [pair for name in SETS for pair in sentences(name)[:limit]]
    with Engine(DemoVoice(folder), config, threads=1, **overrides) as engine:
        for voice in VOICES:
            for key, audio, given, wanted in _spoken(engine, voice, pairs):
                said[f"{voice} {key}"] = _said(voice, audio, given, wanted, ear.hear(audio))
    return said


def _spoken(
    engine: Engine, voice: str, pairs: Sequence[tuple[str, str]]
) -> Iterator[tuple[str, Any, str, str]]:
    """Every utterance of a voice: its key, samples, text, and what is to be heard."""
    texts = [given for given, _ in pairs]
    fixed = {"silent": True, "max_gen_duration_s": LONGEST_S}
    drawings = [("greedy", 1, GREEDY), *((f"drawn {seed}", seed, {}) for seed in SEEDS)]
    for name, seed, temperatures in drawings:
        seeds = [1000 * seed + i for i in range(len(texts))]
        results = engine.generate(texts, voice, seed=seeds, **fixed, **temperatures)
        for i, (result, (given, wanted)) in enumerate(zip(results, pairs, strict=True)):
            yield f"{name} {i}", result.audio, given, wanted
    long = texts[-LONG_TEXT:]
    for seed in SEEDS:
        made = engine.generate_long(" ".join(long), voice, seed=seed)
        for piece in made.pieces:
            yield f"read {seed} {piece.index}", piece.result.audio, piece.chunk.text, piece.chunk.text


def _said(voice: str, audio: Any, given: str, wanted: str, heard: str) -> Said:
    speaker = voice.rpartition("/")[2]
    true = _flite(speaker, given)
    own = _own(speaker)
    words = compared(wanted)
    if len(audio) == 0:
        return Said(given, len(words), len(words), *[float("nan")] * 4)
    return Said(
        sentence=given,
        words=len(words),
        wrong=distance(words, compared(heard)),
        distance=mel_distance(audio, true),
        pitch=_semitones(pitch_hz(audio), own[0]),
        drift=_drift(audio) - _drift(true),
        likeness=float(np.abs(log_mel(audio).mean(0) - own[1]).mean()),
    )


@cache
def _flite(speaker: str, text: str) -> Any:
    return to_24k(Flite(speaker).speak(say_in_words(text)).samples).numpy()


@cache
def _own(speaker: str) -> tuple[float, Any]:
    """A voice's own median pitch and long-term spectrum, over flite's `dev`."""
    sounds = [_flite(speaker, given) for given, _ in sentences("dev")]
    return float(np.median([pitch_hz(s) for s in sounds])), np.mean([log_mel(s).mean(0) for s in sounds], 0)


def _semitones(hz: float, base_hz: float) -> float:
    return float(12 * np.log2(hz / base_hz))


def _drift(audio: Any) -> float:
    length = len(audio) // THIRD
    return _semitones(pitch_hz(audio[-length:]), pitch_hz(audio[:length]))


def _line(name: str, drawn: str, said: Utterances, reference: Utterances) -> str:
    keys = [key for key in said if key.split()[1] == drawn and key in reference]
    ours, theirs = [said[key] for key in keys], [reference[key] for key in keys]
    rate = sum(one.wrong for one in ours) / sum(one.words for one in ours)
    cells = [name, drawn, str(len(keys)), f"{rate:.1%}", _more_wrong(ours, theirs)]
    for figure in FIGURES:
        values = np.array([getattr(one, figure) for one in ours])
        differences = values - np.array([getattr(one, figure) for one in theirs])
        cells.append(f"{np.nanmean(values):.2f} ({_interval(differences, ours, '+.2f')})")
    return f"| {' | '.join(cells)} |"


def _more_wrong(ours: Sequence[Said], theirs: Sequence[Said]) -> str:
    """By how much the word error rate is above the reference's, with its interval, in points."""
    if all(a == b for a, b in zip(ours, theirs, strict=True)):
        return ""
    wrong = np.array([a.wrong - b.wrong for a, b in zip(ours, theirs, strict=True)], float)
    words = np.array([one.words for one in ours], float)
    low, high = _resampled(ours, lambda picked: 100 * wrong[picked].sum() / words[picked].sum())
    return f"{100 * wrong.sum() / words.sum():+.1f} ({low:+.1f} to {high:+.1f})"


def _interval(values: Any, said: Sequence[Said], form: str) -> str:
    low, high = _resampled(said, lambda picked: float(np.nanmean(values[picked])))
    return f"{low:{form}} to {high:{form}}"


def _resampled(said: Sequence[Said], figure: Any) -> tuple[float, float]:
    """A figure's 95% interval: sentences are drawn again, with all that was said of each."""
    by_sentence: dict[str, list[int]] = {}
    for i, one in enumerate(said):
        by_sentence.setdefault(one.sentence, []).append(i)
    groups = [np.array(places) for places in by_sentence.values()]
    random = np.random.default_rng(0)
    figures = [
        figure(np.concatenate([groups[k] for k in random.integers(0, len(groups), len(groups))]))
        for _ in range(RESAMPLES)
    ]
    low, high = np.percentile(figures, [2.5, 97.5])
    return float(low), float(high)
