"""What the ONNX backend keeps of the memory that it used, as glibc counts it."""

import ctypes
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from alrakis.backends.onnx import memory as onnx_memory
from alrakis.backends.onnx.codec import OnnxCodec
from alrakis.backends.onnx.fine import OnnxFineGPT
from alrakis.backends.onnx.gpt import OnnxCausalGPT
from alrakis.backends.onnx.memory import give_back_memory, separate_large_blocks
from alrakis.export.build import build_codec, build_stage
from alrakis.sampling import Draw, Sampling
from tests.backends.tiny import COARSE_HEADS, SHAPES, TEXT_HEADS, codec_weights, stage_weights

PROVIDERS = ["CPUExecutionProvider"]
MIB = 1 << 20
ROOT = Path(__file__).parents[3]
NAMES = ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks")


class Counts(ctypes.Structure):
    """`struct mallinfo2` of glibc's malloc.h."""

    _fields_ = tuple((name, ctypes.c_size_t) for name in (*NAMES, "keepcost"))


def open_glibc() -> ctypes.CDLL:
    library = ctypes.CDLL(None)
    library.mallinfo2.restype = Counts
    library.malloc.argtypes, library.malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
    library.free.argtypes, library.free.restype = [ctypes.c_void_p], None
    return library


@pytest.fixture
def glibc() -> ctypes.CDLL:
    try:
        return open_glibc()
    except (AttributeError, OSError, TypeError):
        pytest.skip("glibc 2.33 or newer counts")


def used(glibc: ctypes.CDLL) -> int:
    """Bytes that are allocated."""
    counts = glibc.mallinfo2()
    return int(counts.uordblks + counts.hblkhd)


def coarse(folder: Path) -> OnnxCausalGPT:
    scales = np.ones((2, 2, SHAPES["coarse"].n_embd), np.float32)
    build_stage(stage_weights("coarse"), COARSE_HEADS, "int8", folder, cache_scales=scales)
    return OnnxCausalGPT(folder, SHAPES["coarse"], "coarse", COARSE_HEADS, 1, PROVIDERS, 2)


BLOCKS = """
import ctypes
from alrakis.backends.onnx.memory import separate_large_blocks
from tests.backends.onnx.test_memory import open_glibc

glibc = open_glibc()
separate_large_blocks()
glibc.free(glibc.malloc(24 << 20))  # by itself, glibc would map no block of this size any more
blocks = [glibc.mallinfo2().hblks]
for mib in (7, 9):
    glibc.malloc(mib << 20)
    blocks.append(glibc.mallinfo2().hblks)
print(blocks[1] - blocks[0], blocks[2] - blocks[1])
"""


@pytest.mark.usefixtures("glibc")
def test_only_large_blocks_are_mapped_alone() -> None:
    """In a process of its own: a heap that is in use may have room for any block."""
    done = subprocess.run([sys.executable, "-c", BLOCKS], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.split() == ["0", "1"], done.stderr


@pytest.fixture
def cleared() -> Iterator[None]:
    onnx_memory._glibc.cache_clear()
    yield
    onnx_memory._glibc.cache_clear()


@pytest.mark.usefixtures("cleared")
@pytest.mark.parametrize("error", [AttributeError, OSError, TypeError])
def test_another_allocator_is_left_alone(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def library(name: None) -> None:
        asked.append(name)
        raise error

    monkeypatch.setattr(onnx_memory.ctypes, "CDLL", library)
    separate_large_blocks()
    give_back_memory()
    assert asked == [None, None]


def test_a_fine_window_leaves_no_memory_behind(glibc: ctypes.CDLL, tmp_path: Path) -> None:
    build_stage(stage_weights("fine"), (range(1024),), "fp32", tmp_path)
    gpt, start = OnnxFineGPT(tmp_path, SHAPES["fine"], 1, PROVIDERS), np.zeros(1, np.int64)
    window, greedy = gpt.begin(np.zeros((1, 1024, 8), np.int64), 2), [Draw(0, 0, Sampling(0))]
    before = used(glibc)
    for codebook in range(2, 8):
        gpt.predict(window, codebook, start, greedy)
    assert used(glibc) - before < 2 * MIB  # an arena's first MiB stays


def test_prefixes_leave_no_memory_behind_when_they_are_released(glibc: ctypes.CDLL, tmp_path: Path) -> None:
    gpt = coarse(tmp_path)
    before = used(glibc)
    for length in (1000, 500, 1000):
        gpt.admit([0, 1], np.zeros((2, length), np.int64))
    gpt.release()
    assert used(glibc) - before < 2 * MIB  # an arena's first MiB stays


def test_slots_that_nobody_uses_take_no_memory(tmp_path: Path) -> None:
    """A cache of 1 GiB, of which only the positions of a prefix are touched."""
    resource = pytest.importorskip("resource")
    build_stage(stage_weights("text"), TEXT_HEADS, "fp32", tmp_path)
    gpt = OnnxCausalGPT(tmp_path, SHAPES["text"], "text", TEXT_HEADS, 1, PROVIDERS, 2048)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    gpt.admit([2000], np.zeros((1, 20), np.int64))
    gpt.draw(gpt.step([2000]), [2000], [Draw(0, 0, Sampling(0))])
    assert gpt._cache.nbytes == 1 << 30
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024  # KiB


def test_a_codec_run_leaves_no_memory_behind(glibc: ctypes.CDLL, tmp_path: Path) -> None:
    build_codec(codec_weights(), tmp_path)
    codec = OnnxCodec(tmp_path, codec_weights().shape, 1, PROVIDERS)
    before = used(glibc)
    codec.decode(np.zeros((1, 8, 100), np.int64))
    assert used(glibc) - before < 2 * MIB  # an arena's first MiB stays


def test_keys_and_values_of_a_prefix_come_into_the_cache_without_a_copy(tmp_path: Path) -> None:
    gpt, prefix = coarse(tmp_path), np.zeros((1, 1000), np.int64)
    gpt.admit([0], prefix)
    x = np.zeros((1, 1000, SHAPES["coarse"].n_embd), np.float32)
    logits = [np.zeros((1, 1, 1024), np.float32) for _ in COARSE_HEADS]
    tracemalloc.start()
    gpt._run_whole(gpt._whole, x, 0, logits)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1000 * gpt.position_bytes
