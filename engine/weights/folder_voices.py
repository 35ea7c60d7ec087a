"""The voices that a folder of weights brings."""

from pathlib import Path

from alrakis.errors import WeightsError
from alrakis.voices import VOICE_KEYS
from alrakis.weights.transformers_config import read_table

_INDEX = "speaker_embeddings_path.json"  # of transformers' BarkProcessor
_FOLDER = "speaker_embeddings"
_FIRST = f"_{VOICE_KEYS[0]}.npy"


def folder_voices(folder: Path) -> dict[str, Path]:
    """The paths of voices by name: `.npz` files in the folder, and transformers' speaker embeddings.

    Of the three files of speaker embeddings, the path is that of `voice_semantic_prompt.npy`.
    A voice of which a file is missing, or that lies outside the folder, is left out.
    """
    found = {path.stem: path for path in sorted(folder.glob("*.npz"))}
    found |= {f"voices/{path.stem}": path for path in sorted(folder.glob("voices/*.npz"))}
    for path in sorted((folder / _FOLDER).rglob(f"*{_FIRST}")):
        name = path.relative_to(folder / _FOLDER).as_posix().removesuffix(_FIRST)
        found[name] = path
    found |= _indexed(folder)
    return {name: path for name, path in found.items() if path.suffix == ".npz" or _whole(path)}


def _indexed(folder: Path) -> dict[str, Path]:
    if not (folder / _INDEX).is_file():
        return {}
    try:
        index = read_table(folder / _INDEX)
    except WeightsError:  # a damaged list of voices is no reason not to speak
        return {}
    firsts = {
        name: files.get(VOICE_KEYS[0])
        for name, files in index.items()
        if isinstance(name, str) and isinstance(files, dict)
    }
    return {
        name: folder / first
        for name, first in firsts.items()
        if isinstance(first, str)
        and first.endswith(_FIRST)
        and ".." not in Path(first).parts
        and not Path(first).is_absolute()
    }


def _whole(first: Path) -> bool:
    stem = first.name.removesuffix(_FIRST)
    return all((first.parent / f"{stem}_{key}.npy").is_file() for key in VOICE_KEYS)
