"""The server's web application: routes, errors, and what every request passes."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from alrakis.errors import AlrakisError
from alrakis.serve import lists_api, mp3_api, page_api, speech_api
from alrakis.serve.guard import Guard
from alrakis.serve.logs import Log
from alrakis.serve.problems import ErrorBody, on_error, on_http_error, on_invalid
from alrakis.serve.service import Service
from alrakis.version import __version__

OWN_HEADERS = [
    "x-request-id",
    *(f"x-alrakis-{name}" for name in ("seed", "seconds", "rtf", "error", "ignored")),
]
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def _nothing(api: FastAPI) -> AsyncIterator[None]:
    yield


def make_api(service: Service, lifespan: Lifespan = _nothing) -> FastAPI:
    """The routes and their errors."""
    api = FastAPI(
        title="alrakis",
        version=__version__,
        summary="Bark behind OpenAI's speech interface",
        docs_url=None,  # its page would be loaded from elsewhere
        redoc_url=None,
        lifespan=lifespan,
        responses={421: {"model": ErrorBody, "description": "The server is not called by this name"}},
        exception_handlers={
            AlrakisError: on_error,
            HTTPException: on_http_error,
            RequestValidationError: on_invalid,
            Exception: on_error,
        },
    )
    api.state.service = service
    api.state.page = page_api.page_assets()
    api.state.mp3 = set()
    for part in (speech_api, lists_api, mp3_api, page_api):
        api.include_router(part.router)
    described = api.openapi

    def openapi() -> dict[str, Any]:
        """The description without FastAPI's own form of errors, which nothing is answered in."""
        schema = described()
        for path in schema["paths"].values():
            for operation in path.values():
                if "HTTPValidationError" in str(operation["responses"].get("422")):
                    del operation["responses"]["422"]
        return schema

    api.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way of changing it
    return api


def make_app(service: Service, log: Log, lifespan: Lifespan = _nothing) -> ASGIApp:
    """The whole application."""
    guarded: ASGIApp = Guard(make_api(service, lifespan), service.settings, service.metrics, log)
    if not service.settings.origins:
        return guarded
    return CORSMiddleware(
        guarded,
        allow_origins=service.settings.origins,
        allow_methods=["GET", "POST"],
        allow_headers=["*"],
        expose_headers=OWN_HEADERS,
    )
