"""What a source of weights gives: parts with an identity, and nothing that it need not have."""

from pathlib import Path

import numpy as np
import pytest

from alrakis.spec import STAGES, CodecShape, GPTShape, Layout, Stage
from alrakis.text.encoder import TextEncoder
from alrakis.weights import open_weights
from alrakis.weights.identity import identity_of
from alrakis.weights.names import codec_arrays, gpt_arrays
from alrakis.weights.types import CodecWeights, StageWeights, Weights
from tests.weights.parts import Counted


@pytest.fixture
def made(tmp_path: Path) -> tuple[Counted, Path]:
    path = tmp_path / "made.bin"
    path.write_bytes(b"1")
    return Counted(weight=np.arange(6.0, dtype=np.float32)), path


def test_it_is_worked_out_when_asked_for(made: tuple[Counted, Path]) -> None:
    arrays, path = made
    part = StageWeights("text", None, arrays, "made", identity_of("text", arrays, [path]))
    assert arrays.reads == 0
    assert part.identity == part.identity
    assert arrays.reads == 1


class Least(Weights):
    """What a set of weights has to have, and nothing else."""

    name = "least"
    layout = Layout()

    def stage(self, stage: Stage) -> StageWeights:
        return StageWeights(stage, GPTShape(1, 1, 1, 1, 1), {}, "nowhere", "an identity")

    def codec(self) -> CodecWeights:
        return CodecWeights(CodecShape(), {}, "nowhere", lambda: "worked out")

    def tokenizer(self) -> TextEncoder:
        raise NotImplementedError


def test_what_weights_need_not_have_is_empty() -> None:
    weights = Least()
    assert (dict(weights.voices), weights.note, weights.remarks("hello")) == ({}, "", [])
    assert weights.stage("fine").identity == "an identity"
    assert weights.codec().identity == "worked out"
    assert open_weights(weights) is weights


def test_what_weights_must_have_is_asked_for() -> None:
    class Unfinished(Weights):
        pass

    with pytest.raises(TypeError, match=r"codec.*stage.*tokenizer"):
        Unfinished()  # type: ignore[abstract]


@pytest.mark.parametrize("name", ["demo", "synthetic-tiny"])
def test_every_source_keeps_to_the_one_naming(name: str) -> None:
    weights = open_weights(name)
    for stage in STAGES:
        part = weights.stage(stage)
        assert {key: part.arrays[key].shape for key in part.arrays} == gpt_arrays(part.shape)
        assert {str(array.dtype) for array in part.arrays.values()} <= {"float32", "float16", "bfloat16"}
    codec = weights.codec()
    assert {key: codec.arrays[key].shape for key in codec.arrays} == codec_arrays(codec.shape)
