"""NDJSON in, NDJSON out: rows of any number at constant memory, in their order."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from stratune.data.json_files import in_batches
from stratune.data.write import JsonlWriter
from stratune.errors import choices
from stratune.predictor.written import Answer, flat
from stratune.serving.bodies import parsed, row_of
from stratune.serving.guard import refusal_of
from stratune.serving.limits import Limits
from stratune.serving.refusals import Refused
from stratune.serving.served import ServedModel
from stratune.serving.service import Service

Row = dict[str, Any]


class WhileRead(StreamingResponse):
    """An answer that begins before its request has ended: the body is read by who answers it alone.

    starlette's own waits for the client to go, and takes what comes of the body for itself.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.stream_response(send)


async def lines_of(chunks: AsyncIterator[bytes], most: int) -> AsyncIterator[tuple[int, bytes]]:
    """(number from 1, line) of a body, without blank ones. Raises Refused (413) for a line of more bytes."""
    left, number = bytearray(), 0
    async for chunk in chunks:
        left += chunk
        if b"\n" in chunk:
            *whole, rest = left.split(b"\n")
            left = bytearray(rest)
            for line in whole:
                number += 1
                _check_length(line, number, most)
                if line.strip():
                    yield number, bytes(line)
        _check_length(left, number + 1, most)
    if left.strip():
        yield number + 1, bytes(left)


def _check_length(line: bytes | bytearray, number: int, most: int) -> None:
    if len(line) > most:
        raise Refused(413, f"line {number}: more than {most:,} bytes")


async def batches_of(
    lines: AsyncIterator[tuple[int, bytes]], model: ServedModel, limits: Limits
) -> AsyncIterator[tuple[list[Row], list[str], list[str] | None]]:
    """(rows as they came, texts, pairs) of some lines at a time. Raises Refused (400): a line is no row."""
    task = model.predictor.task
    added = ["prediction", *(f"score_{label}" for label in model.predictor.labels), "tokens_cut"]
    rows, texts, pairs, size = list[Row](), list[str](), list[str](), 0
    async for number, line in lines:
        row = _row(line, number)
        text, pair = row_of(row, task, f"line {number}")
        if there := [name for name in row if name in added]:
            raise Refused(400, f"line {number}: it has a column {there[0]!r} already")
        rows.append(row)
        texts.append(text)
        if pair is not None:
            pairs.append(pair)
        size += len(line)
        if len(rows) >= limits.stream_rows or size >= limits.most_bytes:
            yield rows, texts, pairs if task.text_pair is not None else None
            rows, texts, pairs, size = [], [], [], 0
    if rows:
        yield rows, texts, pairs if task.text_pair is not None else None


def _row(line: bytes, number: int) -> Any:
    try:
        return parsed(line)
    except Refused as error:
        raise Refused(error.status, f"line {number}: {str(error).removeprefix('body: ')}") from None


async def answered_lines(
    service: Service, model: ServedModel, chunks: AsyncIterator[bytes]
) -> AsyncIterator[bytes]:
    """Some lines at a time. What is wrong with the first of them is raised; later it is the last line."""
    lines, begun = lines_of(chunks, service.limits.most_bytes), False
    try:
        async for rows, texts, pairs in batches_of(lines, model, service.limits):
            answers = await service.answer(model, texts, pairs, patient=True)
            yield written(rows, answers)
            begun = True
    except ClientDisconnect:
        raise
    except Refused as refused:
        if not begun:
            raise
        yield refused.line + b"\n"
    except Exception as error:  # noqa: BLE001  the status is sent already
        if not begun:
            raise
        yield refusal_of(error).line + b"\n"


def written(rows: list[Row], answers: list[Answer]) -> bytes:
    """Rows with their answers, as `stratune predict --format jsonl` writes them."""
    columns = next(in_batches(rows, len(rows)))
    cells = [flat(answer) for answer in answers]
    stream = io.BytesIO()
    JsonlWriter(stream).write({**columns, **{name: [cell[name] for cell in cells] for name in cells[0]}})
    return stream.getvalue()


def known_parameters(parameters: Any, known: tuple[str, ...]) -> None:
    """Raises Refused (400) for a parameter of the address that no route has."""
    for name in parameters:
        if name not in known:
            raise Refused(400, f"address: parameter {choices(name, known)}")
