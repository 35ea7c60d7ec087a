"""Paths as a person gives them: wherever one can be given, `~` is a home folder."""

import argparse
from collections.abc import Iterator
from pathlib import Path

import pytest

from alrakis import __main__ as as_suno_bark
from alrakis.bench.cli import COMMANDS as BENCH_COMMANDS
from alrakis.cli.arguments import given
from alrakis.cli.commands import COMMANDS
from alrakis.cli.program import command_parser
from alrakis.errors import InputError
from alrakis.places.given import given_path, given_text
from tests.cli.programs import Run, refused

NOBODYS = "~nobody-has-this/x"
TOLD = "begins with a home folder that this system does not know"


def test_a_home_that_nobody_has_is_told() -> None:
    for path in ("~nobody-has-this/x", "~nobody-has-this"):
        with pytest.raises(InputError, match=TOLD):
            given_path(path)
    with pytest.raises(InputError, match="zero byte"):
        given_path("a\0b")


def test_paths_are_taken_as_they_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert given_path("~/x") == tmp_path / "x"
    assert given_path("x") == Path("x")
    assert given_path(Path("x\udcff")) == Path("x\udcff")
    assert given_text("v2/en_speaker_6") == "v2/en_speaker_6"
    assert given_text("./a//b") == "./a//b"


@pytest.mark.parametrize("name", ["./~x", "./~/x", "a/~x", ".//~root"])
def test_a_tilde_that_is_no_home_stays_one_however_often_it_is_given(name: str, here: Path) -> None:
    assert given_path(name).absolute() == given_path(given_path(name)).absolute()
    assert given_path(name).absolute() == here / name


# --- options ---------------------------------------------------------------------------------------------

NO_PATHS = {
    "alrakis-bench run": {"call_limit"},
    "alrakis say": {"text", "lang", "overrides"},
    "alrakis read": {"take", "overrides", "cast", "lang", "chapters", "ray", "workers"},
    "alrakis batch": {"overrides", "cast", "lang", "ray", "workers"},
    "alrakis export": {"overrides"},
    "alrakis voices": {"lang"},
    "alrakis serve": {"host", "overrides", "api_key", "cors"},
    "alrakis-bench compare": {"base"},
    "alrakis-bench tune": {"budget", "memory_limit"},
    "alrakis-bench peers": {"name"},
    "python -m alrakis": {"text"},
}  # a voice in a cast and a path in a config are looked at where they are used


def parsers() -> Iterator[argparse.ArgumentParser]:
    for name, commands in (("alrakis", COMMANDS), ("alrakis-bench", BENCH_COMMANDS)):
        for action in command_parser(name, "", "", commands)._actions:
            if isinstance(action, argparse._SubParsersAction):
                yield from action.choices.values()
    yield as_suno_bark._parser()


def options(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Those that take a text of any kind."""
    return [
        action
        for action in parser._actions
        if action.nargs != 0 and action.choices is None and action.type in (None, str, given)
    ]


def test_every_option_that_takes_a_text_is_a_path_or_known_to_be_none() -> None:
    found = {
        parser.prog: {option.dest for option in options(parser) if option.type is not given}
        for parser in parsers()
    }
    assert {name: names for name, names in found.items() if names} == NO_PATHS


def test_every_path_option_refuses_a_home_that_nobody_has(capsys: pytest.CaptureFixture[str]) -> None:
    for parser in parsers():
        for option in options(parser):
            if option.type is not given:
                continue
            words = [f"{option.option_strings[-1]}={NOBODYS}"] if option.option_strings else [NOBODYS]
            with pytest.raises(SystemExit) as ended:
                parser.parse_args(words)
            said = capsys.readouterr().err
            assert ended.value.code == 2
            assert TOLD in said, (parser.prog, option.dest, said)


@pytest.mark.parametrize(
    "words",
    [
        ["read", "t.txt", "-o", "a.wav", "--cast", f"MAN={NOBODYS}.npz"],
        ["say", "Hi", "--set", f"artifacts={NOBODYS}", "--config", "cpu-int8"],
        ["export", "--set", f"artifacts={NOBODYS}", "--config", "cpu-int8"],
    ],
)
def test_paths_inside_of_options(run: Run, words: list[str]) -> None:
    Path("t.txt").write_text("MAN: Hello.")
    refused(
        run(*words, *([] if "--config" in words else ["--config", "torch-fp32"]), "--weights", "demo"), TOLD
    )


def test_home_is_where_commands_read_and_write(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Path.cwd() / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    (home / "t.txt").write_text("Hi.")
    (home / "mine.toml").write_text('backend = "torch"\nprecision = "fp32"\n')
    how = ["--weights", "synthetic-tiny", "--config", "~/mine.toml", "--max-duration", "0.2", "-q"]
    for words in (
        ["say", "-f", "~/t.txt", "-o", "~/a.wav", "--save-voice", "~/a.npz", *how],
        ["read", "~/t.txt", "-o", "~/c.wav", "--work", "~/c.work", "--voice", "~/a.npz", *how],
        ["read", "~/t.txt", "-o", "~/d.wav", *how],
        ["batch", "~/t.txt", "-o", "~/rows", *how],
    ):
        ended = run(*words)
        assert ended.code == 0, ended.err
    found = {path.name for path in home.iterdir()} - {"t.txt", "mine.toml"}
    assert found == {"a.wav", "a.npz", "c.wav", "c.work", "d.wav", "d.wav.work", "rows"}
    assert not Path("~").exists()
