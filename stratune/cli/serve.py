"""stratune serve: the winner of a comparison, or several models, over HTTP."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from stratune.cli.options import AllowServer, listed
from stratune.errors import ConfigError

if TYPE_CHECKING:
    from stratune.serving.served import Served

NEEDED = ("fastapi", "uvicorn", "prometheus_client")


def serve(
    places: Annotated[
        list[str],
        typer.Argument(
            metavar="OUT...",
            help="Folders of comparisons, whose winners answer, or of models; NAME=FOLDER gives one a name.",
        ),
    ],
    strategies: Annotated[
        str | None,
        typer.Option("--strategy", help="Rows of the comparison: lora,probe@minilm. [default: the winner]"),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every row of the comparison that finished.")] = False,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0: of all networks.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: one that is free.")] = 8000,
    wait_ms: Annotated[
        float | None, typer.Option(help="Milliseconds that a batch waits for other requests. [default: 3]")
    ] = None,
    most_rows: Annotated[int | None, typer.Option(help="Rows of a request. [default: 1024]")] = None,
    most_bytes: Annotated[int | None, typer.Option(help="Bytes of a body. [default: 8388608]")] = None,
    queue: Annotated[
        int | None, typer.Option(help="Rows that may wait for a model; more are refused. [default: 4096]")
    ] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="Requests share no forward pass: the digits of `predict`, slower.")
    ] = False,
    api_key_env: Annotated[
        str | None, typer.Option(help="Environment variable with the key that requests have to bring.")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda, mps. [default: the fastest there is]")
    ] = None,
    allow_server: AllowServer = None,
) -> None:
    """Answer requests over HTTP until SIGTERM or Ctrl-C, which wait for what is under way."""
    for module in NEEDED:
        if importlib.util.find_spec(module) is None:
            raise ConfigError(f"{module} is not installed: pip install 'stratune[serve]'", key="serve")
    from stratune.memory import set_up_memory
    from stratune.serving.app import create_app
    from stratune.serving.keys import key_from
    from stratune.serving.limits import Limits
    from stratune.serving.process import address_of, bound, is_loopback, run
    from stratune.serving.served import Served, folders_of
    from stratune.train.runtime import device_of

    if device is not None:
        device_of(device)
    given = {"wait_ms": wait_ms, "most_rows": most_rows, "most_bytes": most_bytes, "queue": queue}
    limits = Limits(**{name: value for name, value in given.items() if value is not None}, exact=exact)  # type: ignore[arg-type]
    key = None if api_key_env is None else key_from(api_key_env)
    folders = folders_of(places, listed(strategies) or (), every)
    set_up_memory()
    with bound(host, port) as listening:
        if key is None and not is_loopback(host):
            typer.echo(f"stratune: {host} is open to others, and no key is asked: --api-key-env", err=True)
        served = Served.load(folders, device=device, allow_server=tuple(allow_server or ()))
        app = create_app(served, limits, key)
        run(app, listening, lambda: typer.echo(_ready(address_of(listening), served)))


def _ready(address: str, served: Served) -> str:
    from stratune.memory import status_bytes
    from stratune.printable import printable

    names: Sequence[str] = list(served.models)
    shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    memory = status_bytes("VmRSS")
    used = "" if memory is None else f", {memory / 2**20:,.0f} MiB"
    return printable(f"ready: {address} answers with {shown}{used}; open it in a browser, or see /docs")
