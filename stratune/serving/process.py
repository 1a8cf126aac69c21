"""The process of a server: its socket, signals, and an orderly end."""

from __future__ import annotations

import errno
import ipaddress
import signal
import socket
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI

from stratune.errors import ConfigError, reason

BACKLOG = 2048  # connections that wait to be accepted


def bound(host: str, port: int) -> socket.socket:
    """A socket of its own, before models are loaded: a port in use is told at once. Raises ConfigError."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"{host!r} is no address of this machine ({reason(error)})", key="--host") from None
    found = socket.socket(family, kind)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(BACKLOG)  # two that are bound alone do not disturb each other
    except OSError as error:
        found.close()
        if error.errno == errno.EADDRINUSE:
            raise ConfigError(f"port {port} of {host} is in use; choose another", key="--port") from None
        raise ConfigError(f"{host}:{port}: {error.strerror or error}", key="--host") from None
    return found


def is_loopback(host: str) -> bool:
    """Whether only this machine can ask."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def address_of(found: socket.socket) -> str:
    """http://127.0.0.1:8000"""
    host, port = found.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Server(uvicorn.Server):
    """SIGTERM and Ctrl-C drain: who waits is answered, and the process ends with exit code 0."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._service, self._ready = app.state.service, ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Not as uvicorn, which dies of the signal in the end. A second Ctrl-C waits for nobody."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._service.drain()  # still listening: new requests hear 503
        if not self.force_exit:
            await self._service.drained()
        await super().shutdown(sockets=sockets)


def run(app: FastAPI, listening: socket.socket, ready: Callable[[], None]) -> None:
    """Until a signal ends it. `ready` is called once it answers."""
    how: dict[str, Any] = {"http": "auto", "loop": "auto", "ws": "none", "lifespan": "on"}
    config = uvicorn.Config(
        app,
        backlog=BACKLOG,
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=5,
        **how,
    )
    _Server(config, app, ready).run(sockets=[listening])
