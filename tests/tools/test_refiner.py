"""The refiner and its codebooks: what the fine stage of the demo voice learns to say."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from demo_voice import pack
from demo_voice.codec import HOP, Codec
from demo_voice.codec_stage import begin_codebooks
from demo_voice.fine_stage import BESIDE, SHARPNESS, drawing_losses, make_batch, make_model, sequence
from demo_voice.refine_stage import train_refiner
from demo_voice.semantic import Ids
from demo_voice.speech import Utterance
from demo_voice.training import Plan


@pytest.fixture(scope="module")
def codec() -> Codec:
    """The packed codec with a refiner of random weights, and codebooks of what it gives."""
    torch.manual_seed(2)
    codec = Codec(Ids.read())
    codec.restore(pack.packed_codec())
    torch.nn.init.normal_(codec.refiner.out.weight, 0, 0.1)
    with torch.no_grad():
        begin_codebooks(codec.fine_books, codec.correction(coarse_codes(4, 400)))
    return codec.eval()


def coarse_codes(rows: int, length: int) -> Tensor:
    return torch.randint(1024, (rows, 2, length), generator=torch.Generator().manual_seed(length))


def missed(codec: Codec, coarse: Tensor, codes: Tensor, count: int) -> float:
    """How far the first `count` fine codes are from the refiner's correction, of its own size."""
    wanted = codec.correction(coarse)
    summed = codec.vectors(codes[:, : 2 + count]) - codec.vectors(codes[:, :2])
    return float((wanted - summed).norm() / wanted.norm())


def test_each_fine_codebook_comes_nearer_to_the_correction(codec: Codec) -> None:
    coarse = coarse_codes(2, 100)
    with torch.no_grad():
        codes = codec.complete(coarse)
        distances = [missed(codec, coarse, codes, count) for count in range(7)]
    assert torch.equal(codes[:, :2], coarse)
    assert distances == sorted(distances, reverse=True)
    assert distances[0] == 1
    assert distances[6] < 0.8


def test_later_codebooks_make_up_for_a_slip(codec: Codec) -> None:
    coarse = coarse_codes(2, 100)
    with torch.no_grad():
        exact, correction = codec.complete(coarse), codec.correction(coarse)
        slipped = torch.cat([coarse, codec.fine_codes(correction, slip=0.7)], 1)
        first = [missed(codec, coarse, codes, 1) for codes in (exact, slipped)]
        last = [missed(codec, coarse, codes, 6) for codes in (exact, slipped)]
    assert not torch.equal(exact, slipped)
    assert first[1] > first[0]
    assert last[1] < first[1]


def test_the_entry_that_misses_least_is_the_one_that_is_chosen(codec: Codec) -> None:
    with torch.no_grad():
        correction = codec.correction(coarse_codes(2, 100))
        fine = codec.fine_codes(correction)
        slipped = codec.fine_codes(correction, slip=0.7)
        for count in range(6):
            misses = codec.misses(correction, fine[:, :count])
            assert (misses > -1e-4).all()
            assert (misses.argmin(-1) == fine[:, count]).float().mean() > 0.99
        after = codec.misses(correction, slipped[:, :1]).argmin(-1)
    assert not torch.equal(after, fine[:, 1])


def test_drawing_losses_are_least_for_the_nearest_entries() -> None:
    misses = torch.rand(200, 1024, generator=torch.Generator().manual_seed(1))
    good = -misses * SHARPNESS / misses.amin(-1).mean()
    losses = [drawing_losses(logits, misses) for logits in (good, torch.zeros(200, 1024), -good)]
    divergences, missed = ([float(loss[i]) for loss in losses] for i in (0, 1))
    assert divergences[0] == pytest.approx(0, abs=1e-4)
    assert divergences == sorted(divergences)
    assert missed == sorted(missed)
    assert missed[1] == pytest.approx(1)


def test_padded_frames_say_nothing(codec: Codec) -> None:
    padded = torch.full((1, 2, 60), 1024)
    with torch.no_grad():
        silent = codec.refiner(torch.zeros(1, 128, 60))
        torch.testing.assert_close(codec.correction(padded), silent)


def utterance(length: int, seed: int) -> Utterance:
    generator = np.random.default_rng(seed)
    samples = (generator.standard_normal(length * HOP * 2 // 3) * 3000).astype(np.int16)
    return Utterance("slt", None, None, None, samples, generator.integers(1024, size=(2, length)))


def test_a_fine_batch_hides_what_is_learned_and_no_more() -> None:
    ids, random = Ids.read(), np.random.default_rng(5)
    rows = np.stack([sequence([utterance(200, 1)], 512, ids.fine_pad, random) for _ in range(6)])
    coarse = torch.from_numpy(rows)
    padded = coarse[..., 0] == ids.fine_pad
    codes = torch.cat([coarse, torch.randint(1024, (6, 512, 6))], 2)
    for codebook in range(2, 8):
        inputs, learned = make_batch(codes, codebook, ids, random)
        assert learned.any()
        assert not learned[padded].any()
        assert (inputs[padded] == ids.fine_pad).all()
        assert (inputs[..., codebook][learned] == ids.fine_pad).all()
        assert torch.equal(inputs[~padded][:, 2:codebook], codes[~padded][:, 2:codebook])


def write_shard(path: Path) -> None:
    spoken = [utterance(300, seed) for seed in range(2)]
    path.mkdir(parents=True)
    for name in ("text", "semantic", "guide"):
        np.save(path / f"{name}.npy", np.zeros(4, np.int16))
        np.save(path / f"{name}_ends.npy", np.array([2, 4]))
    np.save(path / "samples.npy", np.concatenate([each.samples for each in spoken]))
    np.save(path / "samples_ends.npy", np.cumsum([len(each.samples) for each in spoken]))


def test_refining_leaves_the_coarse_codes_as_they_are(tmp_path: Path) -> None:
    write_shard(tmp_path / "data" / "speech-slt-000")
    codec, samples = pack.trained_codec(tmp_path), torch.randn(1, 1, 40 * HOP) * 0.1
    coarse = codec.coarse_codes(samples)
    before = {name: tensor.clone() for name, tensor in codec.state_dict().items()}
    train_refiner(tmp_path, Plan(3, 2), speakers=("slt",), codec=codec)
    refined = pack.trained_codec(tmp_path)
    assert torch.equal(refined.coarse_codes(samples), coarse)
    for name, tensor in refined.state_dict().items():
        if name.startswith(("encoder.", "vqs.0.", "vqs.1.")):
            assert torch.equal(tensor, before[name])
    assert refined.refiner.out.weight.any()
    assert not torch.equal(refined.fine_books[0].embed, before["vqs.2.embed"])
    pack.pack(tmp_path, tmp_path / "packed")
    assert (tmp_path / "packed" / pack.REFINER.name).exists()
    assert not (tmp_path / "packed" / pack.ENCODER.name).exists()


def test_the_fine_model_begins_with_looking_beside_each_frame() -> None:
    torch.manual_seed(4)
    model = make_model(Ids.read())
    codes = torch.randint(1024, (1, 100, 8))
    embeddings = [table(codes[..., i]) for i, table in enumerate(model.transformer.wtes)]
    x = torch.stack(embeddings).sum(0) + model.transformer.wpe.weight[:100]
    block = model.transformer.h[0]
    with torch.no_grad():
        _, scores = block.attn(block.ln_1(x), None)
    inner = torch.arange(10, 90)
    for head, offset in enumerate(BESIDE[0]):
        looked_at = scores[0, head].argmax(1)[inner] - inner
        assert looked_at.median() == offset
        assert (looked_at == offset).float().mean() > 0.5
