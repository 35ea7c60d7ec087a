"""The tags of audio files: which field holds which tag, and reading them back."""

import json
import os
import re
from collections.abc import Mapping

from alrakis.errors import InputError
from alrakis.files.parsing import parse_json
from alrakis.files.path_text import path_as_json, path_from_json

# Tags with fields of their own; all others share `comment`, as JSON.
_FIELDS = ("title", "software", "artist", "album")
_PATHS = ("voice", "weights")  # or names


def tag_fields(tags: Mapping[str, str], limit_bytes: int | None) -> dict[str, str]:
    """The text fields of a file that hold the tags, each at most `limit_bytes` long."""
    plain = {key: value.replace("\0", "") for key, value in tags.items() if key in _FIELDS and value}
    others = {
        key: path_as_json(value) if key in _PATHS else value
        for key, value in tags.items()
        if key not in _FIELDS
    }
    fields = {key: _cut(value, limit_bytes) for key, value in plain.items()}
    if others:
        fields["comment"] = _json(others, limit_bytes)
    return {key: value.encode("utf-8", "replace").decode() for key, value in fields.items()}


def read_tags(path: str | os.PathLike[str]) -> dict[str, str]:
    """The tags that `save_audio` was given. Raises InputError if the file is not an audio file."""
    import soundfile

    try:
        with soundfile.SoundFile(os.fsencode(path)) as file:
            fields: dict[str, str] = file.copy_metadata()
    except (soundfile.LibsndfileError, OSError, TypeError) as error:
        raise InputError(f"{os.fsdecode(path)} cannot be read as audio: {error}") from None
    tags = {field: fields[field] for field in _FIELDS if field in fields}
    if "software" in tags:  # libsndfile adds its own name
        tags["software"] = re.sub(r" \(libsndfile-[\w.]+\)$", "", tags["software"])
    return tags | _from_comment(fields.get("comment", ""))


def _cut(value: str, limit_bytes: int | None) -> str:
    return value.encode("utf-8", "replace")[:limit_bytes].decode("utf-8", "ignore")


def _json(tags: Mapping[str, str], limit_bytes: int | None) -> str:
    """The tags as a JSON object; while it is too long, the longest value is cut and ends in an ellipsis."""
    tags = dict(tags)
    while True:
        text = json.dumps(tags, ensure_ascii=False)
        excess = len(text.encode("utf-8", "replace")) - (limit_bytes or 0)
        if limit_bytes is None or excess <= 0:
            return text
        longest = max(tags, key=lambda key: len(tags[key]))
        kept = len(tags[longest]) - 1 - max(1, excess // 6)  # a character takes up to 6 bytes, as \u0001
        if kept > 0:
            tags[longest] = tags[longest][:kept] + "…"
        else:
            del tags[longest]


def _from_comment(comment: str) -> dict[str, str]:
    try:
        found = parse_json(comment)
    except ValueError:
        found = None
    if isinstance(found, dict):
        texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in found.items()}
        return {key: path_from_json(value) if key in _PATHS else value for key, value in texts.items()}
    return {"comment": comment} if comment else {}
