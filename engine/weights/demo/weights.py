"""The weights of the demo voice: a small model of Bark's structure with ids and shapes of its own."""

import zlib
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from alrakis.errors import WeightsError
from alrakis.files.npy import read_npy
from alrakis.files.parsing import read_json, reason
from alrakis.spec import GPTShape, Layout, Stage
from alrakis.text.encoder import TextEncoder
from alrakis.weights.check import checked_gpt
from alrakis.weights.codec import codec_from_arrays
from alrakis.weights.demo.encoder import DemoEncoder
from alrakis.weights.identity import identity_of
from alrakis.weights.safetensors_file import read_safetensors
from alrakis.weights.types import Array, Arrays, CodecWeights, StageWeights, Weights

FOLDER = Path(__file__).parent / "data"
NOTE = (
    "this is the demo: a tiny voice of Bark's structure that comes with the package and reads short English "
    "sentences; leave `--weights demo` out for Bark itself (downloaded when first used)"
)
# fmt: off
KEYS = (  # required in config.json
    "semantic_vocab", "semantic_pad", "text_offset", "text_pad", "semantic_infer", "coarse_offset",
    "coarse_semantic_pad", "coarse_infer", "fine_pad", "semantic_rate_hz", "codec", "text_input_vocab",
    "text_output_vocab", "coarse_vocab", "fine_vocab", "layers", "heads", "d", "text_vocab", "longest_s",
)
# fmt: on
SCALE = ".scale"  # the name of an int8 array + SCALE is that of its float16 scales, one per row


class DemoVoice(Weights):
    """The weights in the demo voice's folder: four safetensors files and a config.json."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.name = "demo"
        self._folder = folder

    @cached_property
    def layout(self) -> Layout:  # type: ignore[override]  # the base declares a plain attribute
        config = self._config
        return Layout(
            semantic_vocab=config["semantic_vocab"],
            semantic_pad=config["semantic_pad"],
            text_offset=config["text_offset"],
            text_pad=config["text_pad"],
            semantic_infer=config["semantic_infer"],
            coarse_offset=config["coarse_offset"],
            coarse_semantic_pad=config["coarse_semantic_pad"],
            coarse_infer=config["coarse_infer"],
            codebook_size=config["codec"]["entries"],
            fine_pad=config["fine_pad"],
            semantic_rate_hz=config["semantic_rate_hz"],
            sample_rate_hz=config["codec"]["sr"],
            one_speaker=True,
        )

    def stage(self, stage: Stage) -> StageWeights:
        config, path = self._config, self._folder / f"{stage}.safetensors"
        vocabs = {
            "text": (config["text_input_vocab"], config["text_output_vocab"]),
            "coarse": (config["coarse_vocab"], config["coarse_vocab"]),
            "fine": (config["fine_vocab"], config["fine_vocab"]),
        }
        layers, heads, width = config["layers"][stage], config["heads"], config["d"]
        shape = GPTShape(layers, heads, width, *vocabs[stage], norm_bias=stage == "fine")
        arrays = checked_gpt(stage, shape, self._read(path), self.layout, str(path))
        identity = identity_of(f"{stage} {shape}", arrays, [path])
        scales = self._cache_scales(stage)
        return StageWeights(stage, shape, arrays, str(path), identity, measured=True, cache_scales=scales)

    def codec(self) -> CodecWeights:
        path = self._folder / "codec.safetensors"
        return codec_from_arrays(self._read(path), self.layout, [path])

    @property
    def voices(self) -> dict[str, Path]:
        """The voices in the folder, as `demo/slt` and `demo/rms`."""
        return {f"{self.name}/{path.stem}": path for path in sorted((self._folder / "voices").glob("*.npz"))}

    def tokenizer(self) -> TextEncoder:
        return self._encoder

    @property
    def note(self) -> str:
        return NOTE

    def remarks(self, text: str) -> list[str]:
        return self._encoder.remarks(text)

    def _cache_scales(self, stage: Stage) -> npt.NDArray[np.float32] | None:
        """What calibrating an export of these parameters gives, which takes longer than the export."""
        path = self._folder / f"{stage}_cache_scales.npy"
        return read_npy(path.read_bytes()) if path.is_file() else None

    @cached_property
    def _encoder(self) -> DemoEncoder:
        return DemoEncoder(self._config["text_vocab"], self._config["longest_s"])

    def _read(self, path: Path) -> dict[str, Array]:
        expected = self._config.get("crc32", {}).get(path.name)
        try:
            stored = read_safetensors(path)
            if expected is not None and zlib.crc32(path.read_bytes()) != expected:
                raise WeightsError(f"{path} is damaged: its CRC-32 is not that of config.json")
            return dequantized(stored)
        except WeightsError as error:
            raise WeightsError(f"the demo voice is not whole, install alrakis anew: {error}") from None

    @cached_property
    def _config(self) -> dict[str, Any]:
        path = self._folder / "config.json"
        try:
            config = read_json(path)
        except (OSError, ValueError) as error:
            raise WeightsError(
                f"the demo voice cannot be read, install alrakis anew: {path}: {reason(error)}"
            ) from None
        missing = [key for key in KEYS if not isinstance(config, dict) or key not in config]
        if missing:
            raise WeightsError(
                f"the demo voice is not whole, install alrakis anew: {path} has no {', '.join(missing)}"
            )
        return dict(config)


def dequantized(stored: Arrays) -> dict[str, Array]:
    """int8 arrays multiplied by their scales, as float32; other arrays unchanged. Raises WeightsError."""
    arrays: dict[str, Array] = {}
    for name, array in stored.items():
        if name.endswith(SCALE):
            continue
        if array.dtype == np.int8:
            scale = stored.get(name + SCALE)
            if scale is None or scale.shape != array.shape[:1]:
                raise WeightsError(f"{name} is int8, but {name + SCALE} is missing or has another length")
            arrays[name] = array * scale.astype(np.float32).reshape(-1, *[1] * (array.ndim - 1))
        else:
            arrays[name] = array
    return arrays
