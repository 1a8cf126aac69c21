"""README.md of each model folder, as the Hugging Face hub reads it: what the model is, how good, how to load.

The block at the top is the hub's metadata; `model-index` has the scores on test with their intervals
(https://huggingface.co/docs/hub/model-cards). It is made of the files of the comparison alone.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from stratune.files import write_text
from stratune.report import caveats, human
from stratune.report.comparison import Comparison, Run
from stratune.result import run_id
from stratune.version import __version__

Board = dict[str, Any]
Row = dict[str, Any]

FILE = "README.md"
REPO = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)  # owner/name on the hub
HUB_METRICS = {"f1_macro": "f1", "f1_weighted": "f1"}  # others have their own names there
MARK = "---\nlibrary_name: stratune\n"  # a card of ours begins so
CARD = """---
{metadata}---

# {title}

{about}

Made and tested by stratune {version}, in a comparison of {strategies}.

## Scores

{scores}

{verdict}

## Data

{data}

## Limits

{limits}

## Use

Ask it, serve it over HTTP, or write it for transformers (`--to onnx` for onnxruntime), where that can be:

```sh
stratune predict THIS_FOLDER {texts}
stratune serve THIS_FOLDER
stratune export THIS_FOLDER DIR --to hf
```

```python
import stratune as st

model = st.Predictor.load("THIS_FOLDER")
model.predict([{example}])
```
"""


def write(comparison: Comparison, board: Board) -> None:
    """Beside every model that there is; a card that the user has written in its place stays."""
    rows = {
        run_id(row["strategy"], row["backbone"], seed): row for row in board["rows"] for seed in row["seeds"]
    }
    for run in comparison.runs:
        row, folder = rows.get(run.result.run_id), run.folder / "model"
        if row is not None and folder.is_dir() and _is_ours(folder / FILE):
            write_text(folder / FILE, card(comparison, board, row, run))


def _is_ours(path: Path) -> bool:
    return not path.exists() or path.read_text("utf-8", errors="replace").startswith(MARK)


def card(comparison: Comparison, board: Board, row: Row, run: Run) -> str:
    task = comparison.task
    backbone = run.result.backbone
    of = f" on {_code(Path(backbone).name)}" if backbone else ""
    count = len([one for one in board["rows"] if one["status"] == "ok"])
    pairs = '"a text" "its pair"' if task.text_pair else '"a text"'
    labels = f" Labels: {', '.join(map(_code, task.labels))}." if task.labels else ""
    return CARD.format(
        metadata=yaml.safe_dump(metadata(comparison, row, run), sort_keys=False, allow_unicode=True),
        title=human.plain(human.entry(row["strategy"], None)),
        about=f"A model for {task.kind}: {_code(row['strategy'])}{of}, seed {run.result.seed}.{labels}",
        version=__version__,
        strategies=f"{count} strategies" if count > 1 else "one strategy",
        scores=_scores(row, comparison),
        verdict=_verdict(board),
        data=_data(comparison),
        limits=_limits(board, comparison),
        texts=pairs,
        example='("a text", "its pair")' if task.text_pair else '"a text"',
    )


def metadata(comparison: Comparison, row: Row, run: Run) -> dict[str, Any]:
    """Of the hub. `base_model` only where it can be fetched by its name."""
    backbone = run.result.backbone or ""
    based = {"base_model": backbone} if REPO.fullmatch(backbone) and not Path(backbone).exists() else {}
    name, fingerprint = _source(comparison), {"fingerprint": comparison.fingerprint}
    metrics = [
        {
            "type": HUB_METRICS.get(metric, metric),
            "name": metric,
            "value": round(found["value"], 4),
            "args": {"interval_95": [round(found["low"], 4), round(found["high"], 4)]},
        }
        for metric, found in row["test"].items()
        if "[" not in metric
    ]
    result = {
        "task": {"type": "text-classification"},
        "dataset": {
            "name": name,
            "type": name,
            "split": "test",
            "args": fingerprint,
        },
        "metrics": metrics,
    }
    return {
        "library_name": "stratune",
        "pipeline_tag": "text-classification",
        "tags": ["stratune", human.plain(row["strategy"])],
        **based,
        "model-index": [{"name": run.result.run_id, "results": [result]}],
    }


def _source(comparison: Comparison) -> str:
    """The name of the data, without the folder in which the user keeps it."""
    source = (comparison.config.get("data") or {}).get("source")
    return human.plain(Path(str(source)).name) if source else "rows in memory"


def _scores(row: Row, comparison: Comparison) -> str:
    rows = comparison.sizes["test"]
    lines = [f"| metric | test, {rows:,} rows | 95 % interval |", "|---|---:|---|"]
    for metric, found in row["test"].items():
        if "[" not in metric:
            value, low, high = (human.score(found[end]) for end in ("value", "low", "high"))
            lines.append(f"| {metric} | {value} | {low} to {high} |")
    several = len(row["seeds"])
    mean = f"\n\nMeans over {several} seeds, of which this model is one." if several > 1 else ""
    return "\n".join(lines) + mean


def _verdict(board: Board) -> str:
    verdict = board.get("verdict") or {}
    return f"The comparison's verdict: {verdict['sentence']}" if verdict else ""


def _data(comparison: Comparison) -> str:
    sizes = ", ".join(f"{count:,} {part}" for part, count in comparison.sizes.items())
    held = "Whole groups are in one part. " if comparison.task.group else ""
    return (
        f"{_code(_source(comparison))}: {sizes} rows. {held}Split {_code(comparison.fingerprint[:12])}; "
        "the test part was opened once, and nothing was chosen on it."
    )


def _limits(board: Board, comparison: Comparison) -> str:
    found = [line for _, line in caveats.lines(board, at_most=20)]
    columns = [one for one in (comparison.task.text, comparison.task.text_pair) if one]
    found.append(
        f"It was tested on texts like those of {' and '.join(map(_code, columns))}, and on no others."
    )
    return "\n".join(f"- {human.plain(line)}" for line in found)


def _code(text: object) -> str:
    return f"`{human.plain(text).replace('`', chr(39))}`"
