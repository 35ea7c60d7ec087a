"""Step `pack`: checkpoints to int8 safetensors with a scale a row, as the package holds them; and back."""

import json
import tempfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file
from torch import nn

from alrakis.export.accuracy.calibration import calibrate
from alrakis.export.artifacts import part_heads
from alrakis.export.build import build_stage
from alrakis.spec import Stage
from alrakis.weights.demo.weights import FOLDER, SCALE, DemoVoice, dequantized
from alrakis.weights.safetensors_file import read_safetensors
from demo_voice import coarse_stage, fine_stage
from demo_voice.codec import Codec
from demo_voice.model import GPT, FineGPT
from demo_voice.semantic import Ids
from demo_voice.training import load_average

ENCODER = Path(__file__).parent / "encoder.safetensors"  # `encode` needs it, speaking does not
REFINER = Path(__file__).parent / "refiner.safetensors"  # `fine` needs it, speaking does not
STAGES = ("text", "coarse", "fine")
CAUSAL: tuple[Stage, ...] = ("text", "coarse")


def pack(work: Path, out: Path) -> None:
    """Write what has a checkpoint in `work`; the other parts stay those that are packed now."""
    out.mkdir(parents=True, exist_ok=True)
    for stage in STAGES:
        checkpoint = work / f"{stage}.pt"
        write(
            out / f"{stage}.safetensors", load_average(checkpoint) if checkpoint.exists() else packed(stage)
        )
    codec = trained_codec(work)
    write(out / "codec.safetensors", codec.folded())
    if (work / "codec.pt").exists():  # a new encoder: with these weights, it takes the place of ENCODER
        write(out / ENCODER.name, _part(codec.encoder, "encoder"))
    if (work / "refined.pt").exists():  # so does a new refiner that of REFINER
        write(out / REFINER.name, _part(codec.refiner, "refiner"))
    config = json.loads((FOLDER / "config.json").read_text("utf-8"))
    names = [f"{part}.safetensors" for part in (*STAGES, "codec")]
    config["crc32"] = {name: zlib.crc32((out / name).read_bytes()) for name in names}
    lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in config.items()]
    (out / "config.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")
    write_cache_scales(out)


def write_cache_scales(out: Path) -> None:
    """Write the scales of an int8 KV cache, as an export would find them, so that a first one need not."""
    voice = DemoVoice(out)
    for stage in CAUSAL:
        weights = voice.stage(stage)
        with tempfile.TemporaryDirectory() as folder:
            heads = part_heads(weights, voice.layout)
            build_stage(weights, heads, "int8", Path(folder))
            scales = calibrate(weights, heads, Path(folder)).cache_scales
            np.save(out / f"{stage}_cache_scales.npy", np.asarray(scales))


def trained_codec(work: Path) -> Codec:
    """The packed codec with what was trained of it: as a whole, refined, or its decoder alone after that."""
    codec = Codec(Ids.read())
    codec.restore(packed_codec())
    _take_up(codec, work / "codec.pt")
    if (work / "refiner.pt").exists():
        codec.refiner.load_state_dict(load_average(work / "refiner.pt"))
    _take_up(codec, work / "refined.pt")
    if (work / "decoder.pt").exists():
        codec.decoder.load_state_dict(load_average(work / "decoder.pt"))
    return codec.eval()


def _take_up(codec: Codec, checkpoint: Path) -> None:
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        codec.load_state_dict(saved["model"])  # codebooks are no parameters: they have no average
        codec.load_state_dict(saved["average"], strict=False)


def trained_coarse(work: Path) -> GPT:
    """The coarse model as it was trained last."""
    model, checkpoint = coarse_stage.make_model(Ids.read()), work / "coarse.pt"
    model.load_state_dict(load_average(checkpoint) if checkpoint.exists() else packed("coarse"))
    return model.eval()


def trained_fine(work: Path) -> FineGPT:
    """The fine model as it was trained last."""
    model, checkpoint = fine_stage.make_model(Ids.read()), work / "fine.pt"
    found = load_average(checkpoint) if checkpoint.exists() else packed("fine")
    model.load_state_dict(found, strict=False)  # the tied embeddings are stored once
    return model.eval()


def packed_codec(folder: Path = FOLDER) -> dict[str, torch.Tensor]:
    """The packed codec with its encoder and refiner, which only training needs."""
    found = packed("codec", folder)
    for path in (ENCODER, REFINER):
        beside = folder / path.name  # a new one, as it was packed with this codec
        found |= tensors(read_safetensors(beside if beside.exists() else path))
    return found


def packed(stage: str, folder: Path = FOLDER) -> dict[str, torch.Tensor]:
    """The parameters that are in the package, to go on from: every step starts with them."""
    return tensors(read_safetensors(folder / f"{stage}.safetensors"))


def _part(module: nn.Module, name: str) -> dict[str, torch.Tensor]:
    return {f"{name}.{key}": tensor.detach() for key, tensor in module.named_parameters()}


def write(path: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    """int8 for matrices and kernels, float16 for the rest."""
    arrays: dict[str, Any] = {}
    for name, tensor in sorted(tensors.items()):
        array = tensor.detach().float().numpy()
        if array.ndim < 2:
            arrays[name] = array.astype(np.float16)
            continue
        scale = (np.abs(array).max(axis=tuple(range(1, array.ndim))) / 127 + 1e-7).astype(np.float16)
        rows = scale.astype(np.float32).reshape(-1, *[1] * (array.ndim - 1))
        arrays[name] = np.clip(np.round(array / rows), -127, 127).astype(np.int8)
        arrays[name + SCALE] = scale
    save_file(arrays, path, metadata={"format": "np"})


def tensors(stored: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """Stored arrays as float32."""
    return {name: torch.from_numpy(np.array(a, np.float32)) for name, a in dequantized(stored).items()}


def report(out: Path) -> str:
    sizes = {path.name: path.stat().st_size for path in sorted(out.glob("*.safetensors"))}
    return json.dumps(sizes | {"all": sum(sizes.values())}, indent=1)
