"""Instructions that the model writes itself, from training rows that the best prompt so far gets wrong.

What it writes is a prompt like any: tried on validation, counted, and kept only if validation says so. This
is the step that OPRO (Yang et al. 2024), ProTeGi (Pryzant et al. 2023) and GEPA (Agrawal et al. 2025) have in
common, always from the best prompt so far.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from stratune.data.rows import text_columns
from stratune.prompt.harmless import harmless, marks_of
from stratune.prompt.template import Template, verbatim
from stratune.tokens.tokens import first_words
from stratune.watch import SILENT

if TYPE_CHECKING:
    from datasets import Dataset

    from stratune.model.prompted import PromptedModel
    from stratune.prompt.asking import Asking

SAMPLE = 24  # training rows that are asked about before an instruction is written
WRONG, RIGHT = 6, 2  # most of them that are shown
ROW_WORDS = 40  # of each text shown
MOST_WORDS = 120  # of an instruction; what is longer is no instruction, but a model that goes on and on
NEW_TOKENS = 160
TEMPERATURE = 0.7  # greedy, the second instruction from the same prompt would often be the first one again
REQUEST = """\
Write a better instruction for the same task, in one to three sentences. Say how to tell the classes apart \
in new texts. Do not repeat the texts. Write the instruction and nothing else."""
AROUND = " \n\t\"'`*“”"
LABEL = re.compile(r"^\W*(?:(?:new|better|improved|revised)\s+)?instruction\W*:\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Case:
    """A training row, its label, and what the prompt made of it, as the answers are written."""

    text: str
    pair: str | None
    label: str
    said: str


def sample(train: Dataset, seed: int, number: int) -> tuple[Dataset, Dataset]:
    """(rows to ask about, the others, which demonstrations come from) for the instruction `number`."""
    order = np.random.default_rng([seed, 0x9809, number]).permutation(len(train))
    count = min(SAMPLE, len(train) // 2)
    return train.select(np.sort(order[:count])), train.select(np.sort(order[count:]))


def cases_of(reader: Asking, rows: Dataset, said: Sequence[Any]) -> list[Case]:
    """`said`: the label or value that each of `rows` was given, "" or None where there was no answer."""
    words = {label: own[0] for label, own in reader.renderer.template.words.items()}
    levels = list(words)

    def spoken(cell: Any) -> str:
        if cell in ("", None):
            return ""
        return words[cell if cell in words else min(levels, key=lambda one: abs(float(one) - float(cell)))]

    texts, pairs = text_columns(rows)
    seconds: Sequence[str | None] = pairs or [None] * len(texts)
    found = zip(texts, seconds, rows["label"], said, strict=True)
    return [Case(text, pair, spoken(label), spoken(answer)) for text, pair, label, answer in found]


def propose(prompted: PromptedModel, cases: Sequence[Case], number: int) -> str | None:
    """An instruction in place of the `task` of the prompt that `prompted` has, with slots and braces written
    out. None where the model wrote none, or the same again.
    """
    from stratune.model.language import SEEDS, Writing

    reader, template = prompted.reader, prompted.reader.renderer.template
    asking = reader.asking(proposer(template))
    usual = prompted.writing or prompted.otherwise
    how = Writing(TEMPERATURE, NEW_TOKENS, usual.seed + number * SEEDS)
    task = reader.renderer.instruction
    prompts, _ = asking.read([material(task, cases)], None)
    written = prompted.language_model.generate(prompts, how, SILENT).texts[0]
    marks = marks_of(reader.renderer.tokenizer)
    instruction = instruction_in(harmless(written, marks))
    if not instruction:
        return None
    spoken = [words[0] for words in template.words.values()]
    if any(word.casefold() not in instruction.casefold() for word in spoken):
        instruction += f"\nAnswer with one of these and nothing else: {', '.join(spoken)}."
    if instruction == task:
        return None
    return verbatim(instruction)


def proposer(template: Template) -> Template:
    """Asks for an instruction in place of that of `template`."""
    return replace(
        template,
        name="proposer",
        system="You write instructions for a language model that sorts texts into classes.",
        task="The classes: {labels}.",
        row="{text}",
        answer="Instruction: {label}",
        shots=(),
    )


def material(task: str, cases: Sequence[Case]) -> str:
    """What the model writes from: the instruction, texts that it got wrong, some that it got right."""
    wrong = [case for case in cases if case.said != case.label][:WRONG]
    right = [case for case in cases if case.said == case.label][:RIGHT]
    parts = [f"The instruction so far:\n{task or '(none)'}"]
    for title, shown in (("Answered wrong", wrong), ("Answered right", right)):
        parts += [f"{title}:\n" + "\n".join(map(_line, shown))] if shown else []
    return "\n\n".join([*parts, REQUEST])


def instruction_in(written: str) -> str:
    """The first paragraph, without quotes and without a title; "" where there is none, or a long one."""
    paragraphs = [part.strip() for part in re.split(r"\n\s*\n", written) if part.strip()]
    first = LABEL.sub("", paragraphs[0]).strip(AROUND) if paragraphs else ""
    if not any(map(str.isalpha, first)) or len(first.split()) > MOST_WORDS:
        return ""
    return first


def _line(case: Case) -> str:
    texts = [case.text] if case.pair is None else [case.text, case.pair]
    shown = " / ".join(" ".join((first_words(text, ROW_WORDS) or "").split()) for text in texts)
    said = "" if case.said in (case.label, "") else f', not "{case.said}"'
    return f'- "{shown}" is "{case.label}"{said}'
