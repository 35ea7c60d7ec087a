"""What a client asks for."""

from typing import Annotated, Literal, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)

from alrakis.errors import InputError
from alrakis.sampling import MAX_SEED, Options
from alrakis.text.lexicon import check_pattern

Format = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]
FORMATS: tuple[Format, ...] = get_args(Format)
MOST_SPEAKERS = 32
MOST_TAKES = 5

# A lexicon that anybody may send: few spellings, and patterns that take little time whatever the text is.
MOST_WORDS = 200
MOST_PATTERNS = 20
MOST_TABLES = 8  # of languages and speakers
MOST_REPEATS, MOST_WAYS = 1, 16  # in a pattern

Name = Annotated[str, Field(min_length=1, max_length=200)]
Temperature = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False, strict=True)]


class VoiceId(BaseModel):
    """A voice, as OpenAI's clients may give it."""

    model_config = ConfigDict(extra="forbid")

    id: Name


def _kind(voice: object) -> str:
    return "as_object" if isinstance(voice, (dict, VoiceId)) else "as_name"


# of a voice that is wrong only what it was meant to be is told
Voice = Annotated[
    Annotated[Name, Tag("as_name")] | Annotated[VoiceId, Tag("as_object")], Discriminator(_kind)
]
Written = Annotated[str, Field(min_length=1, max_length=100, strict=True)]
Spelling = Annotated[str, Field(max_length=200, strict=True)]


class Spellings(BaseModel):
    """A table of a lexicon: words, and patterns, with how they are spelled for the voice."""

    model_config = ConfigDict(extra="forbid")

    words: Annotated[dict[Written, Spelling], Field(max_length=MOST_WORDS)] = {}
    patterns: Annotated[dict[Written, Spelling], Field(max_length=MOST_PATTERNS)] = {}

    @model_validator(mode="after")
    def _quick(self) -> "Spellings":
        for pattern, spelling in self.patterns.items():
            try:
                check_pattern(pattern, spelling, MOST_REPEATS, MOST_WAYS)
            except InputError as error:
                raise ValueError(str(error)) from None
        return self


class LexiconTables(Spellings):
    """A pronunciation file's tables, as JSON."""

    language: Annotated[dict[Name, Spellings], Field(max_length=MOST_TABLES)] = {}
    speaker: Annotated[dict[Name, Spellings], Field(max_length=MOST_TABLES)] = {}

    @model_validator(mode="after")
    def _few(self) -> "LexiconTables":
        others = [*self.language.values(), *self.speaker.values()]
        counts = {
            "words": (sum(len(table.words) for table in [self, *others]), MOST_WORDS),
            "patterns": (sum(len(table.patterns) for table in [self, *others]), MOST_PATTERNS),
            "tables of languages and speakers": (len(others), MOST_TABLES),
        }
        for what, (count, most) in counts.items():
            if count > most:
                raise ValueError(f"a lexicon of a request has up to {most} {what}, not {count}")
        return self


class Said(BaseModel):
    """What is said, and how: of both interfaces."""

    model_config = ConfigDict(extra="forbid")

    input: Annotated[str, Field(min_length=1, strict=True, description="the text")]
    voice: Voice | None = Field(
        default=None, description="a voice's name, or its alias; without one, the weights choose"
    )
    seed: Annotated[int, Field(ge=0, le=MAX_SEED, strict=True)] | None = Field(
        default=None, description="the same seed says the same thing again"
    )
    text_temp: Temperature = Options.text_temp
    waveform_temp: Temperature = Options.waveform_temp
    fine_temp: Temperature = Options.fine_temp
    cast: Annotated[dict[Name, Voice], Field(max_length=MOST_SPEAKERS)] = Field(
        default={}, description="voices of speakers whom the text names, as in `MAN: Hello.`"
    )
    lang: Annotated[str, Field(max_length=20)] | None = Field(
        default=None, description="the text's language; by its script if there is none"
    )

    lexicon: LexiconTables | None = Field(
        default=None, description="how words are spelled for the voice: the tables of a pronunciation file"
    )
    normalise: Annotated[bool, Field(strict=True)] = Field(
        default=False, description="English numbers and abbreviations are put in words"
    )
    takes: Annotated[int, Field(ge=1, le=MOST_TAKES, strict=True)] = Field(
        default=1, description="so many takes of each chunk are made, and the best is kept"
    )
    until: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False, strict=True)] | None = Field(
        default=None, description="takes are made one by one, up to the first whose error is no more"
    )

    @field_validator("until")
    @classmethod
    def _several(cls, until: float | None, info: ValidationInfo) -> float | None:
        if until is not None and info.data.get("takes") == 1:
            raise ValueError("it stops before the last of several takes: give takes as well, as in 3")
        return until

    @property
    def options(self) -> Options:
        """How it is said, as the engine takes it."""
        lexicon = None if self.lexicon is None else self.lexicon.model_dump(exclude_unset=True)
        return Options(
            text_temp=self.text_temp,
            waveform_temp=self.waveform_temp,
            fine_temp=self.fine_temp,
            lexicon=lexicon,
            normalise=self.normalise,
            takes=self.takes,
            until=self.until,
        )


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
    subtitles: Literal["srt", "vtt", "json"] | None = Field(
        default=None, description="with stream_format sse: an event says what is heard when"
    )
    words: Annotated[bool, Field(strict=True)] = Field(
        default=False, description="subtitles with the time of each word; the server needs a recogniser"
    )

    @field_validator("subtitles")
    @classmethod
    def _in_events(cls, subtitles: str | None, info: ValidationInfo) -> str | None:
        if subtitles is not None and info.data.get("stream_format") == "audio":
            raise ValueError("they come in an event: give stream_format as well, as in 'sse'")
        return subtitles

    @field_validator("words")
    @classmethod
    def _of_subtitles(cls, words: bool, info: ValidationInfo) -> bool:
        if words and info.data.get("subtitles", "") is None:
            raise ValueError("they are of subtitles: give subtitles as well, as in 'vtt'")
        return words


class PageRequest(Said):
    """The page's request; audio comes in events."""


FIELDS = {**SpeechRequest.model_fields, **PageRequest.model_fields}


def voice_name(voice: str | VoiceId | None) -> str | None:
    """The name in a request's voice."""
    return voice.id if isinstance(voice, VoiceId) else voice
