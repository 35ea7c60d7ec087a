"""Paths in files of ours: a name on a disk is bytes that need not be Unicode, and JSON is Unicode."""

import os
import urllib.parse
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator

_BYTES = "bytes:"  # before a path that is no Unicode, written like one in an address


def path_as_json(path: str) -> str:
    """A path, or a name that may be one, as Unicode."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return _BYTES + urllib.parse.quote_from_bytes(os.fsencode(path))
    return path


def path_from_json(value: Any) -> str:
    """The path that `path_as_json` wrote. Raises ValueError for what is no text."""
    if not isinstance(value, str):
        raise ValueError("a text is needed")
    if value.startswith(_BYTES):
        return os.fsdecode(urllib.parse.unquote_to_bytes(value.removeprefix(_BYTES)))
    return value


PathText = Annotated[
    str, PlainValidator(path_from_json), PlainSerializer(path_as_json, str, when_used="json")
]
