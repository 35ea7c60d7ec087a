"""Errors in OpenAI's form."""

import json

import pytest

from alrakis.errors import BackendError, GenerationError, InputError, OutputError, WeightsError
from alrakis.serve.problems import ApiError, as_api_error


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (InputError("wrong"), 400, "invalid_request_error"),
        (BackendError("closed"), 503, "server_error"),
        (MemoryError(), 503, "server_error"),
        (GenerationError("silent"), 500, "server_error"),
        (WeightsError("damaged"), 500, "server_error"),
        (OutputError("/a/path"), 500, "server_error"),
        (ZeroDivisionError("inside"), 500, "server_error"),
    ],
)
def test_each_error_has_a_status(error: Exception, status: int, kind: str) -> None:
    told = as_api_error(error)
    assert (told.status, told.detail.type) == (status, kind)
    assert told.detail.message
    assert "inside" not in told.detail.message
    assert "/a/path" not in told.detail.message


def test_the_form() -> None:
    error = ApiError(429, "full\x1b[31m", param="input", code="queue_full", retry_after_s=2.1, again=True)
    answer = error.response()
    assert (answer.status_code, answer.headers["retry-after"], answer.headers["x-should-retry"]) == (
        429,
        "3",
        "true",
    )
    assert json.loads(bytes(answer.body)) == {
        "error": {
            "message": "full\\x1b[31m",
            "type": "rate_limit_error",
            "param": "input",
            "code": "queue_full",
        }
    }
    assert ApiError(429, "now", retry_after_s=0).headers["retry-after"] == "1"
