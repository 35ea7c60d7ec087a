"""`alrakis serve`: a server for programs that speak OpenAI's interface, and a page to speak with."""

import argparse
import logging
from typing import Any

from alrakis.cli.arguments import given, parse_overrides

NAME = "serve"
SUMMARY = "serve speech to other programs, and a page to try it"
DESCRIPTION = """\
Serve speech by OpenAI's interface (POST /v1/audio/speech), a page at /, and Home Assistant's Wyoming. Every
option may also be a variable: ALRAKIS_ and its name in capitals, as in ALRAKIS_PORT or ALRAKIS_MAX_QUEUED_S
(seconds are _S); --set is ALRAKIS_OVERRIDES, in JSON."""
EXAMPLES = """\
examples:
  alrakis serve --weights demo
  alrakis serve --weights bark-small --host 0.0.0.0 --api-key-file keys.txt
  alrakis serve --weights demo --wyoming 10200
  curl http://127.0.0.1:8000/v1/audio/speech --json '{"input": "Good morning."}' -o morning.mp3

Only this machine can reach it unless --host says otherwise; then it asks for a key, or for --open. SIGTERM
and Ctrl-C let finish what is under way; a second one ends at once. Without weights it ends."""

logger = logging.getLogger("alrakis")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    def option(name: str, help: str, **more: Any) -> None:
        parser.add_argument(f"--{name}", help=help, default=argparse.SUPPRESS, **more)

    option("host", "the address to listen on (default: 127.0.0.1)", metavar="HOST")
    option("port", "default: 8000; 0 takes one that is free", type=int, metavar="PORT")
    option("wyoming", "also serve Home Assistant on this port (usually 10200)", type=int, metavar="PORT")
    option("weights", "as other commands have it (default: bark)", type=given, metavar="NAME|DIR")
    option("config", "as other commands have it (default: auto)", type=given, metavar="NAME|FILE")
    option("listen", "a Whisper model that compares takes and finds words", type=given, metavar="NAME|DIR")
    option("set", "change a key of the config", metavar="KEY=VALUE", action="append", dest="overrides")
    option("api-key", "a key that clients must show; several with commas between them", metavar="KEY")
    option("api-key-file", "a file of keys, one a line", type=given, metavar="FILE")
    option("open", "let other machines in without a key", action="store_true")
    option("cors", "origins whose pages may call it, with commas; * for all", metavar="ORIGINS")
    option("aliases", "a TOML file of other names for voices and models", type=given, metavar="FILE")
    option("max-text-chars", "the longest text of a request (default: 20000)", type=int, metavar="N")
    option("max-body-bytes", "the largest body of a request (default: 262144)", type=int, metavar="N")
    option(
        "max-queued",
        "seconds of audio that may wait (default: 1800)",
        type=float,
        metavar="S",
        dest="max_queued_s",
    )
    option("max-connections", "default: 500", type=int, metavar="N")
    option("timeout", "to the end of an answer (default: 600)", type=float, metavar="S", dest="timeout_s")
    option("read", "for a request to come in (default: 20)", type=float, metavar="S", dest="read_s")
    option("stall", "without a byte being read (default: 60)", type=float, metavar="S", dest="stall_s")
    option("grace", "to finish at SIGTERM (default: 30)", type=float, metavar="S", dest="grace_s")
    option("log-text", "write what is said into the log", action="store_true")


def run(args: argparse.Namespace) -> None:
    from alrakis.engine import Engine
    from alrakis.progress import end_working
    from alrakis.serve.server import run_server
    from alrakis.serve.settings import Settings, load_settings

    asked = {name: value for name, value in vars(args).items() if name in Settings.model_fields}
    if "overrides" in asked:
        asked["overrides"] = parse_overrides(asked["overrides"])
    settings = load_settings(asked)
    engine = Engine(settings.weights, settings.config, **settings.overrides)

    def started(address: str) -> None:
        end_working()
        if engine.weights.note:
            logger.info(engine.weights.note)
        logger.info("listening on %s", address)
        key = " -H 'Authorization: Bearer KEY'" if settings.keys else ""
        body = """'{"input": "Good morning."}'"""
        logger.info("curl -f %s/v1/audio/speech%s --json %s -o morning.mp3", address, key, body)

    run_server(engine, settings, started)
