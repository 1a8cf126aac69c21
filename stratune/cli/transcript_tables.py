"""What stratune data turns and stratune data clean print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stratune.report.screen import Screen, Table
    from stratune.transcript.clean import Cleaned
    from stratune.transcript.turn import Transcript

SHOWN_DOCUMENTS = 20  # rows of a table; JSON has all


def about(transcript: Transcript) -> dict[str, Any]:
    return {
        "document": transcript.document,
        "turns": len(transcript.turns),
        "speakers": transcript.speakers,
        "words": transcript.words,
        "minutes": transcript.minutes,
        "troubles": dict(transcript.troubles),
    }


def total(transcripts: Sequence[Transcript]) -> dict[str, Any]:
    from stratune.transcript.turn import total_troubles

    minutes = [transcript.minutes for transcript in transcripts if transcript.minutes is not None]
    return {
        "documents": len(transcripts),
        "turns": sum(len(transcript.turns) for transcript in transcripts),
        "speakers": len({name for transcript in transcripts for name in transcript.speakers}),
        "words": sum(transcript.words for transcript in transcripts),
        "minutes": sum(minutes) if minutes else None,
        "troubles": total_troubles(transcripts),
    }


def turns_table(transcripts: Sequence[Transcript]) -> Table:
    from stratune.report.screen import Table

    table = Table("document", title="Transcripts", title_justify="left")
    for head in ("turns", "speakers", "words", "minutes", "troubles"):
        table.add_column(head, justify="right")

    def row(name: str, found: Mapping[str, Any], speakers: int) -> None:
        minutes = "-" if found["minutes"] is None else f"{found['minutes']:,.1f}"
        numbers = (found["turns"], speakers, found["words"])
        troubles = sum(found["troubles"].values())
        table.add_row(name, *(f"{number:,}" for number in numbers), minutes, f"{troubles:,}")

    for transcript in transcripts[:SHOWN_DOCUMENTS]:
        row(transcript.document, about(transcript), len(transcript.speakers))
    if len(transcripts) > SHOWN_DOCUMENTS:
        table.add_row(f"{len(transcripts) - SHOWN_DOCUMENTS:,} more")
    table.add_section()
    everything = total(transcripts)
    row(f"all {len(transcripts):,}", everything, everything["speakers"])
    return table


def print_forms(console: Screen, transcripts: Sequence[Transcript]) -> None:
    from stratune.data.issue import counted
    from stratune.transcript.turn import total_forms

    for form, count in total_forms(transcripts).items():
        console.say(f"{counted(count, 'document', 'documents')} read as {form}")


def print_near_names(console: Screen, transcripts: Sequence[Transcript]) -> None:
    from stratune.transcript.near_names import near_names, note

    if pairs := near_names(transcripts):
        console.say(note(pairs))


def print_troubles(console: Screen, troubles: Mapping[str, int]) -> None:
    from stratune.transcript.turn import TROUBLES

    for name, count in sorted(troubles.items(), key=lambda item: -item[1]):
        console.say(f"{count:,} x {name}: {TROUBLES[name]}")


def changes_table(changes: Cleaned) -> Table:
    """Documents with most changes first."""
    from stratune.report.screen import Table

    table = Table("document", title="Changes", title_justify="left")
    for step in (*changes.steps, "turns dropped"):
        table.add_column(step, justify="right")

    def row(name: str, counts: Mapping[str, int], dropped: int) -> None:
        table.add_row(name, *(f"{counts[step]:,}" for step in changes.steps), f"{dropped:,}")

    ordered = sorted(changes.counts, key=lambda document: -sum(changes.counts[document].values()))
    for document in ordered[:SHOWN_DOCUMENTS]:
        row(document, changes.counts[document], changes.dropped[document])
    if len(ordered) > SHOWN_DOCUMENTS:
        table.add_row(f"{len(ordered) - SHOWN_DOCUMENTS:,} more")
    table.add_section()
    totals = {step: changes.total(step) for step in changes.steps}
    row(f"all {len(ordered):,}", totals, sum(changes.dropped.values()))
    return table


def print_diff(console: Screen, changes: Cleaned) -> None:
    for changed in changes.examples:
        turn = changed.before
        console.say(f"{turn.document}, turn {turn.index + 1}: {', '.join(changed.steps)}", style="bold")
        console.say(f"- {turn.line}", style="red")
        if changed.after is not None:
            console.say(f"+ {changed.after.line}", style="green")
    if changes.turns > len(changes.examples):
        console.say(f"{changes.turns - len(changes.examples):,} more turns changed (--limit)")
