"""The program `alrakis`: parsing arguments, running a command, exit codes and messages.

Exit codes: 0 done, 1 failed, 2 wrong use. 129, 130, 141 and 143 are those that a shell reports for a program
ended by a hangup, by Ctrl-C, by a closed pipe or by SIGTERM.
"""

import argparse
import atexit
import contextlib
import errno
import io
import logging
import os
import re
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

from alrakis.cli.commands import COMMANDS, Command
from alrakis.cli.showing import show_text, to_stdout
from alrakis.errors import AlrakisError, BackendError, InputError, nearest
from alrakis.files.printable import printable_lines
from alrakis.places.variables import warn_of_unread
from alrakis.serve import LOADING
from alrakis.version import __version__

FAILED, WRONG_USE, BY_SIGNAL, CLOSED_PIPE = 1, 2, 128, 141
LEAST_FILES = 20  # open at once

_DESCRIPTION = "Bark, text to audio, fast on whatever machine you have."
_EXAMPLES = """\
examples:
  alrakis say "Hello, my name is Suno." -o hello.wav --weights demo
  alrakis say -f letter.txt -o letter.mp3 --voice v2/en_speaker_6 --seed 7
  alrakis voices --lang de
  alrakis export --weights bark-small --precision int8
  alrakis info

exit codes: 0 done, 1 failed, 2 wrong use, 130 stopped by Ctrl-C (129, 143: by SIGHUP, SIGTERM).
ALRAKIS_DEBUG=1 shows where an error came from."""


# what libraries say in errors of their own classes when the system refuses them something
_SHORTAGES = (
    "can't start new thread",
    "Too many open files",
    "Cannot allocate memory",
    "failed to map segment",
    "Failed to allocate",
    "bad_alloc",
    "not enough memory",
)


class Stopped(KeyboardInterrupt):
    """A signal that ends the program, as Ctrl-C does: temporary files and folders are removed."""

    def __init__(self, number: int = signal.SIGINT) -> None:
        super().__init__()
        self.number = number


class Parser(argparse.ArgumentParser):
    """An argparse parser that reports a mistake in one line."""

    _given: Sequence[str] = ()

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse's; what was given is kept for what is told of it."""
        self._given = sys.argv[1:] if args is None else list(args)
        return super().parse_known_args(args, namespace)

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse's, but words that are left over are told by the command that they were given to."""
        found, unknown = self.parse_known_args(args, namespace)
        if unknown:
            getattr(found, "parser", self).unknown(unknown)
        return found

    def _print_message(self, message: str, file: Any = None) -> None:
        """As argparse's, but what cannot be printed on standard output is an error."""
        if file is None or file is sys.stdout:
            show_text(message.removesuffix("\n"))
        else:
            super()._print_message(message, file)

    def unknown(self, words: Sequence[str]) -> NoReturn:
        """Report words that mean nothing here; a flag with the one that is most like it."""
        _, hint = self._slip(words)
        self.error(f"unrecognized arguments: {' '.join(words)}{hint}")

    def _slip(self, words: Sequence[str]) -> tuple[str, str]:
        """The first of some words that is like a flag and is none, and what may be meant by it."""
        flags = [name for name in self._option_string_actions if name.startswith("--")]
        given = (word.partition("=")[0] for word in words if word.startswith("--") and word != "--")
        unknown = next((flag for flag in given if flag not in flags), "")
        return unknown, nearest(unknown, flags)

    def error(self, message: str) -> NoReturn:
        choice = re.search(r"invalid choice: '(.*)' \(choose from (.*)\)", message)
        if choice:
            names = [name.strip(" '") for name in choice[2].split(",")]
            message = f"{message}{nearest(choice[1], names)}"
        if message.startswith("the following arguments are required"):
            unknown, hint = self._slip(self._given)
            message += f"; there is no {unknown}{hint}" if unknown else ""
        told = printable_lines(f"{message} (`{self.prog} --help` shows what is allowed)")
        self.exit(WRONG_USE, f"alrakis: error: {told}\n")


