"""`alrakis voices`: list the voices that have names."""

import argparse
import json
from itertools import groupby
from typing import TYPE_CHECKING

from alrakis.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "voices"
SUMMARY = "list the voices by language"
DESCRIPTION = "List Bark's voices by language, and whether each is on this machine already; then the demo's."
EXAMPLES = """\
examples:
  alrakis voices --lang en
  alrakis voices --json

A voice that is not on this machine is downloaded when it is first used. Any .npz with a semantic_prompt, a
coarse_prompt and a fine_prompt is a voice too: give its path."""

DEMO = "With --weights demo"

Listed = dict[str, str | None]  # name, language, code, path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lang", metavar="LL", help="only this language: a code (en) or its English name")
    parser.add_argument("--json", action="store_true", help="as JSON, with the path of each voice found")


def run(args: argparse.Namespace) -> None:
    from alrakis.progress import working

    with working("looking for voices"):
        found = listed_voices()
    if args.lang is not None:
        found = _of_language(found, args.lang)
    if args.json:
        print(json.dumps(found, indent=2))
        return
    for language, group in groupby(found, lambda voice: voice["language"]):
        voices = list(group)
        code = voices[0]["code"]
        print(f"{language} ({code})" if code else language)
        for voice in voices:
            print(f"  {voice['name']:<20} {'on this machine' if voice['path'] else 'to be downloaded'}")
    here = sum(voice["path"] is not None for voice in found)
    print(f"{len(found)} voices, {here} of them on this machine")


def listed_voices() -> list[Listed]:
    """All presets by language, then the voices of the demo weights, which only those can use.

    The path is None if the voice is not on this machine.
    """
    from alrakis.voices import SUPPORTED_LANGS, find_preset, list_voices
    from alrakis.weights.demo.weights import DemoVoice

    codes = dict(SUPPORTED_LANGS)
    rows: list[Listed] = []
    for language, names in list_voices().items():
        for name in names:
            path = find_preset(name)
            row = {"name": name, "language": language, "code": codes.get(language)}
            rows.append({**row, "path": None if path is None else str(path)})
    for name, found in DemoVoice().voices.items():
        rows.append({"name": name, "language": DEMO, "code": None, "path": str(found)})
    return rows


def _of_language(voices: "Sequence[Listed]", asked: str) -> list[Listed]:
    some = [v for v in voices if asked.casefold() in (v["code"], str(v["language"]).casefold())]
    if not some:
        known = dict.fromkeys(str(v["code"] or v["language"]) for v in voices)
        raise InputError(f"no voices for the language {asked!r}; there are: {', '.join(known)}")
    return some
