"""The demo voice inside the package is whole, and is what its config says."""

import json
import re
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from alrakis.config import load_config
from alrakis.errors import InputError, WeightsError
from alrakis.export.accuracy.calibration import calibrate
from alrakis.export.accuracy.report import outliers
from alrakis.export.artifacts import Artifacts, part_heads
from alrakis.export.build import build_stage
from alrakis.spec import STAGES, CodecShape, Stage
from alrakis.voices import load_voice
from alrakis.weights import open_weights
from alrakis.weights.demo.weights import FOLDER, DemoVoice, dequantized


def test_its_ids_do_not_overlap() -> None:
    layout = open_weights("demo").layout
    assert layout.semantic_pad == layout.semantic_vocab == layout.coarse_offset
    assert layout.text_offset > layout.semantic_pad
    assert layout.semantic_infer > layout.text_pad > layout.text_offset
    assert layout.coarse_codebook(1).stop == layout.coarse_semantic_pad < layout.coarse_infer
    assert layout.samples_per_frame == 320


def as_head(name: str) -> str:
    """The fine model's embeddings but the first are its heads."""
    found = re.fullmatch(r"transformer\.wtes\.([1-7])\.weight", name)
    return f"lm_heads.{int(found[1]) - 1}.weight" if found else name


@pytest.mark.parametrize("stage", STAGES)
def test_stages_are_the_files(stage: Stage) -> None:
    part = open_weights("demo").stage(stage)
    expected = dequantized(load_file(FOLDER / f"{stage}.safetensors"))
    assert set(part.arrays) == {as_head(name) for name in expected}
    for name, value in expected.items():
        np.testing.assert_array_equal(part.arrays[as_head(name)], value)
    vocabs = {"text": (928, 832), "coarse": (2880, 2880), "fine": (1056, 1056)}[stage]
    assert (part.shape.input_vocab, part.shape.output_vocab) == vocabs


def test_codec() -> None:
    codec = open_weights("demo").codec()
    expected = dequantized(load_file(FOLDER / "codec.safetensors"))
    assert codec.shape == CodecShape(n_filters=16, dimension=64)
    for i in range(8):
        (name,) = {f"codebooks.{i}", f"vqs.{i}.embed"} & set(expected)
        np.testing.assert_array_equal(codec.arrays[f"codebooks.{i}"], expected[name])


def test_int8_arrays_are_read_with_their_scales() -> None:
    rows = np.array([[127, -64], [3, 0]], np.int8)
    scales = np.array([0.5, 2], np.float16)
    other = np.ones(3, np.float16)
    read = dequantized({"a": rows, "a.scale": scales, "b": other})
    np.testing.assert_array_equal(read["a"], np.array([[63.5, -32], [6, 0]], np.float32))
    assert read["b"] is other
    assert set(read) == {"a", "b"}
    for damaged in ({"a": rows}, {"a": rows, "a.scale": other}):
        with pytest.raises(WeightsError, match="missing or has another length"):
            dequantized(damaged)


def test_its_voices_are_named_and_stand_beside_it(tmp_path: Path) -> None:
    voices = open_weights("demo").voices
    assert sorted(voices) == ["demo/rms", "demo/slt"]
    for name, path in voices.items():
        assert load_voice(name, open_weights("demo").layout, weights_voices=voices).name == name
        assert path.parent.parent == FOLDER
    assert DemoVoice(tmp_path).voices == {}


def test_it_has_one_size() -> None:
    with pytest.raises(InputError, match="one size only"):
        open_weights("demo", sizes={"text": "small"})


def copied(folder: Path) -> Path:
    for path in FOLDER.glob("*.*"):
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def read_all(folder: Path) -> None:
    voice = DemoVoice(folder)
    assert voice.layout
    for stage in STAGES:
        voice.stage(stage)
    voice.codec()
    voice.tokenizer()


@pytest.mark.parametrize(
    "name", [*(f"{stage}.safetensors" for stage in STAGES), "codec.safetensors", "config.json"]
)
def test_a_missing_or_cut_file_is_named(name: str, tmp_path: Path) -> None:
    read_all(copied(tmp_path))
    whole = (FOLDER / name).read_bytes()
    for damaged in (None, b"", whole[:-9], whole[: len(whole) // 2], b"nonsense" * 1000):
        (tmp_path / name).unlink()
        if damaged is not None:
            (tmp_path / name).write_bytes(damaged)
        with pytest.raises(WeightsError, match=f"install alrakis anew: .*{re.escape(name)}"):
            read_all(tmp_path)
        (tmp_path / name).write_bytes(whole)


def test_a_file_with_other_bytes_is_named(tmp_path: Path) -> None:
    packed = bytearray((copied(tmp_path) / "coarse.safetensors").read_bytes())
    packed[-1000] ^= 4
    (tmp_path / "coarse.safetensors").write_bytes(packed)
    config = json.loads((tmp_path / "config.json").read_text("utf-8"))
    config["crc32"] = {"coarse.safetensors": zlib.crc32((FOLDER / "coarse.safetensors").read_bytes())}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(WeightsError, match=r"install alrakis anew: .*coarse\.safetensors is damaged"):
        DemoVoice(tmp_path).stage("coarse")
    DemoVoice(tmp_path).stage("fine")


@pytest.mark.parametrize("damaged", ["{}", "[]", '{"phones": 1}'])
def test_a_config_without_its_entries_is_named(damaged: str, tmp_path: Path) -> None:
    (copied(tmp_path) / "config.json").write_text(damaged)
    with pytest.raises(WeightsError, match=r"config\.json has no .*semantic_vocab"):
        read_all(tmp_path)


def test_torch_takes_the_arrays_as_they_are() -> None:
    for array in open_weights("demo").stage("text").arrays.values():
        np.testing.assert_array_equal(torch.tensor(array).numpy(), array)


def test_exports_are_as_exact_as_a_measured_one_would_be(tmp_path: Path) -> None:
    """They are not measured when first made: no layer would be kept in fp32, and no limit is missed."""
    config = load_config("cpu-int8")
    voice = DemoVoice()
    artifacts = Artifacts(voice, config)
    for stage in STAGES:
        part = voice.stage(stage)
        artifact = artifacts.export_into(tmp_path, part)
        assert artifact.notes["report"] is None
        report = artifacts.verify(artifact, part)
        assert report.shortfalls(config) == []


@pytest.mark.parametrize("stage", ["text", "coarse"])
def test_scales_of_the_cache_are_those_that_measuring_gives(stage: Stage, tmp_path: Path) -> None:
    voice = DemoVoice()
    part = voice.stage(stage)
    assert part.cache_scales is not None
    heads = part_heads(part, voice.layout)
    build_stage(part, heads, "int8", tmp_path)
    found = calibrate(part, heads, tmp_path)
    np.testing.assert_allclose(part.cache_scales, found.cache_scales, rtol=1e-5)
    assert outliers(found.errors, load_config("cpu-int8").verify_outlier) == ()
