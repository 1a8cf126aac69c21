"""Fill the numbers into docs/techniques from the runs that are kept in docs/results/mrpc: `make docs`.

Validation chooses and sorts; test shows afterwards how good the choice was.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FOLDER = HERE / "techniques"
RUNS = HERE / "results" / "mrpc" / "runs.jsonl"
BEGIN, END = "<!-- numbers:begin -->", "<!-- numbers:end -->"
NONE = "No runs recorded yet."
DATA = (
    "MRPC: 3,668 pairs to train, 408 to choose, 1,725 to test; `minilm`; 4 epochs unless the row says "
    "otherwise."
)
HEAD = "seeds | val macro-F1 | test accuracy [by seed] | test macro-F1 | trainable |"
RULE = "---|---:|---|---:|---:|"

Row = dict[str, Any]


@dataclass(frozen=True)
class Setting:
    """One way to use a preset, and its runs by seed."""

    preset: str
    changes: str  # what differs from the bare preset, as it stands in a configuration
    runs: dict[int, Row]

    def mean(self, part: str, metric: str) -> float:
        values = [run[part][metric] for run in self.runs.values()]
        return float(sum(values) / len(values))

    @property
    def words(self) -> str:
        return f"`{self.changes}`" if self.changes else "defaults"

    @property
    def cells(self) -> str:
        """The columns of HEAD."""
        seeds = sorted(self.runs)
        accuracies = ", ".join(f"{self.runs[seed]['test']['accuracy']:.3f}" for seed in seeds)
        counts = {run["trainable_params"] for run in self.runs.values() if "trainable_params" in run}
        return " | ".join(
            [
                ", ".join(map(str, seeds)),
                f"{self.mean('val', 'f1_macro'):.3f}",
                f"{self.mean('test', 'accuracy'):.3f} [{accuracies}]",
                f"{self.mean('test', 'f1_macro'):.3f}",
                f"{max(counts):,}" if counts else "-",
            ]
        )


def page_of(preset: str) -> str:
    """The page that describes a preset, a baseline or a combination."""
    from stratune.strategy import BASELINES

    if preset in BASELINES:
        return "baselines"
    if preset in ("zero_shot", "few_shot"):
        return "prompting"
    if preset in ("centroid", "knn", "label_names"):
        return "nearest"
    return "peft" if preset.startswith("peft:") else preset


def read_settings(path: Path = RUNS) -> list[Setting]:
    """Best by validation first. A run that was repeated counts once, with its last line."""
    found: dict[tuple[str, str], Setting] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        run = json.loads(line)
        if run["data"] != "mrpc":
            raise ValueError(f"{path}: a run on {run['data']!r} among those on mrpc")
        preset, changes = described(run["spec"])
        found.setdefault((preset, changes), Setting(preset, changes, {})).runs[run["seed"]] = run
    return sorted(found.values(), key=lambda s: (-s.mean("val", "f1_macro"), s.preset, s.changes))


def described(spec: Row) -> tuple[str, str]:
    """The preset, and the options by which a spec differs from it: defaults that are written out do not."""
    from stratune.strategy import parse_strategy

    bare = _flat(parse_strategy(spec["preset"]).settings())
    options = _flat(parse_strategy(spec).settings())
    changed = {key: value for key, value in options.items() if value != bare.get(key) and key != "name"}
    return spec["preset"], ", ".join(f"{key}: {_word(value)}" for key, value in changed.items())


def _flat(settings: Row) -> Row:
    """`readout: {pool: first}` as `readout.pool`."""
    flat = {}
    for key, value in settings.items():
        inner = {f"{key}.{name}": v for name, v in value.items()} if isinstance(value, dict) else {key: value}
        flat.update(inner)
    return flat


def _word(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def page_block(page: str, settings: list[Setting]) -> str:
    """Every setting of a page's presets."""
    mine = [setting for setting in settings if page_of(setting.preset) == page]
    rows = [f"| {_named(setting, page)} | {setting.cells} |" for setting in mine]
    return _table("Best by validation first.", f"| settings | {HEAD}", f"|---|{RULE}", rows)


def _named(setting: Setting, page: str) -> str:
    return setting.words if setting.preset == page else f"`{setting.preset}`, {setting.words}"


def summary_block(settings: list[Setting]) -> str:
    """Of each preset one setting, and out of how many: validation's choice of those with the most seeds."""
    best: dict[str, Setting] = {}
    for setting in settings:
        if setting.preset not in best or len(setting.runs) > len(best[setting.preset].runs):
            best[setting.preset] = setting
    tried = Counter(setting.preset for setting in settings)
    rows = [
        f"| [`{name}`]({page_of(name)}.md) | {setting.words} | {tried[name]} | {setting.cells} |"
        for name, setting in sorted(best.items(), key=lambda one: settings.index(one[1]))
    ]
    note = (
        "Of each preset the setting that is best by validation, out of so many tried; one with more seeds "
        "goes before."
    )
    return _table(note, f"| preset | settings | tried | {HEAD}", f"|---|---|---:|{RULE}", rows)


def _table(note: str, head: str, rule: str, rows: list[str]) -> str:
    return "\n".join([f"{DATA} {note}\n", head, rule, *rows]) if rows else NONE


def filled(text: str, block: str) -> str:
    """The page with `block` between its markers. Raises ValueError when they do not stand there once."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end) or BEGIN in after:
        raise ValueError(f"a page has {BEGIN} and {END} once")
    return f"{before}{BEGIN}\n{block}\n{END}{after}"


def pages(settings: list[Setting]) -> dict[Path, str]:
    """Every page as it should read."""
    texts = {}
    for path in sorted(FOLDER.glob("*.md")):
        index = path.stem == "README"
        block = summary_block(settings) if index else page_block(path.stem, settings)
        texts[path] = filled(path.read_text(encoding="utf-8"), block)
    return texts


def write() -> None:
    for path, text in pages(read_settings()).items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