def make_parser() -> argparse.ArgumentParser:
    """The parser of `alrakis`."""
    return command_parser("alrakis", _DESCRIPTION, _EXAMPLES, COMMANDS)


def command_parser(
    program: str, description: str, examples: str, commands: Sequence[Command]
) -> argparse.ArgumentParser:
    """The parser of a program with these commands."""
    parser = Parser(
        program,
        description=description,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"{program} {__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in commands:
        subparser = subparsers.add_parser(
            command.NAME,
            help=command.SUMMARY,
            description=command.DESCRIPTION,
            epilog=command.EXAMPLES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        command.add_arguments(subparser)
        subparser.set_defaults(run=command.run, parser=subparser)
    return parser


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run `alrakis` with these arguments (default: the process's) and exit."""
    leave(guarded(lambda: run_command(make_parser(), arguments)))


def run_command(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> None:
    """Run the command that the arguments name; without arguments, print the help and exit with an error."""
    if not (sys.argv[1:] if arguments is None else arguments):
        parser.print_help(sys.stderr)
        raise SystemExit(WRONG_USE)
    args = parser.parse_args(arguments)
    _check_files()
    warn_of_unread()

    from alrakis.progress import working

    with working("starting", getattr(args, "quiet", False)):
        args.run(args)


def _check_files() -> None:
    """Raises BackendError where libraries could not open their files, of which they tell in pages."""
    opened: list[int] = []
    try:
        while len(opened) < LEAST_FILES:
            opened.append(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        if error.errno not in (errno.EMFILE, errno.ENFILE):
            return
        raise BackendError(
            f"this process may open {len(opened)} files, and needs {LEAST_FILES} or more: `ulimit -n` tells "
            "and sets how many"
        ) from None
    finally:
        for descriptor in opened:
            os.close(descriptor)


def leave(code: int) -> NoReturn:
    """End this process with an exit code, at once if a thread that is left may be in compiled code.

    The interpreter ends such a thread by unwinding it, and where that meets C++ the process is aborted.
    """
    if code > BY_SIGNAL and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # another ends at once what is left, without a traceback
    if any(thread.name == LOADING for thread in threading.enumerate()):
        atexit._run_exitfuncs()  # temporary folders are removed
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, or nobody reads
                stream.flush()
        os._exit(code)
    sys.exit(code)


def guarded(program: Callable[[], None]) -> int:
    """Run a program with its messages on standard error, and return the exit code.

    Errors that alrakis raises, errors of the system and lack of memory, threads or files are reported in a
    line, with a traceback if ALRAKIS_DEBUG is set. Any other exception is a defect and is not caught.
    """
    _say_any_letter()
    _spare_threads()
    try:
        _fill_closed_streams()
        with _stopped_by_signals(), _log_to_stderr():
            program()
            if sys.stdout is not None:
                with to_stdout():
                    sys.stdout.flush()
    except KeyboardInterrupt as error:
        if sys.stderr is not None and sys.stderr.isatty():
            _end_bars()
            print(file=sys.stderr)  # the line has ^C and perhaps a part of a progress bar
        _say("stopped")
        return BY_SIGNAL + (error.number if isinstance(error, Stopped) else signal.SIGINT)
    except ModuleNotFoundError as error:
        missing = _missing_extra(error.name or "")
        if missing is None:
            raise
        _say(f"error: {missing}")
        return FAILED
    except BrokenPipeError:
        _drop_stdout()
        return CLOSED_PIPE
    except (AlrakisError, MemoryError, OSError) as error:
        if os.environ.get("ALRAKIS_DEBUG", "0") not in ("", "0"):
            traceback.print_exc()
        _say(f"error: {_explain(error)}")
        _forget_what_is_left()
        return WRONG_USE if isinstance(error, InputError) else FAILED
    except Exception as error:
        if not any(sign in str(error) for sign in _SHORTAGES):
            raise
        if os.environ.get("ALRAKIS_DEBUG", "0") not in ("", "0"):
            traceback.print_exc()
        shortage = " ".join(str(error).split())
        _say(f"error: this process has too little memory, threads or open files: {shortage:.300}")
        return FAILED
    return 0


_PACKAGES = {"pynvml": "nvidia-ml-py"}  # of modules with other names


def _missing_extra(module: str) -> str | None:
    """Which package a module is of, and the extra that brings it, in a line; None if no extra does."""
    import importlib.metadata

    name = module.partition(".")[0]
    package = _PACKAGES.get(name, name.replace("_", "-"))
    if package == "alrakis":
        return None
    for requirement in importlib.metadata.requires("alrakis") or []:
        found = re.match(r"([\w.-]+).*extra == ['\"](\w+)['\"]", requirement)
        if found and found[1] == package:
            return f"{package} is not installed: pip install 'alrakis[{found[2]}]'"
    return None


def _spare_threads() -> None:
    """Where the system allows too few threads, let numpy do with one.

    Its OpenBLAS starts them when it is imported, and ends a process that may not as Ctrl-C does.
    """
    from alrakis.hardware import threads_start

    if not threads_start(os.cpu_count() or 1):
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def _say_any_letter() -> None:
    """Escape what the encoding of the standard streams has no letter for, instead of failing at it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _explain(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return "out of memory; a smaller model (--weights bark-small) or --set residency=one-stage needs less"
    return _in_flags(str(error)) or type(error).__name__


def _in_flags(message: str) -> str:
    """A message that says what to do in Python, as the command line says it."""
    return re.sub(r"\b(weights|config)=\"([\w.-]+)\"", r"--\1 \2", message)


def _say(message: str) -> None:
    if sys.stderr is None:  # it is closed, and print would write to standard output
        return
    with contextlib.suppress(OSError), _above_bars():  # nobody reads it
        print(f"alrakis: {printable_lines(message)}", file=sys.stderr, flush=True)


def _above_bars() -> contextlib.AbstractContextManager[None]:
    """Where bars may be, `alrakis.progress` has been imported; the help does without."""
    progress = sys.modules.get("alrakis.progress")
    return contextlib.nullcontext() if progress is None else progress.above_bars()


def _end_bars() -> None:
    """Close bars that Ctrl-C left half made: they would be drawn anew below what is said."""
    progress = sys.modules.get("alrakis.progress")
    if progress is not None:
        progress.end_bars()


def _forget_what_is_left() -> None:
    """Forget what standard output did not take: the interpreter would try again at its end, and fail."""
    if sys.stdout is not None:
        try:
            sys.stdout.flush()
        except (OSError, ValueError):
            _drop_stdout()


def _drop_stdout() -> None:
    """Send standard output to the null device, as the interpreter still flushes it at exit."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
    os.close(nothing)


def _fill_closed_streams() -> None:
    """Give streams that are closed to the null device: the next file to be opened would take their place."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


@contextlib.contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Raise Stopped for SIGTERM and SIGHUP within the block, once, unless they are ignored (nohup).

    After that they are ignored to the end: cleaning up is not stopped.
    """
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    ours = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    after = signal.SIG_DFL

    def stop(number: int, frame: object) -> None:
        nonlocal after
        after = signal.SIG_IGN
        for other in ours:
            signal.signal(other, after)
        raise Stopped(number)

    if threading.current_thread() is not threading.main_thread():
        ours = []
    try:
        for number in ours:
            signal.signal(number, stop)
        yield
    finally:
        for number in ours:
            signal.signal(number, after)


class _StderrHandler(logging.Handler):
    """Writes `alrakis: warning: ...` to the present standard error, once each; notes have no level."""

    def __init__(self) -> None:
        super().__init__()
        self._said: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        level = "" if record.levelno < logging.WARNING else f"{record.levelname.lower()}: "
        message = f"{level}{record.getMessage()}"
        if message not in self._said:
            self._said.add(message)
            _say(message)


@contextlib.contextmanager
def _log_to_stderr() -> Iterator[None]:
    """Write the records of the logger `alrakis` to standard error within the block."""
    logger = logging.getLogger("alrakis")
    before = logger.level, logger.propagate
    handler = _StderrHandler()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before[0])
        logger.propagate = before[1]
