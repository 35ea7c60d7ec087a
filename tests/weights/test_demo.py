"""The demo voice inside the package is whole, and is what its config says."""

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from alrakis.errors import InputError, WeightsError
from alrakis.spec import STAGES, CodecShape
from alrakis.weights import open_weights
from alrakis.weights.demo import FOLDER, DemoVoice, dequantized


def test_its_ids_do_not_overlap():
    layout = open_weights("demo").layout
    assert layout.semantic_pad == layout.semantic_vocab == layout.coarse_offset
    assert layout.text_offset > layout.semantic_pad
    assert layout.semantic_infer > layout.text_pad > layout.text_offset
    assert layout.coarse_codebook(1).stop == layout.coarse_semantic_pad < layout.coarse_infer
    assert layout.samples_per_frame == 320


@pytest.mark.parametrize("stage", STAGES)
def test_stages_are_the_files(stage):
    part = open_weights("demo").stage(stage)
    expected = load_file(FOLDER / f"{stage}.safetensors")
    assert set(part.arrays) == set(expected)
    for name, value in expected.items():
        assert part.arrays[name].dtype == np.float16
        np.testing.assert_array_equal(part.arrays[name], value)
    vocabs = {"text": (928, 832), "coarse": (2880, 2880), "fine": (1056, 1056)}[stage]
    assert (part.shape.input_vocab, part.shape.output_vocab) == vocabs


def test_codec():
    codec = open_weights("demo").codec()
    expected = load_file(FOLDER / "codec.safetensors")
    assert codec.shape == CodecShape(n_filters=16, dimension=64)
    for i in range(8):
        np.testing.assert_array_equal(codec.arrays[f"codebooks.{i}"], expected[f"vqs.{i}.embed"])


def test_tokenizer_spells_in_lower_case(tmp_path):
    from transformers import BertTokenizer

    weights = open_weights("demo")
    (tmp_path / "vocab.txt").write_text("\n".join(weights._config["text_vocab"]))
    expected = BertTokenizer(vocab=str(tmp_path / "vocab.txt"), do_lower_case=True)
    text = "Hello, my name is Suno; it's me!"
    ids = weights.tokenizer().encode(text)
    assert ids == expected.encode(text, add_special_tokens=False)
    assert max(ids) + weights.layout.text_offset < weights.layout.text_pad


def test_tokenizer_writes_numbers_out_and_skips_what_it_has_no_sound_for():
    encoder = open_weights("demo").tokenizer()
    assert encoder.encode("It is 5.") == encoder.encode("It is five.")
    assert encoder.encode("na\u00efve \u266a stra\u00dfe") == encoder.encode("naive strae")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Good morning, how are you?", []),
        ("It costs $5 on May 3.", []),
        ("Music \u266a and more", ["no sound for \u266a: skipped"]),
        ("Das ist nicht die Antwort.", ["looks like German"]),
        ("Je ne sais pas o\u00f9 est la gare.", ["looks like French"]),
        ("one word after the other " * 10, ["takes about 17 s"]),
    ],
)
def test_what_it_cannot_say_is_said_before(text, said):
    remarks = open_weights("demo").tokenizer().remarks(text)
    assert len(remarks) == len(said)
    for remark, part in zip(remarks, said, strict=True):
        assert part in remark


@pytest.mark.parametrize("text", ["\u3053\u308c\u306f", "...", "\U0001f600"])
def test_a_text_of_which_nothing_can_be_said_is_refused(text):
    with pytest.raises(InputError, match="nothing of"):
        open_weights("demo").tokenizer().remarks(text)


def test_int8_arrays_are_read_with_their_scales():
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


def test_it_has_one_size():
    with pytest.raises(InputError, match="one size only"):
        open_weights("demo", sizes={"text": "small"})


def test_a_damaged_installation_is_said(tmp_path):
    with pytest.raises(WeightsError, match="install alrakis anew"):
        _ = DemoVoice(tmp_path).layout
    (tmp_path / "config.json").write_bytes((FOLDER / "config.json").read_bytes())
    (tmp_path / "fine.safetensors").write_bytes((FOLDER / "fine.safetensors").read_bytes()[:-1])
    with pytest.raises(WeightsError, match=r"fine\.safetensors"):
        DemoVoice(tmp_path).stage("fine")


def test_torch_takes_the_arrays_as_they_are():
    array = open_weights("demo").stage("text").arrays["lm_head.weight"]
    assert torch.tensor(array).dtype == torch.float16
