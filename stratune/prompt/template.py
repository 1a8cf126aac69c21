"""Template: how a row becomes a question, and how a label is written as its answer.

A file of YAML, ours or the user's; see docs/prompts.md. Slots stand in braces: {text} and {pair} in `row`,
{labels} and {descriptions} anywhere but in `row`, {label} in `answer`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from importlib.resources import files
from pathlib import Path
from string import Formatter
from typing import Any

import yaml

from stratune.errors import ConfigError, choices

ROW, ASKED, ANSWER = ("text", "pair"), ("labels", "descriptions"), ("label",)


@dataclass(frozen=True)
class Shot:
    """A row with its answer, shown before the question."""

    text: str
    label: str
    pair: str | None = None


@dataclass(frozen=True)
class Template:
    """`words` are what may be said for a label (none named: its name); `descriptions` say what it means."""

    name: str
    about: str = ""
    system: str = ""
    task: str = ""  # said once, before the demonstrations
    row: str = "{text}"  # said for each demonstration and for the row in question
    answer: str = "{label}"  # what a demonstration ends with, and the question up to the label
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    descriptions: Mapping[str, str] = field(default_factory=dict)
    shots: tuple[Shot, ...] = ()  # the user's own demonstrations, for `shots: fixed`
    chat: bool | None = None  # None: where the model has a chat template

    def __post_init__(self) -> None:
        for key, slots in (("system", ASKED), ("task", ASKED), ("row", ROW), ("answer", ANSWER)):
            for name in _slots(getattr(self, key), f"{self.name}: {key}"):
                if name not in slots:
                    raise ConfigError(choices(name, slots), key=f"{self.name}: {key}")
        if "text" not in _slots(self.row, self.name):
            raise ConfigError("without the slot {text} every row would be the same", key=f"{self.name}: row")
        if _slots(self.answer, self.name) != ["label"] or not self.answer.endswith("{label}"):
            raise ConfigError("it has to end in {label}, once", key=f"{self.name}: answer")

    @property
    def pairs(self) -> bool:
        return "pair" in _slots(self.row, self.name)

    def to_dict(self) -> dict[str, Any]:
        words = {label: list(said) for label, said in self.words.items()}
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
                    raise ConfigError(f"says nothing of {label!r}", key=f"{self.name}: descriptions")
        said = {label: tuple(self.words.get(label) or (label,)) for label in labels}
        seen: dict[str, str] = {}
        for label, words in said.items():
            for word in words:
                if word in seen:
                    raise ConfigError(
                        f"{word!r} stands for {seen[word]} and {label}", key=f"{self.name}: words"
                    )
                seen[word] = label
        return Template(**{**_fields(self), "words": said})


def template_names() -> dict[str, str]:
    """The built-in ones, with a line on each."""
    found = (built_in(file.name.removesuffix(".yaml")) for file in _folder() if file.name.endswith(".yaml"))
    return {template.name: template.about for template in found}


def built_in(name: str) -> Template:
    text = files("stratune.prompt").joinpath("templates", f"{name}.yaml").read_text(encoding="utf-8")
    return parse_template({"name": name, **yaml.safe_load(text)}, name)


def find_template(named: str | Mapping[str, Any]) -> Template:
    """A built-in template by name, a YAML file, or a mapping (with `base`: what it changes of another).

    Raises ConfigError naming what could have been meant.
    """
    if isinstance(named, Mapping):
        given = dict(named)
        base = find_template(given.pop("base")) if "base" in given else None
        return parse_template({"name": "own", **(_fields(base) if base else {}), **given}, "template")
    if named.endswith((".yaml", ".yml")):
        return parse_template({"name": Path(named).stem, **_read(Path(named))}, named)
    names = [file.name.removesuffix(".yaml") for file in _folder() if file.name.endswith(".yaml")]
    if named not in names:
        raise ConfigError(choices(named, [*sorted(names), "a YAML file"]), key="template")
    return built_in(named)


def parse_template(given: Mapping[str, Any], where: str) -> Template:
    known = {f.name for f in fields(Template)}
    for key in given:
        if key not in known:
            raise ConfigError(choices(key, sorted(known)), key=where)
    made = dict(given)
    made["words"] = {str(k): _listed(v) for k, v in (given.get("words") or {}).items()}
    made["descriptions"] = {str(k): str(v) for k, v in (given.get("descriptions") or {}).items()}
    made["shots"] = tuple(_shot(shot, where) for shot in given.get("shots") or ())
    return Template(**made)


def _shot(given: Any, where: str) -> Shot:
    if isinstance(given, Shot):
        return given
    if not isinstance(given, Mapping) or not {"text", "label"} <= set(given) <= {"text", "label", "pair"}:
        raise ConfigError(
            f"{given!r}: a demonstration has text, label and perhaps pair", key=f"{where}: shots"
        )
    pair = given.get("pair")
    return Shot(str(given["text"]), str(given["label"]), None if pair is None else str(pair))


def _listed(words: Any) -> tuple[str, ...]:
    return tuple(str(word) for word in (words if isinstance(words, (list, tuple)) else [words]))


def _fields(template: Template) -> dict[str, Any]:
    return {f.name: getattr(template, f.name) for f in fields(template)}


def _slots(text: str, where: str) -> list[str]:
    try:
        return [name for _, name, _, _ in Formatter().parse(text) if name is not None]
    except ValueError as error:
        raise ConfigError(
            f"{text!r}: {error} (a brace that is no slot is written twice)", key=where
        ) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error})") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not YAML ({' '.join(str(error).split())})") from error
    if not isinstance(given, dict):
        raise ConfigError(f"{path}: expected keys and values, found {type(given).__name__}")
    return given


def _folder() -> list[Any]:
    return sorted(files("stratune.prompt").joinpath("templates").iterdir(), key=lambda file: file.name)
