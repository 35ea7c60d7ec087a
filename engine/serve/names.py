"""The names of voices and models that a server knows, and what other names mean."""

from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from alrakis.errors import ConfigError, InputError, nearest
from alrakis.files.parsing import MOST_TOML_BYTES, parse_toml, read_file, reason
from alrakis.places.given import given_path
from alrakis.serve.problems import ApiError
from alrakis.voices import SUPPORTED_LANGS, list_voices, speaker_of
from alrakis.weights.types import Weights


class NamedVoice(BaseModel):
    """A voice that can be asked for. gender: as far as it is known."""

    id: str
    name: str
    language: str | None = None
    language_name: str | None = None
    gender: str | None = None


class _Aliases(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    models: list[str] = []
    voices: dict[str, str | list[str]] = {}


class Names:
    """The voices that go with some weights, and aliases from a TOML file (None: the package's own).

    Nothing that a client names is ever a path. Raises ConfigError for a file that cannot be used.
    """

    def __init__(self, weights: Weights, file: Path | None = None) -> None:
        self.weights = weights.name
        self.voices = {voice.id: voice for voice in _voices(weights)}
        aliases = _read(file)
        self.models = list(dict.fromkeys([weights.name, *aliases.models]))
        self.aliases = dict(self._meant(aliases.voices, own=file is not None))

    def _meant(self, aliases: Mapping[str, str | list[str]], *, own: bool) -> dict[str, str]:
        meant = {}
        for alias, voices in aliases.items():
            names = [voices] if isinstance(voices, str) else voices
            found = next((name for name in names if name in self.voices), None)
            if found is not None:
                meant[alias] = found
            elif own:
                raise ConfigError(
                    f"the alias {alias!r} means {', '.join(names) or 'nothing'}: {self.weights} has no such "
                    "voice (`/v1/audio/voices` lists them)"
                )
        return meant

    def voice(self, name: str | None, param: str = "voice") -> str | None:
        """The name of a voice of the engine's, from a client's. Raises ApiError."""
        if name is None:
            return None
        tidy = name.replace("\\", "/")
        known = self.aliases.get(name) or (tidy if tidy in self.voices else None)
        if known is None:
            hint = nearest(name, [*self.voices, *self.aliases])
            message = f"there is no voice {name!r:.100}{hint}; GET /v1/audio/voices lists all"
            raise ApiError(400, message, param=param, code="voice_not_found")
        return known

    def check_model(self, name: str | None) -> None:
        """Raises ApiError for a model that is neither the weights nor an alias."""
        if name is not None and name not in self.models:
            message = f"the model {name!r:.100} is not here; there are: {', '.join(self.models)}"
            raise ApiError(404, message, param="model", code="model_not_found")


def _read(file: Path | None) -> _Aliases:
    try:
        if file is None:
            content = (resources.files("alrakis.serve") / "aliases.toml").read_bytes()
        else:
            content = read_file(given_path(file), MOST_TOML_BYTES)
        return _Aliases.model_validate(parse_toml(content.decode("utf-8")))
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in problem["loc"] if part not in ("str", "list[str]"))
        if problem["type"] == "extra_forbidden":
            told = f"there is no table {where!r:.80}{nearest(where, list(_Aliases.model_fields))}"
        else:
            told = f"{where}: {problem['msg']}"
        raise ConfigError(f"the aliases in {file}: {told}") from None
    except (OSError, ValueError, InputError) as error:
        raise ConfigError(f"the aliases in {file} cannot be read: {reason(error)}") from None


def _voices(weights: Weights) -> list[NamedVoice]:
    """Those of the weights, and Bark's presets where they fit."""
    own = [
        NamedVoice(
            id=name, name=_short(name), language="en", language_name="English", gender=speaker_of(name)
        )
        if weights.layout.one_speaker
        else NamedVoice(id=name, name=_short(name), gender=speaker_of(name))
        for name in weights.voices
    ]
    return own if weights.layout.one_speaker else own + _presets()


def _presets() -> list[NamedVoice]:
    codes = dict(SUPPORTED_LANGS)
    return [
        NamedVoice(
            id=name,
            name=_called(name, language if language in codes else ""),
            language=codes.get(language),
            language_name=language if language in codes else None,
            gender=speaker_of(name),
        )
        for language, names in list_voices().items()
        for name in names
    ]


def _called(name: str, language: str) -> str:
    """`v2/de_speaker_3` is German 3, `de_speaker_3` is German 3, first edition."""
    number = name.rpartition("_")[2]
    if not language:
        return name.replace("_", " ").capitalize()
    return f"{language} {number}" + ("" if name.startswith("v2/") else ", first edition")


def _short(name: str) -> str:
    return name.rpartition("/")[2].capitalize()
