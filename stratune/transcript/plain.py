"""Plain text: `NAME: text`. Lines without a name continue the turn; a blank line ends it.

After a blank line, text without a name is another turn of the same speaker. A clock time before the name is
the turn's start. Exports of other programs and court files are recognised by how most of their lines look
(stratune.transcript.exports). Where every line is `[NAME]: text`, nothing else in it has a meaning.

Cannot hold: role, section and times, line breaks inside a turn, `]:` in a speaker's name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from stratune.transcript.exports import marks_of
from stratune.transcript.exports.court import without_page_frames
from stratune.transcript.exports.labelled import is_own_form
from stratune.transcript.exports.marks import add_turns
from stratune.transcript.label import join_label, one_line
from stratune.transcript.text import read_lines
from stratune.transcript.turn import Draft, Transcript


def read_plain(path: Path, document: str, encoding: str | None = None) -> Transcript:
    """DataError when it is no text."""
    lines, damaged = read_lines(path, encoding)
    return parse_plain(lines, document, damaged)


def parse_plain(lines: Iterable[str], document: str, damaged: int = 0) -> Transcript:
    """`damaged`: undecodable bytes that were replaced in the lines."""
    found = list(lines)
    kept, left_out = (found, 0) if is_own_form(found) else without_page_frames(found)
    form, marks = marks_of(kept)
    draft = Draft(document, form)
    draft.troubles["undecodable bytes"] += damaged
    draft.troubles["left out"] += left_out
    add_turns(draft, kept, marks)
    return draft.transcript()


def plain_text(transcripts: Sequence[Transcript]) -> str:
    """Every turn with its name; paragraphs where none has one; `[NAME]: text` where that is misread."""
    (transcript,) = transcripts
    said = [(one_line(turn.speaker), one_line(turn.text)) for turn in transcript.turns]
    if not transcript.speakers:
        text = "\n\n".join(text for _, text in said) + "\n"
    else:
        text = "".join((join_label(who, text) if who else f"[]: {text}") + "\n" for who, text in said)
    read = parse_plain(text.split("\n"), "")
    if [(turn.speaker, turn.text) for turn in read.turns] == said and read.minutes is None:
        return text
    return "".join(f"[{who}]: {text}\n" for who, text in said)
