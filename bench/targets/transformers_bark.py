"""The BarkModel of transformers as a peer: its own networks with the parameters that alrakis uses."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from alrakis.bench.targets.counting import counted_networks
from alrakis.bench.targets.program import Generated
from alrakis.bench.targets.suno_bark import network_bytes, stub_torchaudio, tensor
from alrakis.spec import STAGES, TEXT_TOKENS, GPTShape, Stage
from alrakis.stages.semantic import max_semantic_steps
from alrakis.text.encoder import encode_text
from alrakis.timings import Clock
from alrakis.voices import load_voice
from alrakis.weights import open_weights
from alrakis.weights.types import CodecWeights, StageWeights, Weights

_NETWORKS: dict[Stage, str] = {"text": "semantic", "coarse": "coarse_acoustics", "fine": "fine_acoustics"}
# from suno's names of parameters to those of transformers
_RENAMES = (
    (r"^transformer\.wte\.", "input_embeds_layer."),
    (r"^transformer\.wtes\.", "input_embeds_layers."),
    (r"^transformer\.wpe\.", "position_embeds_layer."),
    (r"^transformer\.ln_f\.", "layernorm_final."),
    (r"^transformer\.h\.", "layers."),
    (r"\.ln_(\d)\.", r".layernorm_\1."),
    (r"\.attn\.c_attn\.", ".attn.att_proj."),
    (r"\.attn\.c_proj\.", ".attn.out_proj."),
    (r"\.mlp\.c_fc\.", ".mlp.in_proj."),
    (r"\.mlp\.c_proj\.", ".mlp.out_proj."),
)


class TransformersBark:
    """`BarkModel.generate`. dtype: `float32`, `float16`, `bfloat16`. static: caches of fixed size."""

    def __init__(
        self,
        source: str | Weights,
        threads: int | None,
        dtype: str,
        device: str = "cpu",
        *,
        static: bool = False,
    ) -> None:
        stub_torchaudio()  # transformers imports it too
        import torch

        if threads:
            torch.set_num_threads(threads)
        weights = open_weights(source)
        self._layout, self._tokenizer = weights.layout, weights.tokenizer()
        stages = {stage: weights.stage(stage) for stage in STAGES}
        self._bytes = network_bytes(stages["coarse"].shape, getattr(torch, dtype).itemsize)
        self.model = _model(stages, weights.codec()).to(device, getattr(torch, dtype))
        self._device = device
        self._cache = {"cache_implementation": "static"} if static else {}
        self._clock = Clock()
        for part, name in _NETWORKS.items():
            self._timed(getattr(self.model, name), "generate", part)
        self._timed(self.model, "codec_decode", "codec")

    def generate(self, texts: Sequence[str], seconds: float, voice: str | None) -> Generated:
        (text,) = texts
        self._clock.seconds.clear()
        tokens = max_semantic_steps(self._layout, seconds)
        model = self.model
        # hooks of the fine model itself are not called, those of its last layer are
        last = model.fine_acoustics.layernorm_final
        with counted_networks(model.semantic, model.coarse_acoustics, last, _positions) as counts:
            audio = model.generate(
                **self._inputs(text, voice),
                do_sample=True,
                temperature=0.7,
                fine_temperature=0.5,
                semantic_min_new_tokens=tokens,
                semantic_max_new_tokens=tokens,
                **self._cache,
            )
        samples = audio.float().cpu().numpy().size
        counts.coarse.set_read_bytes(*self._bytes)
        return Generated.from_counts(samples / self._layout.sample_rate_hz, counts, self._clock.seconds)

    def _inputs(self, text: str, voice: str | None) -> dict[str, Any]:
        """The arguments that the processor of transformers makes from a text and a voice."""
        import torch

        ids, _ = encode_text(self._tokenizer, text, self._layout)
        mask = (ids != self._layout.text_pad).astype(np.int64)
        inputs: dict[str, Any] = {
            "input_ids": torch.from_numpy(ids - self._layout.text_offset)[None].to(self._device),
            "attention_mask": torch.from_numpy(mask)[None, :TEXT_TOKENS].to(self._device),
        }
        history = load_voice(voice, self._layout)
        if history is not None:
            inputs["history_prompt"] = {
                f"{part}_prompt": torch.from_numpy(np.array(getattr(history, part))).to(self._device)
                for part in ("semantic", "coarse", "fine")
            }
        return inputs

    def _timed(self, owner: Any, method: str, part: str) -> None:
        """Have the clock time a method."""
        call, clock = getattr(owner, method), self._clock

        def timed(*arguments: Any, **named: Any) -> Any:
            with clock.time(part):
                return call(*arguments, **named)

        setattr(owner, method, timed)


def _positions(arguments: tuple[Any, ...], named: dict[str, Any]) -> int:
    """How many positions a call adds."""
    # embeddings have another name before transformers 5
    values = (named.get(name) for name in ("inputs_embeds", "input_embeds", "input_ids"))
    given: Any = next(value for value in values if value is not None)
    length: int = given.shape[1]
    return length


def _model(stages: dict[Stage, StageWeights], codec: CodecWeights) -> Any:
    """A BarkModel with these parameters."""
    import torch
    from transformers import BarkConfig, BarkModel, EncodecConfig
    from transformers.models.bark.generation_configuration_bark import BarkGenerationConfig

    sizes: dict[str, Any] = {
        f"{name}_config": _sizes(stages[stage].shape) for stage, name in _NETWORKS.items()
    }
    config = BarkConfig(
        **sizes,
        codec_config=EncodecConfig(
            num_filters=codec.shape.n_filters, hidden_size=codec.shape.dimension, target_bandwidths=[6.0]
        ).to_dict(),
    )
    model: Any = BarkModel(config)
    state = model.state_dict()
    found = _codec_state(codec, state)
    for stage, name in _NETWORKS.items():
        found |= {f"{name}.{inner}": value for inner, value in _gpt_state(stages[stage]).items()}
    unknown = found.keys() - state.keys()
    if unknown:
        raise RuntimeError(f"this transformers has another Bark: it knows no {sorted(unknown)[0]}")
    with torch.no_grad():
        for key, value in found.items():
            state[key].copy_(value)
    model.generation_config = BarkGenerationConfig()
    for name in _NETWORKS.values():  # the model needs dicts here; empty ones mean Bark's defaults
        setattr(model.generation_config, f"{name}_config", {})
    return model.eval()


def _sizes(shape: GPTShape) -> dict[str, Any]:
    return {
        "num_layers": shape.n_layer,
        "num_heads": shape.n_head,
        "hidden_size": shape.n_embd,
        "block_size": shape.block_size,
        "input_vocab_size": shape.input_vocab,
        "output_vocab_size": shape.output_vocab,
        "bias": False,
    }


def _gpt_state(weights: StageWeights) -> dict[str, Any]:
    state = {}
    for name, array in weights.arrays.items():
        for pattern, replacement in _RENAMES:
            name = re.sub(pattern, replacement, name)
        state[name] = tensor(array)
    return state


def _codec_state(weights: CodecWeights, known: dict[str, Any]) -> dict[str, Any]:
    """The parameters of the codec under the names of transformers, its weight norm unfolded."""
    import torch

    state = {}
    for name, array in weights.arrays.items():
        value = tensor(array)
        if name.startswith("codebooks."):
            state[f"codec_model.quantizer.layers.{name.split('.')[1]}.codebook.embed"] = value
            continue
        name = name.replace("decoder.model.", "codec_model.decoder.layers.", 1)
        name = name.replace(".conv.conv.", ".conv.").replace(".convtr.convtr.", ".conv.")
        under = name.replace(".weight", ".parametrizations.weight.original")
        if f"{under}1" in known:
            state[f"{under}1"] = value
            state[f"{under}0"] = torch.linalg.vector_norm(value, dim=(1, 2), keepdim=True)
        else:
            state[name] = value
    return state
