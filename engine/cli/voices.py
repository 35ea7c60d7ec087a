"""`alrakis voices`: list the voices that have names."""

import argparse
import textwrap
from itertools import groupby
from typing import TYPE_CHECKING

from alrakis.cli.showing import show, show_json
from alrakis.errors import InputError, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NAME = "voices"
SUMMARY = "list the voices: first those that can be used here at once"
DESCRIPTION = """\
List the voices by language, those that are on this machine first. The demo's can be used with
`--weights demo` alone, the others with Bark's own weights."""
EXAMPLES = """\
examples:
  alrakis voices --lang en
  alrakis voices --json

A voice that is not on this machine is downloaded when it is first used. Any .npz with a semantic_prompt, a
coarse_prompt and a fine_prompt is a voice too: give its path."""

DEMO = "With --weights demo"

Listed = dict[str, str | None]  # name, language, code, speaker, path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lang", metavar="LL", help="only this language: a code (en) or its English name")
    parser.add_argument("--json", action="store_true", help="as JSON, with the path of each voice found")


def run(args: argparse.Namespace) -> None:
    found = listed_voices()
    if args.lang is not None:
        found = _of_language(found, args.lang)
    if args.json:
        show_json(found)
        return
    here = [voice for voice in found if voice["path"]]
    elsewhere = [voice for voice in found if not voice["path"]]
    for title, voices in (("on this machine", here), ("downloaded when first used", elsewhere)):
        if voices:
            show(f"{title}:")
        for language, group in groupby(voices, lambda voice: (voice["language"], voice["code"])):
            show(*_lines(language, list(group)))
    show(f"{len(found)} voices, {len(here)} of them on this machine")


def _lines(language: "tuple[str | None, str | None]", voices: "Sequence[Listed]") -> "list[str]":
    """A language's voices; those of a woman or a man, where that is known, with that."""
    name, code = language
    names = [str(voice["name"]) + (f" ({who})" if (who := voice["speaker"]) else "") for voice in voices]
    indent = "    "
    lines = textwrap.wrap(", ".join(names), 78, initial_indent=indent, subsequent_indent=indent)
    return [f"  {name} ({code})" if code else f"  {name}", *lines]


def listed_voices() -> list[Listed]:
    """The voices of the demo weights, which only those can use, then all presets by language.

    The path is None if the voice is not on this machine.
    """
    from alrakis.voices import SUPPORTED_LANGS, find_preset, list_voices
    from alrakis.weights.demo.weights import DemoVoice

    codes = dict(SUPPORTED_LANGS)
    rows = [_row(name, DEMO, None, path) for name, path in DemoVoice().voices.items()]
    for language, names in list_voices().items():
        rows += [_row(name, language, codes.get(language), find_preset(name)) for name in names]
    return rows


def _row(name: str, language: str, code: "str | None", path: "Path | None") -> Listed:
    from alrakis.voices import speaker_of

    found = None if path is None else str(path)
    return {"name": name, "language": language, "code": code, "speaker": speaker_of(name), "path": found}


def _of_language(voices: "Sequence[Listed]", asked: str) -> list[Listed]:
    some = [v for v in voices if asked.casefold() in (v["code"], str(v["language"]).casefold())]
    if not some:
        known = {str(v["language"]): f"{v['code']} ({v['language']})" for v in voices if v["code"]}
        hint = nearest(asked.title(), list(known))
        raise InputError(
            f"no voices for the language {asked!r}{hint}; there are: {', '.join(known.values())}"
        )
    return some
