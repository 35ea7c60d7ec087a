"""What a server has, and how it is: models, voices, health, figures."""

import time
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from alrakis.serve.asked import FORMATS
from alrakis.serve.metrics import CONTENT_TYPE
from alrakis.serve.names import NamedVoice
from alrakis.serve.problems import ErrorBody
from alrakis.serve.service import Service, State
from alrakis.version import __version__

router = APIRouter()
STARTED = int(time.time())


class Model(BaseModel):
    """A name of the weights."""

    id: str
    object: Literal["model"] = "model"
    created: int = STARTED
    owned_by: str = "alrakis"


class Models(BaseModel):
    """OpenAI's list of models."""

    object: Literal["list"] = "list"
    data: list[Model]


class AudioModel(BaseModel):
    """A name of the weights, as Open WebUI asks for it."""

    id: str


class AudioModels(BaseModel):
    """Open WebUI's list of models."""

    models: list[AudioModel]


class Voices(BaseModel):
    """All voices."""

    voices: list[NamedVoice]


class Limits(BaseModel):
    """How much a request may ask for."""

    max_text_chars: int
    max_queued_s: float
    timeout_s: float


class About(BaseModel):
    """What speaks here, and how. key: whether speech needs one."""

    version: str
    weights: str
    config: str
    note: str
    key: bool
    formats: list[str]
    limits: Limits


class Health(BaseModel):
    """How the server is."""

    status: str


class Readiness(BaseModel):
    """Whether texts can be said, and if not, why."""

    status: State
    reason: str


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


@router.get("/v1/models")
async def models(request: Request) -> Models:
    """Names that a request may give as its model; all are the same weights."""
    return Models(data=[Model(id=name) for name in _service(request).names.models])


@router.get("/v1/models/{model}", responses={404: {"model": ErrorBody, "description": "No such model"}})
async def one_model(model: str, request: Request) -> Model:
    """One of them."""
    _service(request).names.check_model(model)
    return Model(id=model)


@router.get("/v1/audio/models")
async def audio_models(request: Request) -> AudioModels:
    """The same names, as Open WebUI asks for them."""
    return AudioModels(models=[AudioModel(id=name) for name in _service(request).names.models])


@router.get("/v1/audio/voices", response_model_exclude_none=True)
async def voices(request: Request) -> Voices:
    """Voices that go with the weights."""
    return Voices(voices=list(_service(request).names.voices.values()))


@router.get("/api/about")
async def about(request: Request) -> About:
    """What speaks here, and its limits."""
    service = _service(request)
    settings = service.settings
    return About(
        version=__version__,
        weights=service.engine.weights.name,
        config=service.engine.config.name,
        note=service.engine.weights.note,
        key=bool(settings.keys),
        formats=list(FORMATS),
        limits=Limits(
            max_text_chars=settings.max_text_chars,
            max_queued_s=settings.max_queued_s,
            timeout_s=settings.timeout_s,
        ),
    )


@router.get("/health")
async def health() -> Health:
    """Whether the server is alive."""
    return Health(status="ok")


@router.get(
    "/ready", response_model=Readiness, responses={503: {"model": Readiness, "description": "Not yet"}}
)
async def ready(request: Request) -> Any:
    """Whether texts can be said: the weights are loaded, and the server is not being stopped."""
    service = _service(request)
    status = 200 if service.ready else 503
    return JSONResponse({"status": service.state, "reason": service.reason}, status)


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
        401: {"model": ErrorBody, "description": "A key is needed"},
    },
)
async def metrics(request: Request) -> Response:
    """Figures for Prometheus."""
    return Response(_service(request).metrics.text(), media_type=CONTENT_TYPE)
