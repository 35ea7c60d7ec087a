"""The way from texts to the demo voice: what is held out, what is packed, and what is counted."""

import random
from pathlib import Path

import numpy as np
import pytest
import torch

from alrakis.config import preset_names
from alrakis.spec import STAGES
from alrakis.weights.demo.weights import FOLDER, DemoVoice, dequantized
from alrakis.weights.safetensors_file import read_safetensors
from demo_voice import corpus, evaluate, pack, steps, templates
from demo_voice.__main__ import make_parser
from demo_voice.coarse_stage import HISTORY, PREFIX, STEPS, make_batch, window
from demo_voice.semantic import Ids
from demo_voice.speech import Utterance
from demo_voice.training import Plan, Training, batches, load_average

MEBI = 2**20


def held_out() -> list[str]:
    lines = []
    for name in corpus.HELD_OUT:
        lines += (corpus.HERE / name).read_text("utf-8").splitlines()
    return [part for line in lines for part in line.split("\t")]


def test_enough_is_held_out() -> None:
    counts = [len((corpus.HERE / name).read_text("utf-8").splitlines()) for name in corpus.HELD_OUT]
    assert counts[0] == 40
    assert counts[1] >= 30
    assert counts[2] >= 20


def test_a_text_that_is_held_out_shares_its_runs_of_words_however_it_is_written() -> None:
    for sentence in held_out():
        for written in (sentence.upper(), f"And so {sentence.rstrip('.')}, he said"):
            assert len(corpus.plain_words(sentence)) < 4 or corpus.runs(written) & corpus.held_out_runs()


def test_training_texts_share_no_run_of_four_words_with_what_is_held_out() -> None:
    if not (corpus.WORDNET.exists() and corpus.SCOWL.exists()):
        pytest.skip("Debian's wordnet-base and scowl are not installed (make demo-voice-tools)")
    texts = corpus.Corpus(seed=3).texts()
    drawn = [next(texts) for _ in range(500)]
    banned = {run for sentence in held_out() for run in corpus.runs(sentence)}
    assert not [text for text in drawn if corpus.runs(text) & banned]
    assert len(set(drawn)) > 450
    assert all(corpus.speakable(text) for text in drawn)
    again = corpus.Corpus(seed=3).texts()
    assert [next(again) for _ in range(20)] == drawn[:20]


def test_templates_write_numbers_in_words() -> None:
    drawn = [templates.sentence(random.Random(seed)) for seed in range(300)]
    assert not [text for text in drawn if any(char.isdigit() for char in text)]


def test_text_ids_are_those_of_the_engine() -> None:
    ids, text = Ids.read(), "Well, it's a half-open door; isn't it?"
    assert (ids.tokens(text)[0] - ids.text_offset).tolist() == DemoVoice().tokenizer().encode(text)


def spoken() -> Utterance:
    """What the data has of a text of 4 s."""
    ids, generator = Ids.read(), np.random.default_rng(1)
    semantic = generator.integers(ids.semantic_vocab, size=200)
    codes = generator.integers(ids.codec["entries"], size=(8, 300))
    return Utterance("slt", np.arange(40) + ids.text_offset, semantic, None, None, codes)


def test_a_coarse_window_is_one_that_generation_sees() -> None:
    ids, generator = Ids.read(), np.random.default_rng(2)
    windows = [window(spoken(), None, ids, generator) for _ in range(20)]
    assert max(len(made.coarse) for made in windows) <= HISTORY + STEPS
    assert max(len(made.semantic) for made in windows) <= PREFIX
    prefix, places, inputs, targets = make_batch(windows, ids, generator, whole=True)
    assert prefix.shape == places.shape == (20, PREFIX)
    assert (inputs[:, 0] == ids.coarse_infer).all()
    for row, made in enumerate(windows):
        given = made.coarse[made.begin :] - ids.coarse_offset
        np.testing.assert_array_equal(targets[row, made.begin : len(made.coarse)], given)
        assert (targets[row, : made.begin] == -100).all()


def test_batches_hold_each_row_once_a_round() -> None:
    lengths = np.random.default_rng(0).integers(10, 300, size=130)
    drawn: list[int] = []
    for batch in batches(lengths, 1000, np.random.default_rng(0)):
        assert len(batch) == 1 or max(lengths[batch]) * len(batch) <= 1000
        drawn += batch
        if len(drawn) >= 130:
            break
    assert sorted(drawn) == list(range(130))


def trained(path: Path, plan: Plan) -> Training:
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 2)
    training = Training(model, path, plan, muon=0.01, adam=0.05)
    while not training.finished:
        training.step(((model(torch.ones(4, 3)) - 1) ** 2).mean(), 4)
    return training


def test_a_plan_warms_up_to_its_peak_and_ends_near_nothing() -> None:
    plan = Plan(50, 50, warmup=10, peak=0.5)
    rates = [plan.rate(step) for step in range(plan.steps)]
    assert rates[:10] == sorted(rates[:10])
    assert max(rates) == rates[9] == rates[50] == 0.5
    assert rates[50:] == sorted(rates[50:], reverse=True)
    assert rates[-1] < 0.02


def test_training_that_was_interrupted_ends_where_the_other_ends(tmp_path: Path) -> None:
    whole = trained(tmp_path / "whole.pt", Plan(30, 0, warmup=1))
    trained(tmp_path / "part.pt", Plan(12, 0, warmup=1)).save()
    assert trained(tmp_path / "part.pt", Plan(30, 0, warmup=1)).count == 30
    resumed = trained(tmp_path / "part.pt", Plan(30, 0, warmup=1))
    resumed.save()
    for name, tensor in load_average(tmp_path / "part.pt").items():
        torch.testing.assert_close(tensor, whole.averaged()[name])


