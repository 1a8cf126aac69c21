"""Template: how a row becomes a prompt, and how a label is written as its answer (the verbalizer).

A YAML file, ours or the user's; see docs/prompts.md. Slots are in braces: {text} and {pair} in `row`,
{labels} and {descriptions} in `system` and `task`, {label} in `answer`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from importlib.resources import files
from pathlib import Path
from string import Formatter
from typing import Any

from stratune.errors import ConfigError, choices
from stratune.options import parse_yaml, read_mapping

MOST_BASES = 8
_CHAT = {"yes": True, "no": False, "on": True, "off": False}  # as people write it, too
ROW, ASKED, ANSWER = ("text", "pair"), ("labels", "descriptions"), ("label",)


@dataclass(frozen=True)
class Shot:
    """A demonstration: a row with its label."""

    text: str
    label: str
    pair: str | None = None


@dataclass(frozen=True)
class Template:
    """`words`: the verbalizer, the words of each label (default: its name); `descriptions`: its meaning."""

    name: str
    about: str = ""
    system: str = ""
    task: str = ""  # the instruction, once, before the demonstrations
    row: str = "{text}"  # of each demonstration, and of the row in question
    answer: str = "{label}"  # ends a demonstration; the prompt ends before {label}: "It was {label}."
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    descriptions: Mapping[str, str] = field(default_factory=dict)
    shots: tuple[Shot, ...] = ()  # the user's own demonstrations, for `pick: fixed`
    chat: bool | None = None  # None: where the model has a chat template

    def __post_init__(self) -> None:
        for key, slots in (("system", ASKED), ("task", ASKED), ("row", ROW), ("answer", ANSWER)):
            for name in _slots(getattr(self, key), f"{self.name}: {key}"):
                if name not in slots:
                    raise ConfigError(choices(name, slots), key=f"{self.name}: {key}")
        if "text" not in _slots(self.row, self.name):
            raise ConfigError("without the slot {text} every row would be the same", key=f"{self.name}: row")
        if _slots(self.answer, self.name) != ["label"]:
            raise ConfigError("it has to hold {label}, once", key=f"{self.name}: answer")

    @property
    def pairs(self) -> bool:
        return "pair" in _slots(self.row, self.name)

    def to_dict(self) -> dict[str, Any]:
        words = {label: list(own) for label, own in self.words.items()}
        return {**asdict(self), "words": words, "shots": [asdict(shot) for shot in self.shots]}

    def for_labels(self, labels: Sequence[str]) -> Template:
        """With words and descriptions of exactly these labels. Raises ConfigError for one that is unknown."""
        for key in ("words", "descriptions"):
            for label in getattr(self, key):
                if label not in labels:
                    raise ConfigError(choices(label, labels), key=f"{self.name}: {key}")
        if "descriptions" in _slots(self.system + self.task, self.name):
            for label in labels:
                if label not in self.descriptions:
                    raise ConfigError(f"nothing is given for {label!r}", key=f"{self.name}: descriptions")
        verbalizer = {label: tuple(self.words.get(label) or (label,)) for label in labels}
        seen: dict[str, str] = {}
        for label, words in verbalizer.items():
            for word in words:
                if word in seen:
                    raise ConfigError(
                        f"{word!r} stands for {seen[word]} and {label}", key=f"{self.name}: words"
                    )
                seen[word] = label
        for shot in self.shots:
            if shot.label not in labels:
                raise ConfigError(choices(shot.label, labels), key=f"{self.name}: shots")
            if (shot.pair is not None) != self.pairs:
                has = "a `pair`, and the row has no slot for it" if shot.pair is not None else "no `pair`"
                raise ConfigError(f"{shot.text!r} has {has}", key=f"{self.name}: shots")
        return Template(**{**_fields(self), "words": verbalizer})


def template_names() -> dict[str, str]:
    """Names of built-in templates, each with a description."""
    found = (built_in(file.name.removesuffix(".yaml")) for file in _folder() if file.name.endswith(".yaml"))
    return {template.name: template.about for template in found}


def built_in(name: str) -> Template:
    text = files("stratune.prompt").joinpath("templates", f"{name}.yaml").read_text(encoding="utf-8")
    return parse_template({"name": name, **parse_yaml(text, name)}, name)


def find_template(named: str | Mapping[str, Any], based_on: tuple[str, ...] = ()) -> Template:
    """A built-in template by name, a YAML file, or a mapping (with `base`: what it changes of another).

    `based_on` are the templates that lead here. Raises ConfigError naming what could have been meant.
    """
    if len(based_on) >= MOST_BASES:
        raise ConfigError(f"{based_on[0]} has more than {MOST_BASES} bases, or is its own", key="template")
    if isinstance(named, Mapping):
        return _based({"name": "template"}, named, "template", based_on)
    if not isinstance(named, str):
        raise ConfigError(f"{named!r} is neither a name, a YAML file nor a mapping", key="template")
    if named.endswith((".yaml", ".yml")):
        fields = read_mapping(Path(named), "row, answer, ...")
        return _based({"name": Path(named).stem}, fields, named, based_on)
    names = [file.name.removesuffix(".yaml") for file in _folder() if file.name.endswith(".yaml")]
    if named not in names:
        raise ConfigError(choices(named, [*sorted(names), "a YAML file"]), key="template")
    return built_in(named)


def _based(
    usual: dict[str, Any], given: Mapping[str, Any], where: str, based_on: tuple[str, ...]
) -> Template:
    """`given` overrides its `base`, which overrides `usual`."""
    own = dict(given)
    base = _fields(find_template(own.pop("base"), (*based_on, where))) if "base" in own else {}
    return parse_template({**base, **(usual if not base else {}), **own}, where)


def parse_template(given: Mapping[str, Any], where: str) -> Template:
    known = {f.name for f in fields(Template)}
    for key in given:
        if key not in known:
            raise ConfigError(choices(key, sorted(known)), key=where)
    for key in ("name", "about", "system", "task", "row", "answer"):
        if not isinstance(given.get(key, ""), str):
            raise ConfigError(f"{given[key]!r} is no text", key=f"{where}: {key}")
    chat = given.get("chat")
    if not (chat is None or isinstance(chat, bool) or (isinstance(chat, str) and chat in _CHAT)):
        raise ConfigError(choices(chat, ["true", "false", "null"]), key=f"{where}: chat")
    shots = given.get("shots") or ()
    if not isinstance(shots, (list, tuple)):
        raise ConfigError(f"{shots!r} is no list of demonstrations", key=f"{where}: shots")
    made = {**given, "chat": _CHAT.get(chat, chat) if isinstance(chat, str) else chat}
    made["words"] = {
        str(label): _listed(own, f"{where}: words") for label, own in _mapping(given, "words", where)
    }
    made["descriptions"] = {
        str(label): _word(about, f"{where}: descriptions")
        for label, about in _mapping(given, "descriptions", where)
    }
    made["shots"] = tuple(_shot(shot, where) for shot in shots)
    return Template(**made)


def _mapping(given: Mapping[str, Any], key: str, where: str) -> Iterable[tuple[Any, Any]]:
    found = given.get(key) or {}
    if not isinstance(found, Mapping):
        raise ConfigError(f"{found!r} is not a mapping of labels", key=f"{where}: {key}")
    return found.items()


def _word(word: Any, where: str) -> str:
    """Text or a number. YAML reads a bare yes, no or null as something else."""
    if isinstance(word, bool) or not isinstance(word, (str, int, float)):
        raise ConfigError(f"{word!r} is no text; put it in quotes", key=where)
    return str(word)


def _shot(given: Any, where: str) -> Shot:
    if isinstance(given, Shot):
        return given
    if not isinstance(given, Mapping) or not {"text", "label"} <= set(given) <= {"text", "label", "pair"}:
        raise ConfigError(
            f"{given!r}: a demonstration has text, label and perhaps pair", key=f"{where}: shots"
        )
    pair = given.get("pair")
    return Shot(str(given["text"]), str(given["label"]), None if pair is None else str(pair))


def _listed(words: Any, where: str) -> tuple[str, ...]:
    return tuple(_word(word, where) for word in (words if isinstance(words, (list, tuple)) else [words]))


def _fields(template: Template) -> dict[str, Any]:
    return {f.name: getattr(template, f.name) for f in fields(template)}


def _slots(text: str, where: str) -> list[str]:
    try:
        slots = [slot for slot in Formatter().parse(text) if slot[1] is not None]
    except ValueError as error:
        why = f"{text!r}: {error} (write a brace that is no slot twice)"
        raise ConfigError(why, key=where) from error
    for _, name, form, conversion in slots:
        if form or conversion:
            raise ConfigError(f"{{{name}}} takes no format", key=where)
    return [str(name) for _, name, _, _ in slots]


def verbatim(text: str) -> str:
    """As a template's field: no brace in it begins a slot."""
    return text.replace("{", "{{").replace("}", "}}")


def _folder() -> list[Any]:
    return sorted(files("stratune.prompt").joinpath("templates").iterdir(), key=lambda file: file.name)
