"""Voices and models by their names; no name is a path."""

from pathlib import Path

import pytest

from alrakis.errors import ConfigError
from alrakis.serve.names import Names
from alrakis.serve.problems import ApiError
from alrakis.weights import open_weights

OPENAI = {
    *("alloy", "ash", "ballad", "coral", "echo", "fable", "nova"),
    *("onyx", "sage", "shimmer", "verse", "marin", "cedar"),
}


@pytest.mark.parametrize("weights", ["demo", "synthetic-tiny"])
def test_openais_voices_mean_some_of_the_weights(weights: str) -> None:
    names = Names(open_weights(weights))
    assert all(names.voice(name) in names.voices for name in OPENAI)
    names.check_model("tts-1")
    names.check_model(weights)
    names.check_model(None)


def test_the_demo_has_its_own_voices_and_bark_has_the_presets() -> None:
    assert set(Names(open_weights("demo")).voices) == {"demo/slt", "demo/rms"}
    bark = Names(open_weights("synthetic-tiny")).voices
    assert bark["v2/de_speaker_3"].name == "German 3"
    assert bark["v2/de_speaker_3"].language == "de"
    assert bark["de_speaker_3"].name == "German 3, first edition"
    assert bark["announcer"].language is None
    assert bark["v2/en_speaker_9"].gender == "woman"


@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "x.npz", "demo/../demo/slt", "~/me.npz", "", "\0", "demo\\..\\slt"]
)
def test_a_path_is_never_a_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.npz").write_bytes(b"")
    with pytest.raises(ApiError) as error:
        Names(open_weights("demo")).voice(name)
    assert (error.value.status, error.value.detail.param) == (400, "voice")


def test_either_slash_and_did_you_mean() -> None:
    names = Names(open_weights("demo"))
    assert names.voice("demo\\slt") == "demo/slt"
    with pytest.raises(ApiError, match="did you mean 'alloy'"):
        names.voice("aloy")
    with pytest.raises(ApiError, match="tts-1") as error:
        names.check_model("tts-3")
    assert error.value.status == 404


def test_aliases_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "names.toml"
    file.write_text('models = ["mine"]\n[voices]\nme = "demo/rms"\nyou = ["v2/x", "demo/slt"]\n', "utf-8")
    names = Names(open_weights("demo"), file)
    assert (names.voice("me"), names.voice("you")) == ("demo/rms", "demo/slt")
    assert names.models == ["demo", "mine"]
    with pytest.raises(ApiError):
        names.voice("alloy")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('[voices]\nme = "demo/x"\n', "'me' means demo/x"),
        ("[voices]\nme = []\n", "'me' means nothing"),
        ("[voices]\nme = 5\n", r"names\.toml: voices\.me: Input should be a valid string"),
        ('[voice]\nme = "demo/rms"\n', "no table 'voice'; did you mean 'voices'"),
        ("voices = 3\n", "voices: "),
        ("other = 3\n", "no table 'other'"),
        ("= 3\n", "cannot be read"),
    ],
)
def test_a_file_of_aliases_that_cannot_be_used(tmp_path: Path, content: str, told: str) -> None:
    file = tmp_path / "names.toml"
    file.write_text(content, "utf-8")
    with pytest.raises(ConfigError, match=told):
        Names(open_weights("demo"), file)
    with pytest.raises(ConfigError, match="cannot be read"):
        Names(open_weights("demo"), tmp_path / "none.toml")