def test_packed_parameters_are_read_back_within_half_a_step_of_their_row(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(1)
    tensors = {
        "matrix": torch.randn(5, 7, generator=generator) * torch.tensor([1e-4, 0.1, 1, 10, 100])[:, None],
        "kernel": torch.randn(4, 3, 9, generator=generator),
        "zeros": torch.zeros(2, 3),
        "bias": torch.randn(6, generator=generator),
    }
    pack.write(tmp_path / "x.safetensors", tensors)
    stored = read_safetensors(tmp_path / "x.safetensors")
    assert stored["matrix"].dtype == stored["kernel"].dtype == np.int8
    read = dequantized(stored)
    for name in ("matrix", "kernel", "zeros"):
        array = tensors[name].numpy()
        largest = np.abs(array).max(axis=tuple(range(1, array.ndim)), keepdims=True)
        assert (np.abs(read[name] - array) <= largest / 127 * 0.51 + 2e-7).all()
    np.testing.assert_array_equal(read["bias"], tensors["bias"].numpy().astype(np.float16))


def test_packing_without_checkpoints_keeps_the_voice(tmp_path: Path) -> None:
    pack.pack(tmp_path / "nothing", tmp_path / "packed")
    assert sum(path.stat().st_size for path in (tmp_path / "packed").iterdir()) < 16 * MEBI
    before, after = DemoVoice(), DemoVoice(tmp_path / "packed")
    for stage in STAGES:
        old, new = before.stage(stage).arrays, after.stage(stage).arrays
        assert set(old) == set(new)
        for name in old:
            close_by_rows(old[name], new[name])
    for name, array in before.codec().arrays.items():
        close_by_rows(array, after.codec().arrays[name])


def close_by_rows(old: np.ndarray, new: np.ndarray) -> None:
    rest = tuple(range(1, old.ndim)) or None
    largest = np.abs(np.asarray(old, np.float32)).max(axis=rest, keepdims=True)
    assert (np.abs(np.asarray(new, np.float32) - old) <= largest / 127 * 0.55 + 1e-3 * largest + 1e-6).all()


def test_what_is_packed_fits_the_wheel() -> None:
    assert sum(path.stat().st_size for path in FOLDER.rglob("*.*")) < 16 * MEBI


def test_every_step_is_a_command() -> None:
    parser = make_parser()
    for step in steps.STEPS:
        assert parser.parse_args([step.__name__, "--toy"]).toy
    assert parser.parse_args(["fine_gain"]).weights == FOLDER
    assert parser.parse_args(["spectrogram"]).weights == [FOLDER]
    assert parser.parse_args(["evaluate", "--configs", "cpu-int8"]).configs == ["cpu-int8"]


def test_every_preset_for_cpus_is_in_the_table() -> None:
    assert set(evaluate.CONFIGS) == {name for name in preset_names() if not name.startswith("gpu-")}


@pytest.mark.parametrize("config", [name for name in evaluate.CONFIGS if name != "torch-fp32"])
def test_the_model_card_has_every_config_with_each_voice(config: str) -> None:
    rows = (FOLDER / "MODEL_CARD.md").read_text("utf-8").splitlines()
    for voice in DemoVoice(FOLDER).voices:
        assert any(row.startswith(f"| {config} | {voice} |") for row in rows)


@pytest.mark.parametrize(
    ("wanted", "heard", "count"),
    [
        ("It is 9:30 a.m.", "it is nine thirty AM", 0),
        ("Two hundred and five.", "205", 0),
        ("The half-open door isn't shut.", "the half open door isnt shut", 0),
        ("one two three", "one three", 1),
        ("one two three", "one two four three", 1),
        ("one two three", "", 3),
    ],
)
def test_words_are_compared_not_their_spelling(wanted: str, heard: str, count: int) -> None:
    assert evaluate.distance(evaluate.compared(wanted), evaluate.compared(heard)) == count


@pytest.mark.parametrize("pitch", [80, 101, 170, 230])
def test_pitch_is_that_of_the_pulses_not_an_octave_off(pitch: float) -> None:
    generator = np.random.default_rng(int(pitch))
    places = np.arange(24_000)
    pulses = sum(np.cos(2 * np.pi * pitch * k * places / 24_000) / k for k in range(1, 12))
    pulses[:6000] = 0  # a pause
    noisy = (0.1 * pulses + 0.01 * generator.standard_normal(24_000)).astype(np.float32)
    assert evaluate.pitch_hz(noisy) == pytest.approx(pitch, rel=0.02)
    assert np.isnan(evaluate.pitch_hz(generator.standard_normal(24_000).astype(np.float32)))


def test_log_mel_distance_leaves_other_durations_out() -> None:
    noise = np.random.default_rng(4)
    slow, quick = (
        np.concatenate([np.sin(np.arange(length, dtype=np.float32) * pitch) for pitch in (0.05, 0.2, 0.6)])
        for length in (24_000, 16_000)
    )
    other = noise.standard_normal(len(quick)).astype(np.float32)
    assert evaluate.mel_distance(quick, quick) == 0
    assert evaluate.mel_distance(slow, quick) * 3 < evaluate.mel_distance(other, quick)
