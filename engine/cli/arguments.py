"""Arguments that several commands share: weights, config, speech options and text."""

import argparse
import logging
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from alrakis.errors import InputError

if TYPE_CHECKING:
    from alrakis.cluster.planner import Planner
    from alrakis.engine import Engine
    from alrakis.jobs.settings import Asked
    from alrakis.long.cues import Align
    from alrakis.sampling import Options

logger = logging.getLogger("alrakis")

MOST_BOOK_BYTES = 512 << 20  # an EPUB has pictures, too


def given(text: str) -> str:
    """The type of every option that takes a path, or a name that may be one: `~` is the home folder."""
    from alrakis.places.given import given_text

    try:
        return given_text(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    """Add `--weights`, `--config` and `--set`, for `open_engine`."""
    group = parser.add_argument_group("what runs, and how")
    group.add_argument(
        "--weights",
        type=given,
        metavar="NAME|DIR",
        default="bark",
        help="bark, bark-small, bark-large, demo, synthetic-small, ... or a folder "
        "(default: bark; it is the large one unless SUNO_USE_SMALL_MODELS=1)",
    )
    group.add_argument(
        "--config",
        type=given,
        metavar="NAME|FILE",
        default="auto",
        help="auto, a preset's name (`alrakis info` lists them) or a TOML file (default: auto)",
    )
    group.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        dest="overrides",
        help="change a key of the config; may be given several times (--set threads=4)",
    )


def open_engine(args: argparse.Namespace) -> "Engine":
    """An engine by the options of `add_engine_options`. Raises ConfigError, WeightsError, BackendError."""
    from alrakis.engine import Engine

    return Engine(args.weights, args.config, **parse_overrides(args.overrides))


def tell_note(engine: "Engine | Planner") -> None:
    """Log what the user should know about the weights before they are used."""
    if engine.weights.note:
        logger.info(engine.weights.note)


def add_speech_options(parser: argparse.ArgumentParser) -> Any:
    """Add the voice, the seed, the temperatures and limits, for `speech_options`; returns their group."""
    group = parser.add_argument_group("how it is said")
    group.add_argument(
        "--voice", type=given, metavar="NAME|NPZ", help="a preset (`alrakis voices`) or an .npz file"
    )
    group.add_argument("--seed", type=int, metavar="N", help="the same seed says the same thing again")
    temperature = "0 is greedy, higher is more varied (default: {})"
    group.add_argument("--text-temp", type=float, metavar="T", help=temperature.format(0.7))
    group.add_argument("--waveform-temp", type=float, metavar="T", help=temperature.format(0.7))
    group.add_argument("--fine-temp", type=float, metavar="T", help=temperature.format(0.5))
    group.add_argument(
        "--min-eos-p", type=float, metavar="P", help="speech ends when its end is this likely (default: 0.2)"
    )
    group.add_argument(
        "--max-duration", type=float, metavar="SECONDS", help="end what is said at a time here at the latest"
    )
    group.add_argument(
        "--lexicon", type=given, metavar="TOML", help="how names and other words are spelled for the voice"
    )
    group.add_argument(
        "--normalise", action="store_true", help="English numbers and the like in words of ours"
    )
    return group


def speech_options(args: argparse.Namespace) -> "Options":
    """`Options` by the arguments given, with its defaults for the others. Raises InputError."""
    from alrakis.sampling import Options

    return Options(**_given_options(args))


def _given_options(args: argparse.Namespace) -> dict[str, Any]:
    if args.max_duration is not None and not args.max_duration > 0:
        raise InputError(f"--max-duration must be over 0 seconds, not {args.max_duration:g}")
    asked = {
        "text_temp": args.text_temp,
        "waveform_temp": args.waveform_temp,
        "fine_temp": args.fine_temp,
        "min_eos_p": args.min_eos_p,
        "max_gen_duration_s": args.max_duration,
        "lexicon": _given_lexicon(args.lexicon),
        "normalise": args.normalise or None,
        "takes": getattr(args, "takes", None),
        "until": getattr(args, "until", None),
    }
    return {name: value for name, value in asked.items() if value is not None}


def _given_lexicon(path: str | None) -> dict[str, Any] | None:
    if path is None:
        return None
    from alrakis.text.lexicon import read_lexicon

    return dict(read_lexicon(path).content)


def add_listening_options(parser: argparse.ArgumentParser, *, words: bool = False) -> None:
    """Add `--takes`, `--until` and `--listen`, for `set_listener`; and `--words`."""
    group = parser.add_argument_group("takes: the best of several is kept")
    group.add_argument("--takes", type=int, metavar="N", help="make so many of each text or chunk")
    group.add_argument(
        "--until", type=float, metavar="ERROR", help="make them one by one, up to the first that is as good"
    )
    group.add_argument(
        "--listen",
        type=given,
        metavar="NAME|DIR",
        help="a Whisper model that listens to them (tiny.en, small, ... or a folder; the extra `listen`); "
        "without it length, end, silence and level are compared",
    )
    if words:
        group.add_argument("--words", action="store_true", help="subtitles with the time of each word")


