"""What a server can be told: by flags, or by variables `ALRAKIS_` and a setting's name in capitals."""

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from alrakis.errors import ConfigError, InputError, nearest
from alrakis.files.parsing import read_file, reason
from alrakis.places.given import given_path
from alrakis.places.variables import PREFIX

LEAST_KEY_CHARS = 8

Seconds = Annotated[float, Field(allow_inf_nan=False)]


class Settings(BaseSettings):
    """Everything about a server that can be chosen. A flag counts more than a variable."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    host: str = Field(default="127.0.0.1", description="the address to listen on")
    port: int = Field(default=8000, ge=0, le=65535, description="0: any that is free")
    weights: str = Field(default="bark", description="what speaks: a name or a folder")
    config: str = Field(default="auto", description="a preset's name or a TOML file")
    overrides: dict[str, Any] = Field(default={}, description="keys of the config, laid over it")

    api_key: SecretStr | None = Field(
        default=None, description="a key that clients show; several are separated by commas"
    )
    api_key_file: Path | None = Field(default=None, description="a file with such keys, one a line")
    open: bool = Field(default=False, description="serve other machines without a key")
    cors: str = Field(default="", description="origins whose pages may call, separated by commas; * for all")
    aliases: Path | None = Field(default=None, description="a TOML file of other names of voices and models")
    listen: str | None = Field(default=None, description="a Whisper model that compares takes, finds words")
    wyoming: int | None = Field(default=None, ge=0, le=65535, description="a port for Home Assistant")

    max_text_chars: int = Field(default=20_000, ge=1, description="the longest text of a request")
    max_body_bytes: int = Field(default=1 << 18, ge=1024, description="the largest body of a request")
    max_queued_s: Seconds = Field(
        default=1800, gt=0, description="seconds of audio that may wait; more is answered by 429"
    )
    max_connections: int = Field(default=500, ge=1, description="above it, the most idle one is closed")
    timeout_s: Seconds = Field(default=600, gt=0, description="the longest time to the end of an answer")
    read_s: Seconds = Field(default=20, gt=0, description="the longest time for a request to come in")
    stall_s: Seconds = Field(default=60, gt=0, description="how long a client may read nothing")
    grace_s: Seconds = Field(default=30, ge=0, description="what is under way at SIGTERM has so long")
    log_text: bool = Field(default=False, description="write what is said into the log")

    @field_validator("api_key", "api_key_file")
    @classmethod
    def _has_keys(cls, given: SecretStr | Path | None) -> SecretStr | Path | None:
        if given is not None and not _keys_of(given):
            raise ValueError("it has no key: the server would ask nobody for one")
        if any(len(key) < LEAST_KEY_CHARS or not key.isascii() for key in _keys_of(given)):
            raise ValueError(f"a key has {LEAST_KEY_CHARS} ASCII characters or more")
        return given

    @model_validator(mode="after")
    def _closed_to_others(self) -> "Settings":
        if not (self.loopback or self.keys or self.open):
            raise ValueError(
                f"host: other machines could use the server on {self.host}: give an api_key, or open if they "
                "may"
            )
        if self.wyoming is not None and not (self.loopback or self.open):
            raise ValueError(
                f"wyoming: Wyoming knows no keys, and other machines could use it on {self.host}: allow it "
                "with open"
            )
        return self

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that clients may show; none: nobody is asked for one."""
        return (*_keys_of(self.api_key), *_keys_of(self.api_key_file))

    @property
    def origins(self) -> list[str]:
        """The origins whose pages may call."""
        return [origin.strip() for origin in self.cors.split(",") if origin.strip()]


def _keys_of(given: SecretStr | Path | None) -> list[str]:
    """Keys with commas between them, or of a file, one a line. Raises ValueError."""
    if given is None:
        return []
    if isinstance(given, SecretStr):
        keys = given.get_secret_value().split(",")
    else:
        try:
            keys = read_file(given_path(given), 1 << 16).decode("utf-8-sig").splitlines()
        except (OSError, ValueError, InputError) as error:
            raise ValueError(f"the file of keys {given} cannot be read: {reason(error)}") from None
    return [key.strip() for key in keys if key.strip()]


def load_settings(given: Mapping[str, Any]) -> Settings:
    """Settings from what was given, then from variables. Raises ConfigError, which names each mistake."""
    try:
        return Settings(**given)
    except ValidationError as error:
        told = [_told(problem, given) for problem in error.errors(include_url=False, include_input=False)]
        raise ConfigError("; ".join(told)) from None
    except ValueError:  # of pydantic-settings: the only variable that is JSON
        example = '{"threads": 2}'
        raise ConfigError(f"{PREFIX}OVERRIDES is no JSON: it takes an object, as in {example}") from None


def _told(problem: Any, given: Mapping[str, Any]) -> str:
    message = str(problem["msg"]).removeprefix("Value error, ")
    name = str(problem["loc"][0]) if problem["loc"] else ""
    if not name:  # of several settings: the message begins with the one that is meant
        name, _, message = message.partition(": ")
    if problem["type"] == "extra_forbidden":
        return f"there is no setting {name!r:.80}{nearest(name, list(Settings.model_fields))}"
    where = flag(name) if name in given else f"{PREFIX}{name.upper()}"
    return f"{where}: {message}"


def flag(name: str) -> str:
    """A setting's flag."""
    return "--" + ("set" if name == "overrides" else name.removesuffix("_s").replace("_", "-"))
