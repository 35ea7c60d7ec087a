"""Reading EnCodec's decoder and codebooks, with weight norm folded into the weights.

The names may be those of encodec (`encodec_24khz-d7cc33bc.th`), of transformers' EncodecModel (old or new),
or of a file whose weight norm is already folded. The encoder and training state are ignored.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from alrakis.errors import WeightsError
from alrakis.spec import N_FINE_CODEBOOKS, CodecShape, Layout
from alrakis.weights.check import checked_codec
from alrakis.weights.identity import identity_of
from alrakis.weights.safetensors_file import read_safetensors
from alrakis.weights.torch_file import read_torch_file, tensors_as_arrays
from alrakis.weights.types import Array, CodecWeights

_CODEBOOK = re.compile(
    r"(?:quantizer\.(?:vq\.)?layers|vqs|codebooks)\.(\d{1,9})(?:\.(?:_?codebook\.)?embed)?"
)
_UNUSED = re.compile(r"encoder\.|quantizer\..*\.(?:inited|cluster_size|embed_avg)$")
# magnitude to direction: encodec's and older transformers' names, then torch's parametrizations
_WEIGHT_NORM = {
    ".weight_g": ".weight_v",
    ".parametrizations.weight.original0": ".parametrizations.weight.original1",
}


def read_codec(path: Path, layout: Layout) -> CodecWeights:
    """Read a `.th`, `.pt`, `.bin` or `.safetensors` file. Raises WeightsError."""
    if path.suffix == ".safetensors":
        found = read_safetensors(path)
    else:
        found = tensors_as_arrays(path, read_torch_file(path))
    return codec_from_arrays(found, layout, [path])


def codec_from_arrays(found: Mapping[str, Array], layout: Layout, files: list[Path]) -> CodecWeights:
    """The codec from the arrays of these files, under any of the known names. Raises WeightsError."""
    source = ", ".join(map(str, files))
    renamed = _renamed(_fold_weight_norm(found, source))
    shape = _shape(renamed, source)
    arrays = checked_codec(shape, renamed, layout, source)
    return CodecWeights(shape, arrays, source, identity_of(f"codec {shape}", arrays, files))


def _fold_weight_norm(found: Mapping[str, Array], source: str) -> dict[str, Array]:
    folded = {name: array for name, array in found.items() if not _UNUSED.match(name)}
    for magnitude_end, direction_end in _WEIGHT_NORM.items():
        for name in [name for name in folded if name.endswith(magnitude_end)]:
            stem = name.removesuffix(magnitude_end)
            magnitude, direction = folded.pop(name), folded.pop(stem + direction_end, None)
            if direction is None:
                raise WeightsError(f"{source} has {name:.80}, but no {stem:.80}{direction_end}")
            folded[f"{stem}.weight"] = _weight(magnitude, direction, f"{source}: {name:.80}")
    return folded


def _weight(magnitude: Array, direction: Array, where: str) -> Array:
    """`magnitude * direction / |direction|`, with the norm over all axes except the first."""
    if direction.ndim != 3 or magnitude.shape != (direction.shape[0], 1, 1):
        raise WeightsError(f"{where} is {magnitude.shape} for a direction of {direction.shape}")
    exact = direction.astype(np.float64)
    norm = np.sqrt((exact * exact).sum(axis=(1, 2), keepdims=True))
    if not norm.all():
        raise WeightsError(f"{where}: a direction has length 0")
    weight: Array = (magnitude.astype(np.float64) * exact / norm).astype(direction.dtype)
    return weight


def _renamed(folded: Mapping[str, Array]) -> dict[str, Array]:
    """The arrays under the names of `names.py`; of up to 32 codebooks, the first 8 that Bark uses."""
    renamed = {}
    for name, array in folded.items():
        codebook = _CODEBOOK.fullmatch(name)
        if codebook is None:
            renamed[_decoder_name(name)] = array
        elif int(codebook[1]) < N_FINE_CODEBOOKS:
            renamed[f"codebooks.{int(codebook[1])}"] = array
    return renamed


def _decoder_name(name: str) -> str:
    """transformers' `decoder.layers.3.conv.bias` is encodec's `decoder.model.3.convtr.convtr.bias`."""
    if not name.startswith("decoder.layers."):
        return name
    name = name.replace("decoder.layers.", "decoder.model.", 1)
    upsampling = re.fullmatch(r"(decoder\.model\.(?:3|6|9|12))\.conv\.(weight|bias)", name)
    if upsampling:
        return f"{upsampling[1]}.convtr.convtr.{upsampling[2]}"
    return name.replace(".conv.", ".conv.conv.")


def _shape(arrays: Mapping[str, Array], source: str) -> CodecShape:
    """The codec's shape, from a few arrays; `checked_codec` then compares them all with it."""
    try:
        steps = [array for name, array in _sorted_by_index(arrays) if name.endswith("convtr.convtr.weight")]
        width, dimension, kernel = arrays["decoder.model.0.conv.conv.weight"].shape
        entries, _ = arrays["codebooks.0"].shape
        residual = arrays["decoder.model.4.block.1.conv.conv.weight"].shape[2]
        return CodecShape(
            n_filters=width // 2 ** len(steps),
            dimension=dimension,
            ratios=tuple(array.shape[2] // 2 for array in steps),
            codebook_size=entries,
            lstm_layers=sum(name.startswith("decoder.model.1.lstm.weight_ih_l") for name in arrays),
            kernel_size=kernel,
            residual_kernel_size=residual,
        )
    except (KeyError, ValueError, IndexError):
        raise WeightsError(
            f"{source} is not EnCodec's 24 kHz model: its decoder or codebooks are not there, or misshapen"
        ) from None


def _sorted_by_index(arrays: Mapping[str, Array]) -> list[tuple[str, Array]]:
    """The arrays, sorted by the numbers in their names; of thousands of digits Python makes no number."""
    return sorted(arrays.items(), key=lambda item: [int(n) for n in re.findall(r"\d{1,9}", item[0])])
