"""The format of result files."""

import json
from pathlib import Path

import jsonschema

from alrakis.bench.record.schema import json_schema

SCHEMA = Path(__file__).parents[3] / "bench" / "record" / "result.schema.json"


def test_the_schema_that_ships_is_that_of_the_models() -> None:
    assert SCHEMA.read_text("utf-8") == json_schema()
    jsonschema.Draft202012Validator.check_schema(json.loads(json_schema()))
