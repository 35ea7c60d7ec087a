"""Step `speech`: texts said by flite, as shards of text tokens, semantic tokens, guides and samples."""

import itertools
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from demo_voice.corpus import Corpus
from demo_voice.flite import Flite
from demo_voice.semantic import Ids, semantic_tokens

SHARD = 1000  # utterances
MAX_TEXT_TOKENS = 200
MAX_SEMANTIC_TOKENS = 560


@dataclass(frozen=True)
class Utterance:
    """One text as it is trained on."""

    speaker: str
    text: Any  # (N,) text ids with the offset
    semantic: Any  # (S,)
    guide: Any  # (S, 4)
    samples: Any  # int16, flite's 16 kHz; a view of the mapped shard
    codes: Any = None  # (2, T) coarse ones, where the codec has encoded it


def make_shard(folder: Path, speaker: str, number: int, size: int = SHARD) -> Path:
    """Write one shard; the same arguments write the same. One that is there already is kept."""
    path = folder / f"speech-{speaker}-{number:03d}"
    if path.exists():
        return path
    ids, flite = Ids.read(), Flite(speaker)
    parts: dict[str, list[Any]] = {name: [] for name in ("text", "semantic", "guide", "samples")}
    texts: list[str] = []
    for text in Corpus(seed=number if speaker == "slt" else 10_000 + number).texts():
        tokens, places = ids.tokens(text)
        speech = flite.speak(text)
        semantic, guide = semantic_tokens(speech, text, places, ids, speaker)
        if len(tokens) > MAX_TEXT_TOKENS or len(semantic) > MAX_SEMANTIC_TOKENS or len(semantic) < 25:
            continue
        arrays: tuple[np.ndarray[Any, Any], ...] = (tokens, semantic, guide, speech.samples)
        for name, array in zip(parts, arrays, strict=True):
            parts[name].append(array.astype(np.int16))
        texts.append(text)
        if len(texts) == size:
            break
    making = path.with_suffix(f".{os.getpid()}.making")
    making.mkdir(parents=True)
    for name, column in parts.items():
        np.save(making / f"{name}.npy", np.concatenate(column))
        np.save(making / f"{name}_ends.npy", np.cumsum([len(array) for array in column]))
    (making / "texts.json").write_text(json.dumps(texts))
    making.rename(path)
    return path


def shards(folder: Path, speaker: str, *, encoded: bool = False) -> list[Path]:
    """The finished shards of a speaker; `encoded`: only those that the codec has been over."""
    found = sorted(folder.glob(f"speech-{speaker}-[0-9][0-9][0-9]"))
    return [path for path in found if not encoded or (path / "codes_ends.npy").exists()]


def read_shard(path: Path) -> list[Utterance]:
    names = ["text", "semantic", "guide", "samples"]
    if (path / "codes_ends.npy").exists():
        names.append("codes")
    columns = []
    for name in names:
        whole = np.load(path / f"{name}.npy", mmap_mode="r" if name == "samples" else None)
        ends = np.load(path / f"{name}_ends.npy")
        columns.append([whole[first:last] for first, last in itertools.pairwise([0, *ends])])
    if "codes" in names:
        columns[-1] = [codes.T for codes in columns[-1]]
    speaker = path.name.split("-")[1]
    return [Utterance(speaker, *row) for row in zip(*columns, strict=True)]


def read_shards(paths: list[Path]) -> Iterator[Utterance]:
    for path in paths:
        yield from read_shard(path)
