"""stratune predict OUT "a text": one answer on the terminal; and whether words are a text or a file."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stratune.cli.output import console, print_json
from stratune.errors import ConfigError, DataError

if TYPE_CHECKING:
    from stratune.predictor.predictor import Predictor

SHOWN = 10  # labels, the likeliest first
BAR = 30  # characters of a probability of 1
# One word that ends as a file does (`reviews.csv`), words that end as a table does, or a path.
_LIKE_A_FILE = re.compile(
    r"\S+\.[a-z][a-z0-9]{1,7}|.*\.(csv|tsv|jsonl?|parquet|xlsx)(\.(gz|bz2|xz|zst|zip))?|(~|\.{0,2})/\S*",
    re.DOTALL | re.I,
)


def is_text(words: str) -> bool:
    """Whether words are a text to answer, and no place of rows. DataError: a file that is not there."""
    if words == "-" or words.startswith(("hub:", "demo:", "http://", "https://")):
        return False
    try:
        if Path(words).exists():
            return False
    except (OSError, ValueError):  # longer than a name can be
        return True
    if _LIKE_A_FILE.fullmatch(words):
        raise DataError("no such file", path=words)
    return True


def answer(predictor: Predictor, texts: Sequence[str], *, explain: bool, as_json: bool) -> None:
    """Print what the model says of one text, or of one pair of texts."""
    from stratune.predictor.written import answer_objects

    paired = predictor.task.text_pair is not None
    if len(texts) != (2 if paired else 1):
        wanted = "two texts, the pair" if paired else "one text (put quotes around it)"
        raise ConfigError(f"this model takes {wanted}; {len(texts)} are there", key="INPUT")
    scored = predictor.score([tuple(texts)] if paired else list(texts))
    (found,) = answer_objects(predictor, scored)
    if explain:
        found["evidence"] = json.loads(evidence_of(scored, [texts[0]])[0])
    print_json(found) if as_json else _show(found)


def evidence_of(answers: Any, texts: list[str]) -> list[str]:
    """(N,) JSON: for each row a list of {score, start, end, text}, the chunks that decided."""
    from stratune.predictor.written import evidence_objects

    if answers.evidence is None:
        why = "this model reads texts whole; one with `long: chunk` or `hierarchical` names what decided"
        raise ConfigError(why, key="explain")
    pairs = zip(answers.evidence, texts, strict=True)
    return [json.dumps(evidence_objects(named, text), ensure_ascii=False) for named, text in pairs]


def _show(found: dict[str, Any]) -> None:
    from stratune.report import human
    from stratune.report.screen import text

    screen = console()
    said = found["prediction"]
    shown = human.score(said) if isinstance(said, float) else said or "(no label)"
    screen.print(text(str(shown), style="bold"), soft_wrap=True)
    known = {label: score for label, score in found["scores"].items() if score is not None}
    likeliest = sorted(known, key=lambda label: -known[label])
    width = max((len(human.short(label, 40)) for label in likeliest[:SHOWN]), default=0)
    for label in likeliest[:SHOWN]:
        bar = "█" * round(BAR * known[label])
        screen.print(text(f"  {human.short(label, 40):<{width}}  {known[label]:.3f}", f"  {bar}"))
    if len(likeliest) > SHOWN:
        screen.say(f"  and {len(likeliest) - SHOWN:,} labels more")
    if found["tokens_cut"]:
        screen.say(f"  {found['tokens_cut']:,} tokens did not fit and were not read", "yellow")
    for chunk in found.get("evidence", ()):
        screen.say(f"  {chunk['score']:.3f}  {human.short(chunk['text'], 200)}")
