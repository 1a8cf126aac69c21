"""slices.json: which slice of which column a test row is in, and the worst slices that validation rows show.

    {"fingerprint", "metric", "columns": [{"name", "kind", "how", "shown", "protected", "names", "test"}],
     "searches": [{"strategy", "backbone", "files", "singles", "pairs", "wrong",
                   "found": [{"name", "worded", "p", "rows", "wrong", "test"}]}]}

The report computes all numbers of them (report/slices.py): nothing of a model is in this file but what the
search chose on validation.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stratune.comparison.slice_columns import Column, SourceColumns, own_columns
from stratune.comparison.slice_search import conditions_of, search
from stratune.comparison.source import split_again
from stratune.config import read_config
from stratune.files import read_json, write_json
from stratune.ownership import owned_by_us
from stratune.report import publish
from stratune.report.comparison import load
from stratune.report.slices import FILE
from stratune.watch import SILENT, Progress

if TYPE_CHECKING:
    from stratune.config import Config
    from stratune.data.split import Split


class Slicing:
    """Of one comparison: its columns, looked up before anything is written; the search, after its runs."""

    def __init__(
        self,
        config: Config,
        split: Split,
        rows: Mapping[str, Any] | None = None,
        *,
        by: Sequence[str] | None = None,
        protected: Sequence[str] | None = None,
        metric: str | None = None,
        keys: tuple[str, str] = ("report.slices", "report.protected"),
    ) -> None:
        """`by`, `protected`: columns; None: those of the configuration. Raises ConfigError for one that is
        not there, or has no slices, and for a metric that is none.
        """
        by = config.report.slices if by is None else by
        protected = config.report.protected if protected is None else protected
        if metric is not None:
            split.task.target.find(metric)
        self.config, self.split, self.rows, self.metric = config, split, rows, metric
        self.own = own_columns(split)
        self.asked = bool(by or protected)
        self.source = SourceColumns(config, split, rows) if self.asked else None
        self.by, self.protected = (
            [self.source.column(name, key) for name in dict.fromkeys(names)] if self.source else []
            for names, key in ((by, keys[0]), (protected, keys[1]))
        )

    def keep(self, out: Path, searches: Sequence[Mapping[str, Any]] = ()) -> None:
        """Write OUT/slices.json."""
        test = len(self.split.test)
        shown = [one.to_dict(test) for one in (*self.own, *self.by)]
        hidden = [one.to_dict(test, shown=False, protected=True) for one in self.protected]
        found = {
            "fingerprint": self.split.fingerprint,
            "metric": self.metric,
            "columns": [*shown, *hidden],
            "searches": list(searches),
        }
        owned_by_us(out).own(FILE)
        write_json(out / FILE, found)

    def keep_unless_there(self, out: Path) -> None:
        """What `stratune slices` wrote of this split stays, unless the configuration asks for columns."""
        path = out / FILE
        if self.asked or not path.is_file() or not self._is_of_this(path):
            self.keep(out)

    def _is_of_this(self, path: Path) -> bool:
        try:
            return bool(read_json(path).get("fingerprint") == self.split.fingerprint)
        except (OSError, ValueError, AttributeError):
            return False

    def searched(
        self, out: Path, planned: Collection[str] | None = None, progress: Progress = SILENT
    ) -> list[dict[str, Any]]:
        """The worst slices of every strategy that reads the texts, as slices.json has them."""
        source = self.source or SourceColumns(self.config, self.split, self.rows)
        named = [column.name for column in (*self.by, *self.protected)]
        columns: list[Column] = [*self.own, *self.by, *source.others(named)]
        conditions = conditions_of(self.split, columns, words=self.config.report.texts > 0)
        comparison = load(out, planned)
        entries = [one for one in comparison.entries() if one.ok and not one.ok[0].result.floor]
        progress.stage("slices", len(entries))
        found = []
        for entry in entries:
            found.append(search(entry, comparison, conditions).to_dict())
            progress.rows(1)
        return found


def slices(
    out: str | Path,
    by: Sequence[str] = (),
    *,
    protected: Sequence[str] = (),
    metric: str | None = None,
    progress: Progress = SILENT,
) -> dict[str, Any]:
    """Of the finished comparison in `out`: writes slices.json and the report anew, and returns `slices` and
    `fairness` of leaderboard.json.

    `by`: columns of its data, `domain` or `age=18/30/65`; `protected`: those whose values' error rates are
    compared. `metric`: None: the one that ranks.

    Raises ArtifactError where there is no comparison, or its data are others now; ConfigError for a column
    that is not there or has no slices, or a metric that is none.
    """
    out = Path(out)
    comparison = load(out)
    config = read_config(out / "config.yaml")
    split = split_again(out, config, comparison.fingerprint)
    keys = ("by", "protected")
    slicing = Slicing(config, split, by=by, protected=protected, metric=metric, keys=keys)
    slicing.keep(out, slicing.searched(out, progress=progress))
    board = publish(out)
    return {"slices": board["slices"], "fairness": board["fairness"]}
