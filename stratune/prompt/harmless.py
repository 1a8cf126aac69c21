"""Texts that spell out a chat template's special tokens: they must not end the user's turn.

On a server the model's tokenizer is not known, so the marks of all usual templates are looked for.
"""

from __future__ import annotations

import re
import weakref
from typing import Any

MARKS = re.compile(
    r"<\|[^<>|\s]{1,40}\|>"  # ChatML, LLaMA 3, Phi, GLM, gpt-oss: <|im_end|>, <|start_header_id|>
    r"|<｜[^<>｜\n]{1,40}｜>"  # DeepSeek
    r"|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]|<</?SYS>>"  # LLaMA 2, Mistral
    r"|</?(?:s|bos|eos|pad|unk|start_of_turn|end_of_turn|repo_name|file_sep|filename|gh_stars"
    r"|think|thinking|tool_call|tool_response|bot|eot)>"
)
NOTHING = re.compile(r"(?!)")
_own: weakref.WeakKeyDictionary[Any, re.Pattern[str]] = weakref.WeakKeyDictionary()


def harmless(text: str, marks: re.Pattern[str] = MARKS) -> str:
    """A space is put into each mark, behind its first character."""
    return marks.sub(lambda match: f"{match[0][0]} {match[0][1:]}", text)


def marks_of(tokenizer: Any) -> re.Pattern[str]:
    """The special tokens of a tokenizer; without one those of all usual templates."""
    if tokenizer is None:
        return MARKS
    if tokenizer not in _own:
        added = getattr(tokenizer, "added_tokens_decoder", {}).values()
        names = {*tokenizer.all_special_tokens, *(token.content for token in added if token.special)}
        longest_first = sorted((name for name in names if len(name) > 1), key=len, reverse=True)
        _own[tokenizer] = re.compile("|".join(map(re.escape, longest_first))) if longest_first else NOTHING
    return _own[tokenizer]
