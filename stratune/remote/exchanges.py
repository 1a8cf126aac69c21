"""prompts.jsonl of a run: what a server was asked and what it answered, a line each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stratune.remote.request import Body
from stratune.remote.response import reply_of, usage_of
from stratune.remote.row_fault import Answer

NAME = "prompts.jsonl"


def gather(run: Path) -> None:
    """What the folds of a run asked, in the one file of the run."""
    parts = sorted(run.glob(f"fold-*/{NAME}"))
    if not parts:
        return
    with (run / NAME).open("w", encoding="utf-8") as file:
        for part in parts:
            file.write(part.read_text(encoding="utf-8"))
            part.unlink()


class Exchanges:
    """Appends to `path`, which begins empty: a run that goes on asks for its stored answers again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("", encoding="utf-8")

    def add(self, exchanges: Sequence[tuple[Body, Answer]]) -> None:
        if not exchanges:
            return
        with self._path.open("a", encoding="utf-8") as file:
            for body, answer in exchanges:
                file.write(json.dumps(_line(body, answer), ensure_ascii=False) + "\n")


def _line(body: Body, answer: Answer) -> dict[str, Any]:
    """The request as it was meant (a server may not take all of its fields), and what came of it."""
    if answer.response is None:
        return {"asked": body, "no_answer": answer.why}
    reply, usage = reply_of(answer.response), usage_of(answer.response)
    line: dict[str, Any] = {"asked": body, "answer": reply.text}
    if reply.thought:
        line["thought"] = reply.thought
    logprobs = answer.response["choices"][0].get("logprobs")
    if logprobs:
        line["logprobs"] = logprobs
    if usage.counted:
        line["tokens"] = {"prompt": usage.prompt, "answer": usage.answer}
    return line
