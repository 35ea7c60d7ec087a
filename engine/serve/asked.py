"""What a client asks for."""

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from alrakis.sampling import MAX_SEED, Options

Format = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]
FORMATS: tuple[Format, ...] = get_args(Format)
MOST_SPEAKERS = 32

Name = Annotated[str, Field(min_length=1, max_length=200)]
Temperature = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False, strict=True)]


class VoiceId(BaseModel):
    """A voice, as OpenAI's clients may give it."""

    model_config = ConfigDict(extra="forbid")

    id: Name


class Said(BaseModel):
    """What is said, and how: of both interfaces."""

    model_config = ConfigDict(extra="forbid")

    input: Annotated[str, Field(min_length=1, strict=True, description="the text")]
    voice: Name | VoiceId | None = Field(
        default=None, description="a voice's name, or its alias; without one, the weights choose"
    )
    seed: Annotated[int, Field(ge=0, le=MAX_SEED, strict=True)] | None = Field(
        default=None, description="the same seed says the same thing again"
    )
    text_temp: Temperature = Options.text_temp
    waveform_temp: Temperature = Options.waveform_temp
    fine_temp: Temperature = Options.fine_temp
    cast: Annotated[dict[Name, Name | VoiceId], Field(max_length=MOST_SPEAKERS)] = Field(
        default={}, description="voices of speakers whom the text names, as in `MAN: Hello.`"
    )
    lang: Annotated[str, Field(max_length=20)] | None = Field(
        default=None, description="the text's language; by its script if there is none"
    )

    @property
    def options(self) -> Options:
        """How it is said, as the engine takes it."""
        return Options(text_temp=self.text_temp, waveform_temp=self.waveform_temp, fine_temp=self.fine_temp)


class SpeechRequest(Said):
    """OpenAI's request for speech, and what is our own."""

    model: Name | None = Field(default=None, description="the weights' name, or an alias such as tts-1")
    instructions: str | None = Field(default=None, description="accepted, and not used")
    response_format: Format = "mp3"
    speed: Annotated[float, Field(ge=0.25, le=4.0, allow_inf_nan=False)] = 1.0
    stream_format: Literal["audio", "sse"] = "audio"
    stream: Annotated[bool, Field(strict=True)] = Field(
        default=True, description="false: answer when all of it is made"
    )


class PageRequest(Said):
    """The page's request; audio comes in events."""


FIELDS = {**SpeechRequest.model_fields, **PageRequest.model_fields}


def voice_name(voice: str | VoiceId | None) -> str | None:
    """The name in a request's voice."""
    return voice.id if isinstance(voice, VoiceId) else voice
