"""The steps of cleaning, with their options. A step is prepared with all documents, then sees turns."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Protocol

from stratune.errors import ConfigError, choices
from stratune.transcript.boilerplate import common_lines, key, without_lines
from stratune.transcript.fillers import ENGLISH, without_fillers
from stratune.transcript.names import one_form, parts
from stratune.transcript.noise_words import NOISE
from stratune.transcript.repeats import without_repeats
from stratune.transcript.speaker_roles import KnownSpeakers, role_of
from stratune.transcript.stage import without_noise, without_timestamps
from stratune.transcript.text import read_lines
from stratune.transcript.turn import Transcript, Turn

Change = Callable[[Turn], tuple[Turn, int]]  # (the turn as it should be, how many changes)
Spec = str | Mapping[str, Any]  # "fillers", {"step": "fillers", "words": ["um", "like"]}


class Step(Protocol):
    """A frozen dataclass of options."""

    def prepare(self, transcripts: Sequence[Transcript]) -> Change: ...

    def named(self, transcripts: Sequence[Transcript]) -> list[dict[str, Any]] | None:
        """Options with which other documents are cleaned as these: what was found in them, or read in a file.

        None: as they are. Nothing in the list: no step is needed.
        """
        return None


def written_out(spec: Spec, transcripts: Sequence[Transcript]) -> list[Spec]:
    """The step as it cleans other documents alike; none where it finds nothing that would be left out."""
    name, step = parse_step(spec)
    named = step.named(transcripts)
    return [spec] if named is None else [{"step": name, **one} for one in named]


@dataclass(frozen=True)
class Fillers(Step):
    """um, uh, you know: English, or the user's own words or file (one a line, # begins a comment)."""

    words: Sequence[str] = ()
    file: str | Path | None = None

    def prepare(self, transcripts: Sequence[Transcript]) -> Change:
        words = tuple(self._own()) or ENGLISH
        return _on_text(lambda text: without_fillers(text, words))

    def named(self, transcripts: Sequence[Transcript]) -> list[dict[str, Any]]:
        own = self._own()
        return [{"words": own} if own else {}]

    def _own(self) -> list[str]:
        return [*self.words, *(_listed(Path(self.file)) if self.file is not None else ())]


@dataclass(frozen=True)
class Repeats(Step):
    """ "the the", "I- I": one of them."""

    def prepare(self, transcripts: Sequence[Transcript]) -> Change:
        return _on_text(without_repeats)


@dataclass(frozen=True)
class Timestamps(Step):
    """[00:12:31], (12:31):, 00:12:31.200 -->"""

    def prepare(self, transcripts: Sequence[Transcript]) -> Change:
        return _on_text(without_timestamps)


@dataclass(frozen=True)
class Noise(Step):
    """(Applause.), [crosstalk], <laughs>, ♪: notes that are noise (one of `words` in them), `>>`."""

    words: Sequence[str] = ()

    def prepare(self, transcripts: Sequence[Transcript]) -> Change:
        words = frozenset(word.lower() for word in self.words) or NOISE
        return _on_text(lambda text: without_noise(text, words))


@dataclass(frozen=True)
class Speakers(Step):
    """Names in one form for each speaker of a document; (Counsel) after a name becomes the role.

    `map`: label -> name; `roles`: label -> role; `file`: a sheet with the columns speaker, and name or role
    (and document), or lines of `label = name`. `by` role: speakers are called CEO, Operator, Audience Q
    (speaker_roles.RULES).
    """

    map: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    file: str | Path | None = None
    by: str = "name"

    def prepare(self, transcripts: Sequence[Transcript]) -> Change:
        known = KnownSpeakers(self.map, self.roles, self.file)
        forms = {t.document: one_form({turn.speaker for turn in t.turns}) for t in transcripts}
        titles = {
            (document, form): parts(label)[2]
            for document, of_document in forms.items()
            for label, form in of_document.items()
            if parts(label)[2]
        }

        def change(turn: Turn) -> tuple[Turn, int]:
            if not turn.speaker:
                return turn, 0
            form = forms[turn.document].get(turn.speaker, turn.speaker)
            told, role = known.find(turn.document, turn.speaker, form)
            name = told or form
            role = role or turn.role or parts(turn.speaker)[2]
            if self.by == "role" and not told:
                name = role_of(role or titles.get((turn.document, form), ""), turn.speaker) or name
            changed = replace(turn, speaker=name, role=role)
            return (changed, 1) if changed.speaker != turn.speaker or role != turn.role else (turn, 0)

        return change

    def named(self, transcripts: Sequence[Transcript]) -> list[dict[str, Any]] | None:
        if self.file is None:
            return None
        names, roles = KnownSpeakers(self.map, self.roles, self.file).of_all_documents()
        return [{"map": names, "roles": roles, "by": self.by}]


