"""What goes wrong, in the form that OpenAI's clients read."""

import contextlib
import math
from collections.abc import Iterator, Sequence
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from alrakis.errors import (
    AlrakisError,
    BackendError,
    GenerationError,
    InputError,
    OutputError,
    VoiceError,
    nearest,
)
from alrakis.files.printable import printable

INVALID, SERVER, BUSY = "invalid_request_error", "server_error", "rate_limit_error"
MOST_TOLD = 5
KINDS = {"as_name", "as_object", "[key]"}  # in a place that pydantic names: no field of a client's


class ErrorDetail(BaseModel):
    """What is wrong, what kind of mistake it is, which field it is about, and a word for programs."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class ErrorBody(BaseModel):
    """OpenAI's form of an error."""

    error: ErrorDetail


class ApiError(AlrakisError):
    """An answer that is an error."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        retry_after_s: float | None = None,
        again: bool | None = None,
        quotes: bool = False,
    ) -> None:
        """retry_after_s: when it may be asked again. again: whether a client should, if not by the status.

        quotes: the message may have words of the text.
        """
        super().__init__(message)
        self.status, self._quotes = status, quotes
        self.headers = {} if again is None else {"x-should-retry": "true" if again else "false"}
        if retry_after_s is not None:
            self.headers["retry-after"] = str(max(1, math.ceil(retry_after_s)))
        kind = BUSY if status == 429 else SERVER if status >= 500 else INVALID
        self.detail = ErrorDetail(message=printable(message), type=kind, param=param, code=code)

    def logged(self, *, text: bool) -> str:
        """What the log says of it. text: whether texts may be in it."""
        hidden = self._quotes and not text
        return f"{self.detail.param or 'the request'} cannot be used" if hidden else str(self)

    def response(self) -> JSONResponse:
        """The answer."""
        body = ErrorBody(error=self.detail).model_dump()
        return JSONResponse(body, self.status, headers=self.headers)


@contextlib.contextmanager
def about(param: str) -> Iterator[None]:
    """Let an InputError of the block say which field it is about."""
    try:
        yield
    except VoiceError as error:
        raise ApiError(400, str(error), param="voice", quotes=True) from None
    except InputError as error:
        raise ApiError(400, str(error), param=param, quotes=True) from None


def as_api_error(error: BaseException) -> ApiError:
    """Any error as an answer; a defect's has no details in it."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, InputError):
        return ApiError(400, str(error), quotes=True)
    if isinstance(error, (BackendError, MemoryError)):
        return ApiError(503, str(error) or "there is not enough memory now", code="unavailable")
    if isinstance(error, AlrakisError) and not isinstance(error, OutputError):
        return ApiError(500, str(error), quotes=isinstance(error, GenerationError))
    return ApiError(500, "something went wrong here; the server's log says what", code="internal_error")


async def on_error(request: Request, error: Exception) -> JSONResponse:
    """Handler of exceptions."""
    return as_api_error(error).response()


async def on_http_error(request: Request, error: Exception) -> JSONResponse:
    """Handler of what the framework refuses: unknown paths, methods, bodies that are no JSON."""
    if not isinstance(error, HTTPException):
        return as_api_error(error).response()
    words = {
        400: "the body is no JSON that can be read: UTF-8, not nested deeply, numbers of a few digits",
        404: f"there is nothing at {request.url.path}",
        405: f"{request.method} is not allowed at {request.url.path}",
    }
    told = ApiError(error.status_code, words.get(error.status_code, str(error.detail)))
    told.headers.update(error.headers or {})
    return told.response()


async def on_invalid(request: Request, error: Exception) -> JSONResponse:
    """Handler of bodies that are not as they should be: each mistake is named."""
    if not isinstance(error, RequestValidationError):
        return as_api_error(error).response()
    return invalid([{**problem, "loc": problem["loc"][1:]} for problem in error.errors()]).response()


def invalid(problems: Sequence[Any]) -> ApiError:
    """What pydantic finds wrong with what a client asked for: each mistake is named."""
    fields = [_field(problem) for problem in problems]
    told = [_told(field, problem) for field, problem in zip(fields, problems, strict=True)]
    more = f"; and {len(told) - MOST_TOLD} more" if len(told) > MOST_TOLD else ""
    message = "; ".join(told[:MOST_TOLD]) + more
    return ApiError(400, message, param=printable(fields[0])[:80] or None)


def _field(problem: Any) -> str:
    if problem["type"] == "json_invalid":
        return ""
    return ".".join(str(part) for part in problem["loc"] if part not in KINDS)


def _told(field: str, problem: Any) -> str:
    kind, field = problem["type"], field[:80]
    if kind == "json_invalid":
        return "the body is no JSON: " + str(problem.get("ctx", {}).get("error", "it cannot be read"))
    if not field:
        return "the body must be a JSON object, with the content type application/json"
    if kind == "extra_forbidden":
        from alrakis.serve.asked import FIELDS

        hint = "" if "." in field else nearest(field, list(FIELDS))
        return f"there is no field {field!r}{hint}"
    return f"{field}: {str(problem['msg']).removeprefix('Value error, ')}"
