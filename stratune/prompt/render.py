"""Renderer: a row and its demonstrations -> the prompt, as plain text or as a chat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from stratune.errors import ConfigError
from stratune.prompt.chat import Message, render_chat
from stratune.prompt.harmless import harmless, marks_of
from stratune.prompt.template import Shot, Template, verbatim

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class Renderer:
    """`template` has the words of these labels (Template.for_labels).

    A prompt ends right before the white space (`gap`) in front of the label, which most tokenizers put into
    the label's first token.
    """

    template: Template
    labels: tuple[str, ...]
    tokenizer: PreTrainedTokenizerBase | None  # None: a server renders the chat
    shots: tuple[Shot, ...] = ()

    def __post_init__(self) -> None:
        if self.template.chat and self.tokenizer is not None and not self._has_chat:
            raise ConfigError("the model has no chat template", key=f"{self.template.name}: chat")

    @property
    def _has_chat(self) -> bool:
        return getattr(self.tokenizer, "chat_template", None) is not None

    @property
    def chat(self) -> bool:
        """The template's `chat`; when that is None, whether the tokenizer has a chat template."""
        return self._has_chat if self.template.chat is None else self.template.chat

    @property
    def around(self) -> tuple[str, str]:
        """What stands before and behind the label in an answer."""
        before, _, behind = self.template.answer.format(label="\0").partition("\0")
        return before, behind

    @property
    def system(self) -> str:
        """What stands before everything else; in a chat it is a turn of its own."""
        return self._filled(self.template.system)

    @property
    def instruction(self) -> str:
        """What stands once, before the demonstrations."""
        return self._filled(self.template.task)

    @property
    def begin(self) -> str:
        """How an answer begins, without the white space (`gap`) in front of the label."""
        return self.around[0].rstrip()

    @property
    def gap(self) -> str:
        return self.around[0][len(self.begin) :]

    def __call__(self, text: str, pair: str | None, shots: Sequence[Shot] | None = None) -> str:
        """`shots`: the demonstrations of this row, where each row has its own."""
        if not self.chat:
            return self.plain(text, pair, shots)
        messages = self.messages(text, pair, shots)
        return render_chat(self.tokenizer, messages) + self.begin

    def plain(self, text: str, pair: str | None, shots: Sequence[Shot] | None = None) -> str:
        parts = [self.system, self.instruction]
        shown = self.shots if shots is None else shots
        parts += [f"{self._row(shot)}\n{self._answer(shot)}" for shot in shown]
        parts.append(f"{self._filled_row(text, pair)}\n{self.begin}")
        return "\n\n".join(part for part in parts if part)

    def messages(self, text: str, pair: str | None, shots: Sequence[Shot] | None = None) -> list[Message]:
        """The turns of a chat, up to the row in question."""
        shown = self.shots if shots is None else shots
        turns: list[tuple[str, str | None]] = [(self._row(shot), self._answer(shot)) for shot in shown]
        turns.append((self._filled_row(text, pair), None))
        system, task = self.system, self.instruction
        messages: list[Message] = [{"role": "system", "content": system}] if system else []
        for number, (asked, answered) in enumerate(turns):
            first = f"{task}\n\n{asked}" if task and number == 0 else asked
            messages.append({"role": "user", "content": first})
            if answered is not None:
                messages.append({"role": "assistant", "content": answered})
        return messages

    def backwards(self) -> Renderer | None:
        """With the labels listed from the last to the first; None where nothing lists them.

        The slots are filled here: a renderer's labels have one order, which is also that of the answers.
        """
        if not any(
            slot in self.template.system + self.template.task for slot in ("{labels}", "{descriptions}")
        ):
            return None
        turned = replace(self, labels=self.labels[::-1])
        system, task = verbatim(turned.system), verbatim(turned.instruction)
        return replace(self, template=replace(self.template, system=system, task=task))

    def _row(self, shot: Shot) -> str:
        return self._filled_row(shot.text, shot.pair)

    def _filled_row(self, text: str, pair: str | None) -> str:
        """Nothing in a row, or in a demonstration, ends the user's turn."""
        pair = None if pair is None else self._harmless(pair)
        return self.template.row.format(text=self._harmless(text), pair=pair)

    def _harmless(self, text: str) -> str:
        return harmless(text, marks_of(self.tokenizer))

    def _answer(self, shot: Shot) -> str:
        return self.template.answer.format(label=self.template.words[shot.label][0])

    def _filled(self, text: str) -> str:
        words = [self.template.words[label][0] for label in self.labels]
        described = [
            f"{word}: {self.template.descriptions.get(label, '')}".strip()
            for label, word in zip(self.labels, words, strict=True)
        ]
        return text.format(labels=", ".join(words), descriptions="\n".join(described)).strip()
