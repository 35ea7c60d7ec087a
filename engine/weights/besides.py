"""What Bark needs besides its three models: EnCodec and a vocabulary, which may lie in many places.

EnCodec is a file of its own, or a part of a transformers model: of the folder's, or of suno/bark in the hub's
cache.
"""

from collections.abc import Sequence
from pathlib import Path

from alrakis.places import hub
from alrakis.spec import Layout, Part
from alrakis.weights.codec import codec_from_arrays, read_codec
from alrakis.weights.locate import CODEC_NAMES, HUB_NAMES, Wanted, codec_file, vocab_file
from alrakis.weights.model_files import CODEC, has_codec, model_arrays
from alrakis.weights.types import CodecWeights


def wanted_besides(folder: Path | None, parts: Sequence[Part]) -> list[Wanted]:
    """The files that these parts need besides the models, if they are nowhere on this machine."""
    wanted = [codec_file(folder)] if "codec" in parts and codec_place(folder) is None else []
    return [*wanted, vocab_file(folder)] if "text" in parts else wanted


def codec_place(folder: Path | None) -> Path | None:
    """EnCodec's file, or a folder whose model file has it, `folder` first; None if it is nowhere."""
    if folder:
        own = next((folder / name for name in CODEC_NAMES if (folder / name).is_file()), None)
        if own or has_codec(folder):
            return own or folder
    snapshots = (path for repository in HUB_NAMES for path in hub.snapshots(repository))
    return codec_file().find() or next((path for path in snapshots if has_codec(path)), None)


def read_codec_for(folder: Path | None, layout: Layout) -> CodecWeights:
    """The codec of a folder, or the one on this machine; downloaded if there is none. Raises WeightsError."""
    place = codec_place(folder) or codec_file(folder).get()
    if place.is_dir():
        arrays, files = model_arrays(place, CODEC)
        return codec_from_arrays(arrays, layout, files)
    return read_codec(place, layout)
