"""A row and its demonstrations -> the text that the model continues, rendered once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stratune.errors import ConfigError
from stratune.prompt.template import Shot, Template

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    Message = dict[str, str]


@dataclass(frozen=True)
class Renderer:
    """`template` with the words of its labels (Template.for_labels); as plain text or as the model's chat.

    The rendered text ends right before the white space (`gap`) in front of the label.
    """

    template: Template
    labels: tuple[str, ...]
    tokenizer: PreTrainedTokenizerBase
    shots: tuple[Shot, ...] = ()

    def __post_init__(self) -> None:
        if self.template.chat and not self._has_chat:
            raise ConfigError("the model has no chat template", key=f"{self.template.name}: chat")

    @property
    def _has_chat(self) -> bool:
        return getattr(self.tokenizer, "chat_template", None) is not None

    @property
    def chat(self) -> bool:
        """As the template says; else where the tokenizer has a chat template."""
        return self._has_chat if self.template.chat is None else self.template.chat

    @property
    def _before(self) -> str:
        return self.template.answer.format(label="\0").removesuffix("\0")

    @property
    def gap(self) -> str:
        return self._before[len(self._before.rstrip()) :]

    def __call__(self, text: str, pair: str | None) -> str:
        question = self.template.row.format(text=text, pair=pair)
        if self.chat:
            return self._as_chat(question) + self._before.rstrip()
        parts = [self._filled(self.template.system), self._filled(self.template.task)]
        parts += [f"{self._row(shot)}\n{self._answer(shot)}" for shot in self.shots]
        parts.append(f"{question}\n{self._before.rstrip()}")
        return "\n\n".join(part for part in parts if part)

    def _as_chat(self, question: str) -> str:
        turns: list[tuple[str, str | None]] = [(self._row(shot), self._answer(shot)) for shot in self.shots]
        turns.append((question, None))
        task = self._filled(self.template.task)
        messages: list[Message] = []
        for number, (asked, answered) in enumerate(turns):
            first = f"{task}\n\n{asked}" if task and number == 0 else asked
            messages.append({"role": "user", "content": first})
            if answered is not None:
                messages.append({"role": "assistant", "content": answered})
        return render_chat(self.tokenizer, self._filled(self.template.system), messages)

    def _row(self, shot: Shot) -> str:
        return self.template.row.format(text=shot.text, pair=shot.pair)

    def _answer(self, shot: Shot) -> str:
        return self.template.answer.format(label=self.template.words[shot.label][0])

    def _filled(self, text: str) -> str:
        said = [self.template.words[label][0] for label in self.labels]
        described = [
            f"{word}: {self.template.descriptions.get(label, '')}".strip()
            for label, word in zip(self.labels, said, strict=True)
        ]
        return text.format(labels=", ".join(said), descriptions="\n".join(described)).strip()


def render_chat(tokenizer: Any, system: str, messages: Sequence[Message]) -> str:
    """The chat template with the assistant's turn begun. Without a system role, its text goes first."""
    from jinja2.exceptions import TemplateError

    options: dict[str, Any] = {"tokenize": False, "add_generation_prompt": True}
    if system:
        try:
            own = [{"role": "system", "content": system}, *messages]
            return str(tokenizer.apply_chat_template(own, **options))
        except TemplateError:
            first = {**messages[0], "content": f"{system}\n\n{messages[0]['content']}"}
            messages = [first, *messages[1:]]
    return str(tokenizer.apply_chat_template(list(messages), **options))
