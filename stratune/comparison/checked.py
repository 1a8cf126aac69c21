"""What is known of the data before training: errors stop a comparison, warnings stand above its board."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stratune.errors import DataError
from stratune.remote.address import is_remote

if TYPE_CHECKING:
    from stratune.config import Config
    from stratune.data.split import Split
    from stratune.transcript.texts import TextsReport


def checked(
    config: Config, split: Split, texts: TextsReport | None = None, *, anyway: bool = False
) -> dict[str, Any]:
    """data.json: what `stratune data check` finds. Raises DataError for an error in it, unless `anyway`."""
    found = data_report(config, split)
    errors = [issue["message"] for issue in found["issues"] if issue["level"] == "error"]
    if errors and not anyway:
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        advice = "`stratune data check` shows all; --anyway goes on and marks the board"
        raise DataError(f"{errors[0]}{more}; {advice}", path=config.data.source)
    report = {**found, "anyway": bool(errors)}
    return report if texts is None else {"transcripts": texts.to_dict(), **report}


def data_report(config: Config, split: Split) -> dict[str, Any]:
    """Lengths are in tokens of the first backbone that is not a server's."""
    from stratune.backbone.tokenizer import token_counter
    from stratune.data.check import check

    here = [place for place in (*config.backbones, *config.llms) if not is_remote(place)]
    split = replace(split, warnings=(*split.warnings, *_read_before(split, here)))
    if not here:
        return check(split, split.task).to_dict()
    count, most = token_counter(here[0], config.train.max_length)
    return check(split, split.task, token_lengths=count, max_length=most).to_dict()


def _read_before(split: Split, backbones: Sequence[str]) -> Iterator[str]:
    """Of backbones that were adapted to texts which are to measure them."""
    from stratune.backbone.adapted import count_read
    from stratune.data.rows import text_columns

    # Where the training rows are validation too, their texts may be read: no label is.
    parts = {"test": split.test} if split.cross_validated else {"validation": split.val, "test": split.test}
    for backbone in backbones:
        for part, rows in parts.items():
            if count := count_read(backbone, text_columns(rows)):
                why = f"{backbone} has read {count:,} of the {len(rows):,} {part} texts when it was adapted"
                yield f"{why}: its scores may flatter; adapt it with the data options of this comparison"
