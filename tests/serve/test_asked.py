"""What a client may ask for."""

import pytest
from pydantic import ValidationError

from alrakis.sampling import Options
from alrakis.serve.asked import FIELDS, SpeechRequest, VoiceId, voice_name


def test_defaults_are_barks_and_openais() -> None:
    asked = SpeechRequest(input="Hello.")
    assert asked.options == Options()
    assert (asked.response_format, asked.speed, asked.stream_format) == ("mp3", 1.0, "audio")
    assert asked.seed is None


def test_voices_are_names_or_objects() -> None:
    for given in ("alloy", {"id": "alloy"}):
        asked = SpeechRequest.model_validate({"input": "Hello.", "voice": given})
        assert voice_name(asked.voice) == "alloy"
    assert voice_name(VoiceId(id="x")) == "x"
    assert voice_name(None) is None


@pytest.mark.parametrize("seed", [True, 1.5, "7", 2**64, -1])
def test_seeds_are_whole_numbers(seed: object) -> None:
    with pytest.raises(ValidationError):
        SpeechRequest.model_validate({"input": "Hello.", "seed": seed})


@pytest.mark.parametrize("temperature", [float("nan"), float("inf"), -0.1, "1", None])
def test_temperatures_are_numbers(temperature: object) -> None:
    with pytest.raises(ValidationError):
        SpeechRequest.model_validate({"input": "Hello.", "text_temp": temperature})


def test_openais_fields_are_all_there() -> None:
    openais = {"model", "input", "voice", "instructions", "response_format", "speed", "stream_format"}
    assert openais <= set(FIELDS)
