"""Rounding matrices to 8 and 4 bits, in the layouts of ONNX Runtime's operators.

Quantization is symmetric: a weight is `scale * q`, so zero stays zero.
"""

import numpy as np
import numpy.typing as npt

from alrakis.sampling import FloatArray

Int8Array = npt.NDArray[np.int8]
Uint8Array = npt.NDArray[np.uint8]

BLOCK_SIZES = (128, 64, 32)


def block_size(width: int) -> int:
    """How many weights share a scale: the largest allowed number that divides the width of a matrix."""
    return next((size for size in BLOCK_SIZES if width % size == 0), BLOCK_SIZES[-1])


def quantize_columns(weight: FloatArray) -> tuple[Int8Array, FloatArray]:
    """A linear's weight `(N, K)` for DynamicQuantizeMatMul: int8 `(K, N)` and scales `(N,)`, per column."""
    weight = np.asarray(weight, np.float32)
    scales = _scales(np.abs(weight).max(axis=1), 127)
    rounded = np.rint(weight / scales[:, None]).astype(np.int8)
    return np.ascontiguousarray(rounded.T), scales


def quantize_blocks(weight: FloatArray, bits: int, block: int) -> tuple[Uint8Array, FloatArray]:
    """A linear's weight `(N, K)` for MatMulNBits with the default zero point, 2**(bits - 1).

    Returns packed values `(N, blocks, block * bits / 8)`, two to a byte at 4 bits (the first in the low
    half), and scales `(N, blocks)`; the last block is padded with zeros where `block` does not divide K.
    """
    blocks = _blocks(weight, block)
    top = 2 ** (bits - 1) - 1
    scales = _scales(np.abs(blocks).max(axis=2), top)
    rounded = (np.rint(blocks / scales[:, :, None]) + top + 1).astype(np.uint8)
    if bits == 4:
        rounded = rounded[:, :, 0::2] | (rounded[:, :, 1::2] << 4)
    return rounded, scales


def dequantize_blocks(packed: Uint8Array, scales: FloatArray, bits: int, width: int) -> FloatArray:
    """The inverse of `quantize_blocks`: float32 `(N, width)`."""
    if bits == 4:
        packed = np.stack([packed & 15, packed >> 4], axis=3).reshape(*packed.shape[:2], -1)
    values = (packed.astype(np.float32) - 2 ** (bits - 1)) * scales[:, :, None]
    return values.reshape(len(packed), -1)[:, :width]


def _blocks(weight: FloatArray, block: int) -> FloatArray:
    rows, width = weight.shape
    padded = np.zeros((rows, -(-width // block) * block), np.float32)
    padded[:, :width] = weight
    return padded.reshape(rows, -1, block)


def _scales(peaks: FloatArray, top: int) -> FloatArray:
    """Scales that turn the largest magnitude into `top`; 1 if all weights are zero."""
    return np.where(peaks > 0, peaks / top, 1).astype(np.float32)