def set_listener(
    engine: "Engine | Planner", args: argparse.Namespace, languages: Iterable[str]
) -> "Callable[[str], Align] | None":
    """Let the model that was asked for compare takes; with `--words` gives what finds words of a language.

    Raises InputError for a model that is not there or does not know a language.
    """
    words = getattr(args, "words", False)
    if args.until is not None and (args.takes or 1) < 2:
        raise InputError(
            "--until stops before the last of several takes: give --takes as well, as in --takes 3"
        )
    if words and args.listen is None:
        raise InputError("--words needs a recogniser: give --listen NAME or a folder")
    if words and args.subtitles is None:
        raise InputError("--words are of subtitles: give --subtitles as well")
    if args.listen is None:
        return None
    from alrakis.listening.recogniser import Recogniser

    recogniser = Recogniser(args.listen, threads=engine.config.threads or 0)
    for language in dict.fromkeys(languages):
        recogniser.check(language)
    engine.listener = recogniser
    if not words:
        return None
    return recogniser.aligning


def add_json_option(parser: argparse.ArgumentParser) -> None:
    """Add `--json`."""
    parser.add_argument("--json", action="store_true", help="print what came of it as JSON, an object a line")


def add_job_options(parser: argparse.ArgumentParser) -> Any:
    """Add the options of work that is kept in a folder, for `job_asked`; returns the group of speech options.

    None of them has to be given again when the work goes on, so none has a value unless it is given.
    """
    add_engine_options(parser)
    parser.set_defaults(weights=None, config=None)
    group = add_speech_options(parser)
    add_cast_option(group)
    add_lang_option(group)
    return group


def add_lang_option(group: Any) -> None:
    """Add `--lang`."""
    group.add_argument("--lang", metavar="CODE", help="the text's language (default: by its script)")


def job_asked(args: argparse.Namespace) -> "Asked":
    """What the options of `add_job_options` ask for. Raises InputError."""
    from alrakis.jobs.settings import Asked

    return Asked(
        weights=args.weights,
        config=args.config,
        overrides=parse_overrides(args.overrides),
        options=_given_options(args),
        voice=args.voice,
        cast=parse_cast(args.cast),
        lang=args.lang,
        steady=getattr(args, "steady", None),
        seed=args.seed,
        format=getattr(args, "format", None),
    )


def add_cast_option(group: Any) -> None:
    """Add `--cast`, for `parse_cast`."""
    group.add_argument(
        "--cast",
        metavar="NAME=VOICE",
        action="append",
        default=[],
        help="the voice of a speaker whom the text names, as in `MAN: Hello.` (the label is not said then); "
        "may be given several times",
    )


def parse_cast(items: Sequence[str]) -> dict[str, str]:
    """Voices by speaker, from items `NAME=VOICE`. Raises InputError for other items or a name twice."""
    cast: dict[str, str] = {}
    for item in items:
        name, equals, voice = (part.strip() for part in item.partition("="))
        if not (name and equals and voice):
            raise InputError(f"--cast takes NAME=VOICE, as in --cast MAN=v2/en_speaker_6, not {item!r}")
        if name in cast:
            raise InputError(f"--cast names {name!r} twice; give each speaker one voice")
        cast[name] = voice
    return cast


def parse_overrides(items: Sequence[str]) -> dict[str, Any]:
    """Config keys and values, from items `key=value`. A value that is not TOML is a string.

    Raises InputError for an item without a key or an equals sign, and for a value beyond all limits.
    """
    overrides = {}
    for item in items:
        key, equals, value = item.partition("=")
        if not equals or not key.strip():
            raise InputError(f"--set takes KEY=VALUE, as in --set threads=4, not {item!r}")
        overrides[key.strip()] = _toml_value(value.strip(), item)
    return overrides


def _toml_value(text: str, item: str) -> Any:
    from alrakis.files.parsing import LimitError, parse_toml

    try:
        parsed = parse_toml(f"value = {text}")
    except LimitError as problem:
        raise InputError(f"--set {item!r:.80} cannot be read: {problem}") from None
    except ValueError:
        return text
    return parsed["value"] if len(parsed) == 1 else text


def read_text(words: Sequence[str], file: str | None) -> str:
    """The text to say: the words given, or the content of the file or of standard input.

    Standard input is read for "-", or if nothing is given and it is not a terminal.
    Raises InputError if there is nothing to read or it is not UTF-8.
    """
    from alrakis.books.opening import MOST_TEXT_BYTES, decode_text

    if words and file is not None:
        raise InputError("give the text either as arguments or with --file, not both")
    if file == "-" or list(words) == ["-"]:
        return decode_text(_read_stdin(MOST_TEXT_BYTES), "standard input")
    if file is not None:
        return decode_text(_read_file(file, MOST_TEXT_BYTES), file)
    if words:
        return " ".join(words)
    if sys.stdin is None or sys.stdin.isatty():
        raise InputError('nothing to say: give a text (alrakis say "Hello"), --file FILE, or pipe one in')
    return decode_text(_read_stdin(MOST_TEXT_BYTES), "standard input")


def read_bytes(file: str) -> bytes:
    """A file's content, or that of standard input for "-". Raises InputError."""
    if file == "-":
        return _read_stdin(MOST_BOOK_BYTES)
    return _read_file(file, MOST_BOOK_BYTES)


def _read_stdin(most_bytes: int) -> bytes:
    from alrakis.progress import end_working

    if sys.stdin is None:
        raise InputError("standard input is closed: there is nothing to read")
    if sys.stdin.isatty():
        end_working()  # somebody is going to type here
    return sys.stdin.buffer.read(most_bytes + 1)


def _read_file(file: str, most_bytes: int) -> bytes:
    try:
        with open(file, "rb") as opened:  # a pipe will do
            content = opened.read(most_bytes + 1)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {file}: {getattr(error, 'strerror', None) or error}") from None
    if len(content) > most_bytes:
        raise InputError(f"{file} has more than {most_bytes >> 20} MiB: give it in parts")
    return content