@dataclass(frozen=True)
class NoSpeakers(Step):
    """No names at all."""

    def prepare(self, transcripts: Sequence[Transcript]) -> Change:
        return lambda turn: (replace(turn, speaker=""), 1) if turn.speaker else (turn, 0)


@dataclass(frozen=True)
class Boilerplate(Step):
    """Lines equal to one of `texts`, or matched as a whole by one of `patterns`; without either, the lines of
    at least `min_words` words that are the same in `share` of the documents.
    """

    texts: Sequence[str] = ()
    patterns: Sequence[str] = ()
    share: float | None = None
    min_words: int = 4

    def prepare(self, transcripts: Sequence[Transcript]) -> Change:
        patterns = [_compiled(pattern) for pattern in self.patterns]
        keys = self._keys(transcripts)
        return _on_text(lambda text: without_lines(text, keys, patterns))

    def named(self, transcripts: Sequence[Transcript]) -> list[dict[str, Any]]:
        texts = sorted(self._keys(transcripts))
        found = {"texts": texts, "patterns": list(self.patterns)}
        return [{name: lines for name, lines in found.items() if lines}] if any(found.values()) else []

    def _keys(self, transcripts: Sequence[Transcript]) -> set[str]:
        keys = {key(text) for text in self.texts}
        share = 0.5 if self.share is None and not keys and not self.patterns else self.share
        return keys if share is None else keys | common_lines(transcripts, share, self.min_words)


STEPS: dict[str, Callable[..., Step]] = {
    "fillers": Fillers,
    "repeats": Repeats,
    "timestamps": Timestamps,
    "noise": Noise,
    "speakers": Speakers,
    "no_speakers": NoSpeakers,
    "boilerplate": Boilerplate,
}


def parse_step(spec: Spec) -> tuple[str, Step]:
    """(name, step). ConfigError for an unknown step or option, with the choices."""
    options = {"step": spec} if isinstance(spec, str) else dict(spec)
    name = str(options.pop("step", ""))
    if name not in STEPS:
        raise ConfigError(choices(name, STEPS), key="steps")
    made = STEPS[name]
    known = [one.name for one in fields(made)]  # type: ignore[arg-type]
    for option in options:
        if option not in known:
            hint = choices(option, known) if known else f"{option!r}: this step has no options"
            raise ConfigError(hint, key=f"steps.{name}")
    return name, made(
        **{option: _checked(f"steps.{name}.{option}", value) for option, value in options.items()}
    )


def _checked(place: str, value: Any) -> Any:
    """The value. ConfigError for a text where a list is expected: it would be read letter by letter."""
    many = place.endswith((".words", ".texts", ".patterns"))
    if many and (isinstance(value, str) or not all(isinstance(item, str) for item in value)):
        raise ConfigError(f"expected a list of texts, found {value!r}", key=place)
    if place.endswith((".map", ".roles")) and not isinstance(value, Mapping):
        raise ConfigError(f"expected labels and their names, found {value!r}", key=place)
    if place.endswith(".by") and value not in ("name", "role"):
        raise ConfigError(choices(value, ("name", "role")), key=place)
    if place.endswith(".share") and not (isinstance(value, int | float) and 0 < value <= 1):
        raise ConfigError(
            f"expected a share of the documents, above 0 and up to 1, found {value!r}", key=place
        )
    return value


def _on_text(change: Callable[[str], tuple[str, int]]) -> Change:
    def on_turn(turn: Turn) -> tuple[Turn, int]:
        text, count = change(turn.text)
        return (replace(turn, text=text), count) if count else (turn, 0)

    return on_turn


def _listed(path: Path) -> list[str]:
    lines, _ = read_lines(path)
    found = [line.split("#")[0].strip() for line in lines]
    return [line for line in found if line]


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise ConfigError(f"{pattern!r} is no regular expression: {error}", key="steps.boilerplate") from None
