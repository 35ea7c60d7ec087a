"""What commands are asked for: read rightly, and told in a line with exit code 2 where it is wrong."""

import argparse
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis.cli.arguments import add_speech_options, parse_cast, parse_overrides, read_text, speech_options
from alrakis.errors import InputError
from alrakis.sampling import Options
from tests.cli.programs import BRIEF, TINY, Run, Terminal, alrakis_process, refused


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["say", ""], "the text is empty"),
        (["say", " \n\t"], "the text is empty"),
        (["say", "-f", "empty.txt"], "the text is empty"),
        (["say", "-f", "missing.txt"], "cannot read missing.txt: No such file"),
        (["say", "-f", "."], "cannot read .: Is a directory"),
        (["say", "-f", "latin.txt"], "latin.txt is not UTF-8 text (byte 3)"),
        (["say", "Hi", "-f", "empty.txt"], "not both"),
        (["say", "Hi", "--config", "torch-fp23"], "did you mean 'torch-fp32'?"),
        (["say", "Hi", "--config", "broken.toml"], "broken.toml is not a readable TOML file"),
        (["say", "Hi", "--set", "threads"], "KEY=VALUE"),
        (["say", "Hi", "--set", "=4"], "KEY=VALUE"),
        (["say", "Hi", "--weights", "barc"], "did you mean 'bark'?"),
        (["say", "Hi", "--weights", "empty.txt"], "is a file"),
        (["say", "Hi", "--seed", "seven"], "--seed: invalid int value: 'seven'"),
        (["say", "Hi", "--text-temp", "warm"], "--text-temp: invalid float value: 'warm'"),
        (["say", "Hi", "--no-such-option"], "unrecognized arguments: --no-such-option"),
        (["say", "Hi", "--qui"], "unrecognized arguments"),  # what is short today is ambiguous tomorrow
        (["sya", "Hi"], "invalid choice: 'sya'"),
        (
            ["voices", "--lang", "tlh"],
            "there are: en (English), de (German),",
        ),
    ],
)
def test_wrong_use_is_told_in_a_line(run: Run, arguments: list[str], told: str) -> None:
    Path("empty.txt").touch()
    Path("latin.txt").write_bytes("caf\xe9".encode("latin-1"))
    Path("broken.toml").write_text("backend = ")
    more = ["--config", "torch-fp32"] if arguments[0] == "say" and "--config" not in arguments else []
    ended = run(*arguments, *more)
    refused(ended, told)
    assert len(ended.err.splitlines()) == 1
    assert not Path("out.wav").exists()


def test_all_config_mistakes_are_told_at_once(run: Run) -> None:
    mistakes = {"precison": "'fp16'", "threads": "0", "fine_window": "fited", "compile": "yes"}
    changes = [part for key, value in mistakes.items() for part in ("--set", f"{key}={value}")]
    ended = run("say", "Hi", "--config", "torch-fp32", *changes)
    refused(ended, "did you mean 'precision'?", "did you mean 'fitted'?", "threads: ", "compile: ")
    assert len(ended.err.splitlines()) == 1 + len(mistakes)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--text-temp", "nan"], "temperature must be a finite number"),
        (["--waveform-temp", "-0.5"], "temperature must be a finite number"),
        (["--fine-temp", "inf"], "temperature must be a finite number"),
        (["--min-eos-p", "-1"], "must be None or a number of at least 0, not -1.0"),
        (["--max-duration", "-1"], "--max-duration must be over 0 seconds, not -1"),
        (["--max-duration", "0"], "--max-duration must be over 0 seconds, not 0"),
        (["--max-duration", "nan"], "--max-duration must be over 0 seconds, not nan"),
        (["--seed", "-1"], "a seed must be a whole number from 0 to 2**64-1, not -1"),
        (["--voice", "v2/en_speker_6"], "did you mean v2/en_speaker_6"),
        (["--voice", "nobody.npz"], "there is no voice file nobody.npz"),
        (["--voice", "junk.npz"], "junk.npz cannot be read as a voice"),
    ],
)
def test_options_out_of_range_are_told(run: Run, options: list[str], told: str) -> None:
    Path("junk.npz").write_bytes(b"PK\x03\x04junk")
    refused(run("say", "Hi", *BRIEF[: len(TINY)], *options), told)
    assert not Path("out.wav").exists()


def test_text_that_is_no_unicode(tmp_path: Path) -> None:
    refused(alrakis_process("say", b"caf\xe9", folder=tmp_path, PYTHONUTF8="1"), "surrogate")


def test_an_empty_standard_input_is_an_empty_text(tmp_path: Path) -> None:
    refused(alrakis_process("say", "-", folder=tmp_path), "the text is empty")


def test_no_text_on_a_terminal_is_told_and_nothing_waits(tmp_path: Path) -> None:
    terminal = Terminal("say", folder=tmp_path)
    assert "nothing to say" in terminal.read_to_end()
    assert terminal.process.returncode == 2


def test_overrides_are_typed_as_toml_types_them() -> None:
    given = ["a=4", "b = true", "c='x'", 'd="y"', "e=bf16", "f=cuda:1", "g=[1, 2]", "h=1 = 2", "i=", "a=5"]
    assert parse_overrides(given) == {
        "a": 5,
        "b": True,
        "c": "x",
        "d": "y",
        "e": "bf16",
        "f": "cuda:1",
        "g": [1, 2],
        "h": "1 = 2",
        "i": "",
    }
    assert parse_overrides(["a=1\nb=2"]) == {"a": "1\nb=2"}


@given(st.text("ab =v2/_", max_size=12))
def test_a_cast_is_a_name_and_a_voice(item: str) -> None:
    name, equals, voice = item.partition("=")
    if equals and name.strip() and voice.strip():
        assert parse_cast([item]) == {name.strip(): voice.strip()}
    else:
        with pytest.raises(InputError, match="NAME=VOICE"):
            parse_cast([item])


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=200))
def test_a_text_is_read_as_it_stands_in_a_file(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.txt"
        for mark in (b"", b"\xef\xbb\xbf"):
            path.write_bytes(mark + text.encode())
            expected = text.removeprefix("\ufeff") if not mark else text
            assert read_text([], str(path)) == expected


def test_what_is_not_asked_for_is_left_to_the_options(run: Run) -> None:
    parser = argparse.ArgumentParser()
    add_speech_options(parser)
    assert speech_options(parser.parse_args([])) == Options()
    asked = ["--text-temp", "0.5", "--waveform-temp", "0", "--fine-temp", "1", "--min-eos-p", "0.3"]
    assert speech_options(parser.parse_args([*asked, "--max-duration", "2"])) == Options(
        0.5, 0.0, 1.0, min_eos_p=0.3, max_gen_duration_s=2.0
    )
    shown = " ".join(parser.format_help().split())
    for field in ("text_temp", "waveform_temp", "fine_temp", "min_eos_p"):
        flag = f"--{field.replace('_', '-')} "
        assert f"(default: {getattr(Options(), field)})" in shown[shown.rindex(flag) :], (
            "help repeats a default"
        )
