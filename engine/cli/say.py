"""`alrakis say`: a text into an audio file."""

import argparse
import logging
import time

from alrakis.cli.arguments import (
    add_engine_options,
    add_json_option,
    add_lang_option,
    add_listening_options,
    add_speech_options,
    given,
    open_engine,
    read_text,
    set_listener,
    speech_options,
    tell_note,
)
from alrakis.cli.output import STDOUT, check_places, save_result
from alrakis.cli.reports import said_report
from alrakis.cli.showing import show_json_line
from alrakis.errors import InputError

NAME = "say"
SUMMARY = "say a text into an audio file"
DESCRIPTION = "Say a text into a wav, flac, ogg or mp3 file (the output's extension decides)."
EXAMPLES = """\
examples:
  alrakis say "Hello, my name is Suno." -o hello.wav
  alrakis say -f letter.txt -o letter.mp3 --voice v2/en_speaker_6
  echo "Piped in" | alrakis say -o piped.flac
  alrakis say "Heard at once" -o - | aplay
  alrakis say "The same again" --seed 1234 --config torch-fp32
  alrakis say "Remember me" --save-voice me.npz; alrakis say "It is me" --voice me.npz
  alrakis say -o cold.wav -- "-5 degrees"      (a text that begins with a dash)

An output file that exists already is replaced. Text, seed, voice, weights and config are written into its
tags."""
DEFAULT_OUTPUT = "out.wav"

logger = logging.getLogger("alrakis")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", metavar="TEXT", nargs="*", help="what to say; - reads standard input")
    parser.add_argument("-f", "--file", type=given, metavar="FILE", help="read the text from a UTF-8 file")
    parser.add_argument(
        "-o",
        "--output",
        type=given,
        metavar="FILE",
        default=DEFAULT_OUTPUT,
        help=f"default: {DEFAULT_OUTPUT}; - writes wav to standard output",
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress bars and no closing line")
    add_json_option(parser)
    add_listening_options(parser, words=True)
    parser.add_argument("--subtitles", type=given, metavar="FILE", help="also write them: srt, vtt or json")
    add_engine_options(parser)
    group = add_speech_options(parser)
    add_lang_option(group)
    group.add_argument("--save-voice", type=given, metavar="NPZ", help="also save what was said as a voice")


def run(args: argparse.Namespace) -> None:
    from alrakis.long.cues import cue_of
    from alrakis.marks.subtitles import check_subtitles, save_subtitles
    from alrakis.text.encoder import check_text
    from alrakis.text.pace import language_of
    from alrakis.text.splitting import check_language

    if args.quiet:
        logger.setLevel(logging.WARNING)
    if args.json and args.output == STDOUT:
        raise InputError("--json and -o - both write to standard output: give a file to one of them")
    there = check_places(args.output, args.save_voice)
    if args.subtitles is not None:
        if args.output == STDOUT:
            raise InputError("--subtitles belong to a file: give it with -o")
        check_subtitles(args.subtitles)
    text = check_text(read_text(args.text, args.file))
    language = check_language(args.lang) or language_of(text)
    options = speech_options(args)
    with open_engine(args) as engine:
        aligning = set_listener(engine, args, [language])
        tell_note(engine)
        began = time.perf_counter()
        result = engine.generate(
            text,
            args.voice,
            seed=args.seed,
            language=language,
            options=options,
            silent=args.quiet,
        )
        wall_s = time.perf_counter() - began
    save_result(result, wall_s, args.output, args.save_voice, there)
    if args.subtitles is not None:
        align = aligning and aligning(language)
        cue = cue_of(result.text, None, result.audio, result.sample_rate, align)
        save_subtitles(args.subtitles, [cue] if cue else [])
    if args.json:
        show_json_line(said_report(result, args.output, wall_s, args.subtitles))
