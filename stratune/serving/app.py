"""create_app(served) -> FastAPI: the routes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import AsyncIterator, Coroutine
from typing import Any, TypeVar

from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse

from stratune.predictor.written import Answer
from stratune.serving import schemas
from stratune.serving.bodies import (
    asked_of,
    check_whole,
    checked_rows,
    content_of,
    model_of,
    object_of,
    transcript_of,
)
from stratune.serving.explain import KEYS, explanation
from stratune.serving.guard import GONE, HEALTH, PAGE, Guard
from stratune.serving.keys import ApiKey
from stratune.serving.limits import Limits
from stratune.serving.page import page
from stratune.serving.playground import playground
from stratune.serving.refusals import Refused, error_body, kind_of
from stratune.serving.served import Served
from stratune.serving.service import Service
from stratune.serving.streams import WhileRead, answered_lines, known_parameters
from stratune.version import __version__

T = TypeVar("T")
LOOK = 0.1  # seconds that an answer may take before it is looked whether anybody waits for it
NDJSON = "application/x-ndjson"
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


def create_app(served: Served, limits: Limits | None = None, key: ApiKey | None = None) -> FastAPI:
    """The server of these models. `key`: what requests have to bring; None: nothing."""
    service = Service(served, limits or Limits())

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with service.running():
            yield

    app = FastAPI(
        title="stratune serve", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None,
        redirect_slashes=False,
    )  # fmt: skip
    app.state.service = service
    app.add_exception_handler(HTTPException, _http_error)
    _add_answers(app, service)
    _add_about(app, service)
    app.add_middleware(Guard, service=service, key=key)
    return app


def _add_answers(app: FastAPI, service: Service) -> None:
    """The routes that ask a model."""

    @app.post("/predict", **schemas.of(schemas.PREDICT, schemas.PREDICTED))
    async def predict(request: Request) -> Response:
        """Answer a text, several, rows by their columns, or a transcript: one text with one answer."""
        kind, found = content_of(await _body(request, service.limits))
        model = service.served.get(model_of(found))
        if kind == "transcript":
            asked = await run_in_threadpool(transcript_of, found, model.predictor, service.limits)
        else:
            asked = asked_of(kind, found, model.predictor, service.limits)
        answers = await _unless_gone(request, service.answer(model, asked.texts, asked.pairs))
        if answers is None:
            return Response(status_code=GONE)
        if asked.single:
            return _json(answers[0])
        if asked.names:
            answers = [{**name, **answer} for name, answer in zip(asked.names, answers, strict=True)]
        return _json({"model": model.name, "answers": answers})

    @app.post("/predict.ndjson", **schemas.of({"type": "object"}, {"type": "object"}, NDJSON))
    async def predict_lines(request: Request) -> Response:
        """A JSON object a line, of any number, with the columns of the task: each comes back with its answer.

        `?model=` names one. What is wrong with a later line is the last line of the answer, an `error`.
        """
        known_parameters(request.query_params, ("model",))
        model = service.served.get(request.query_params.get("model"))
        lines = answered_lines(service, model, request.stream())
        first = await anext(lines, b"")  # what is wrong with it is a status
        return WhileRead(_after(first, lines), media_type=NDJSON)

    @app.post("/v1/classify", **schemas.of(schemas.CLASSIFY, schemas.CLASSIFIED))
    async def classify(request: Request) -> Response:
        """As vLLM has it: a text or several, and for each its label and the probabilities of all."""
        found = object_of(await _body(request, service.limits), ("model", "input", "user"))
        model = service.served.get(model_of(found))
        labels = model.predictor.labels
        if not labels or model.predictor.task.text_pair is not None:
            what = "takes pairs" if labels else "predicts values"
            raise Refused(400, f"model: {model.name} {what}; ask /predict")
        texts = _inputs(found, service.limits)
        answers = await _unless_gone(request, service.answer(model, texts, None))
        if answers is None:
            return Response(status_code=GONE)
        data = [_classified(k, answer) for k, answer in enumerate(answers)]
        head = {"id": f"classify-{uuid.uuid4().hex}", "object": "list", "created": int(time.time())}
        return _json({**head, "model": model.name, "data": data, "usage": None})

    @app.post("/explain", **schemas.of(schemas.EXPLAIN, schemas.EXPLAINED))
    async def explain(request: Request) -> Response:
        """Which words decided the answer to a text: Shapley values of up to 8 words, occlusion of more.

        `change`: what the word adds to the score of the label `of`, or to the value. `chunks` and `prompt` of
        models that have them.
        """
        found = object_of(await _body(request, service.limits), KEYS)
        model = service.served.get(model_of(found))
        explained = await _unless_gone(request, explanation(service, model, found))
        return Response(status_code=GONE) if explained is None else _json(explained)


def _add_about(app: FastAPI, service: Service) -> None:
    """The routes that tell of the server."""

    @app.get("/v1/models")
    async def models() -> Response:
        """Which models there are, the first of which answers where none is named."""
        data = [{**model.about, "created": service.began} for model in service.served.models.values()]
        return _json({"object": "list", "data": data})

    @app.get(HEALTH)
    async def health() -> Response:
        """200 while it answers, 503 while it stops. No key is needed."""
        if service.draining:
            return _json({"status": "stopping"}, 503)
        return _json({"status": "ready"})

    @app.get("/metrics")
    async def metrics() -> Response:
        """For Prometheus."""
        return Response(service.meters.text(), media_type=PROMETHEUS)

    @app.get(PAGE, include_in_schema=False)
    async def page_of_models() -> Response:
        document, headers = playground()
        return HTMLResponse(document, headers=headers)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return HTMLResponse(page(app.openapi()))


def _classified(number: int, answer: Answer) -> dict[str, Any]:
    probabilities = list(answer["scores"].values())
    count = {"num_classes": len(probabilities)}
    return {"index": number, "label": answer["prediction"], "probs": probabilities, **count}


def _inputs(found: dict[str, Any], limits: Limits) -> list[str]:
    """The texts of `input`. Raises Refused (400, 413)."""
    if "input" not in found:
        raise Refused(400, "body: no input; expected a text or an array of texts")
    given = found["input"]
    texts = [given] if isinstance(given, str) else checked_rows(given, "input", limits)
    for number, text in enumerate(texts, start=1):
        if not isinstance(text, str):
            raise Refused(400, f"input: {number}: expected a text, found {kind_of(text)}")
        check_whole(text, f"input: {number}")
    return texts


async def _body(request: Request, limits: Limits) -> bytes:
    """Raises Refused (413) as soon as it has more bytes than are taken."""
    said = request.headers.get("content-length", "")
    if said.isascii() and said.isdigit() and int(said[:20]) > limits.most_bytes:
        raise Refused(413, f"body: {int(said[:20]):,} bytes, of at most {limits.most_bytes:,}")
    found = bytearray()
    async for chunk in request.stream():
        found += chunk
        if len(found) > limits.most_bytes:
            raise Refused(413, f"body: more than {limits.most_bytes:,} bytes")
    return bytes(found)


async def _unless_gone(request: Request, answering: Coroutine[Any, Any, T]) -> T | None:
    """What it gives, or None where the client has gone: then it is cancelled."""
    task = asyncio.ensure_future(answering)
    try:
        done, _ = await asyncio.wait({task}, timeout=LOOK)
        if not done:
            watcher = asyncio.ensure_future(_disconnected(request))
            try:
                await asyncio.wait({task, watcher}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                watcher.cancel()
        return task.result() if task.done() else None
    finally:
        task.cancel()


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        continue


async def _after(first: bytes, others: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if first:
        yield first
    async for one in others:
        yield one


def _json(value: Any, status: int = 200) -> Response:
    body = json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8", "backslashreplace")
    return Response(body, status, media_type="application/json")


async def _http_error(_: Request, error: Exception) -> Response:
    """No such route, or no such method: in the same form as all others."""
    assert isinstance(error, HTTPException)
    found = _json(error_body(error.status_code, str(error.detail)), error.status_code)
    found.headers.update(error.headers or {})
    return found
