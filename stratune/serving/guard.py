"""Around every route: the key, the count of what is under way, and whatever fails as one line of JSON."""

from __future__ import annotations

import logging
import time

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stratune.errors import DataError, RemoteError, StratuneError, UnsupportedError
from stratune.serving.keys import ApiKey
from stratune.serving.refusals import Refused
from stratune.serving.service import Service

log = logging.getLogger("stratune.serving")
GONE = 499  # as nginx calls it: nobody reads this
HEALTH = "/healthz"
PAGE = "/"  # it holds nothing of the models: what it shows it asks for, with the key that it is given
OPEN = (HEALTH, PAGE)  # without a key
ANSWERING = ("/predict", "/predict.ndjson", "/v1/classify", "/explain")
ROUTES = (*ANSWERING, "/v1/models", "/metrics", *OPEN, "/docs", "/openapi.json")  # of a label in /metrics


class Guard:
    """ASGI middleware. `key` None: everybody may ask."""

    def __init__(self, app: ASGIApp, service: Service, key: ApiKey | None) -> None:
        self.app, self.service, self.key = app, service, key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path, begun, status = scope["path"], time.perf_counter(), 0
        counted = path in ANSWERING

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self.service.under_way += counted
        try:
            self._check(path, scope)
            await self.app(scope, receive, sending)
        except ClientDisconnect:
            status = GONE
        except Refused as refused:
            await _refuse(refused, sending)
        except Exception as error:  # noqa: BLE001  a request must not end the server
            if status:
                raise  # an answer has begun: the connection is closed, which tells that it is not whole
            await _refuse(refusal_of(error), sending)
        finally:
            self.service.under_way -= counted
            route = path if path in ROUTES else "other"
            self.service.meters.request(route, status, time.perf_counter() - begun)

    def _check(self, path: str, scope: Scope) -> None:
        """Raises Refused: 401 without the key, 503 while the server stops."""
        if self.key is not None and path not in OPEN:
            given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
            if not self.key.opens(given):
                raise Refused(401, "Authorization: expected `Bearer KEY` with the key of this server")
        if self.service.draining and path in ANSWERING:
            raise Refused(503, "the server is stopping; ask another one", after=1)


def refusal_of(error: Exception) -> Refused:
    """What is said of another error. Paths and addresses that one of ours may name are for the log alone."""
    if isinstance(error, (DataError, UnsupportedError)):
        return Refused(400, str(error))
    if isinstance(error, StratuneError):
        log.error("%s", error)
        status = 502 if isinstance(error, RemoteError) else 500
        what = "the server of this model did not answer" if status == 502 else "this model could not answer"
        return Refused(status, f"{what}; the log says why")
    log.exception("a request failed")
    return Refused(500, "the server failed; its log says why")


async def _refuse(refused: Refused, send: Send) -> None:
    body = refused.line
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if refused.after is not None:
        headers.append((b"retry-after", str(refused.after).encode()))
    if refused.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
