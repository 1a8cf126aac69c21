"""Chat templates: programs (Jinja) that come with a model, rendered in a child with little time and memory.

transformers' sandbox keeps them from the machine, but not from looping for ever or doubling a text until
memory is full. So a forked process renders: it is bounded by the operating system, and where it dies the
template is refused. It lives as long as the tokenizer, and a row costs two short messages.
"""

from __future__ import annotations

import json
import math
import os
import signal
import sys
import threading
import warnings
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from stratune.errors import BackboneError, boundary

Message = dict[str, str]

SECONDS = 3  # of the processor, for one prompt; a usual one takes a few milliseconds
BYTES = 2**30  # of memory beyond what the process has
LONGEST = 50_000_000  # characters of a prompt

_templates: weakref.WeakKeyDictionary[Any, ChatTemplate] = weakref.WeakKeyDictionary()
_starting = threading.Lock()


def render_chat(tokenizer: Any, messages: Sequence[Message]) -> str:
    """Apply the chat template, up to the assistant's turn.

    When the chat template has no system role, its text is put before the first user message. Raises
    BackboneError for a template that fails, or takes more than a prompt needs.
    """
    if not hasattr(os, "fork"):  # Windows: bounded by nothing
        return _answered(tokenizer, _reply(tokenizer, list(messages)))
    with _starting:
        template = _templates.setdefault(tokenizer, ChatTemplate())
    return _answered(tokenizer, template.ask(tokenizer, list(messages)))


def _answered(tokenizer: Any, reply: dict[str, str]) -> str:
    if "text" in reply:
        return reply["text"]
    raise BackboneError(f"{tokenizer.name_or_path}: its chat template {reply['error']}")


class ChatTemplate:
    """The child that renders one tokenizer's template; several threads may ask it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made_by: tuple[int, str] | None = None  # the process that forked it, and the template it has
        self._close: Any = None
        self._ask: BinaryIO
        self._answers: BinaryIO

    def ask(self, tokenizer: Any, messages: list[Message]) -> dict[str, str]:
        wanted = os.getpid(), json.dumps(tokenizer.chat_template, default=str)
        with self._lock:
            if self._made_by != wanted:
                self._start(tokenizer)
                self._made_by = wanted
            try:
                self._ask.write(json.dumps(messages).encode() + b"\n")
                self._ask.flush()
                line = self._answers.readline()
            except BrokenPipeError:
                line = b""
            if not line:
                self._made_by = None
                return {"error": f"takes more than {SECONDS} s or {BYTES >> 20} MB for one prompt"}
            reply: dict[str, str] = json.loads(line)
            return reply

    def _start(self, tokenizer: Any) -> None:
        if self._close is not None:
            self._close()
        child_reads, parent_writes = os.pipe()
        parent_reads, child_writes = os.pipe()
        with warnings.catch_warnings():  # from Python 3.12 on, of threads: the child renders text, no more
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if not child:
            _serve(tokenizer, child_reads, child_writes)
        os.close(child_reads)
        os.close(child_writes)
        self._ask, self._answers = os.fdopen(parent_writes, "wb"), os.fdopen(parent_reads, "rb")
        self._close = weakref.finalize(self, _end, os.getpid(), child, self._ask, self._answers)


def _end(parent: int, child: int, *pipes: BinaryIO) -> None:
    """In a process that was forked from the parent, only its copies of the pipes are closed."""
    for pipe in pipes:
        try:
            pipe.close()
        except BrokenPipeError:
            continue
    if os.getpid() == parent:
        try:
            os.kill(child, signal.SIGKILL)
        except ProcessLookupError:
            return
        os.waitpid(child, 0)


# -- in the child


def _serve(tokenizer: Any, reads: int, writes: int) -> None:
    """Render until the parent is gone. Never returns: what the parent would do at its end is not ours."""
    try:
        os.dup2(reads, 0)
        os.dup2(writes, 1)
        os.closerange(3, 65536)  # pipes of other children: they would never see their end
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _bound_memory()
        with os.fdopen(0, "rb") as asked, os.fdopen(1, "wb") as answers:
            for line in asked:
                _bound_time()
                reply = _reply(tokenizer, json.loads(line))
                answers.write(json.dumps(reply).encode() + b"\n")
                answers.flush()
    finally:
        os._exit(0)


def _bound_memory() -> None:
    import resource

    if sys.platform == "linux":
        sizes = Path("/proc/self/statm").read_text(encoding="ascii")
        used = int(sizes.split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + BYTES, used + BYTES))


def _bound_time() -> None:
    """The operating system ends the process when one prompt takes longer."""
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    until = math.ceil(used.ru_utime + used.ru_stime) + SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (until, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _reply(tokenizer: Any, messages: list[Message]) -> dict[str, str]:
    try:
        with boundary(lambda why: BackboneError(f"fails: {why}")):
            text = _rendered(tokenizer, messages)
    except BackboneError as error:
        return {"error": str(error)}
    return {"text": text} if len(text) <= LONGEST else {"error": f"makes {len(text)} characters"}


def _rendered(tokenizer: Any, messages: list[Message]) -> str:
    from jinja2.exceptions import TemplateError

    options: dict[str, Any] = {"tokenize": False, "add_generation_prompt": True}
    try:
        return str(tokenizer.apply_chat_template(messages, **options))
    except TemplateError:
        if messages[0]["role"] != "system":
            raise
        system, first, *others = messages
        joined = {**first, "content": f"{system['content']}\n\n{first['content']}"}
        return str(tokenizer.apply_chat_template([joined, *others], **options))
