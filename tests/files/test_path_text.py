"""Paths that are no Unicode go into JSON and come out as they were."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, ValidationError

from alrakis.files.parsing import parse_model
from alrakis.files.path_text import PathText, path_as_json


class Kept(BaseModel):
    model_config = ConfigDict(strict=True)

    path: PathText | None
    keys: dict[PathText, int]


@given(st.one_of(st.binary(max_size=20).map(os.fsdecode), st.text(max_size=20)))
def test_whatever_a_disk_calls_a_file_is_read_as_it_was_written(path: str) -> None:
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        return  # no system calls a file so
    if path.startswith("bytes:"):
        return
    kept = Kept(path=path, keys={path: 1})
    written = kept.model_dump_json()
    json.loads(written.encode("utf-8"))
    assert parse_model(Kept, written.encode()) == kept
    assert kept.model_dump()["path"] == path


def test_unicode_is_written_as_it_is() -> None:
    assert path_as_json("é/v2") == "é/v2"
    assert path_as_json(os.fsdecode(b"a b/\xe9")) == "bytes:a%20b/%E9"


@pytest.mark.parametrize("value", [1, [], b"x"])
def test_other_values_are_refused(value: object) -> None:
    with pytest.raises(ValidationError, match="a text is needed"):
        Kept(path=value, keys={})  # type: ignore[arg-type]
