"""sizes: every strategy of a comparison trained on fewer of its training rows, where it is not yet.

Each draw of each size is a comparison of its own in OUT/sizes, with the configuration of OUT but for the
training rows (data/subset.py): so it goes on where it was stopped, and runs on any engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stratune.comparison import learning_curves, smaller
from stratune.comparison.board import Board
from stratune.comparison.comparison import run_comparison
from stratune.comparison.progress import Display
from stratune.comparison.smaller import FOLDER, Smaller
from stratune.comparison.source import split_again
from stratune.config import read_config
from stratune.errors import ArtifactError, ConfigError, DataError
from stratune.files import write_json
from stratune.ownership import owned_by_us
from stratune.report import publish, sizes
from stratune.report.comparison import Comparison, load

if TYPE_CHECKING:
    from stratune.config import Config
    from stratune.data.split import Split

Folders = dict[int, dict[int, Path]]  # by rows, by draw


def train_sizes(
    out: str | Path,
    wanted: Sequence[int | float] | None = None,
    *,
    jobs: int | None = None,
    engine: str = "local",
    shown: bool = True,
) -> dict[str, Any]:
    """Of the finished comparison in `out`. `wanted`: counts of training rows, or shares of them; None: those
    of its configuration, else a half, a quarter and an eighth. Sizes that are there already stay.

    Writes sizes.json, which is also returned, and the report anew. `jobs`, `engine`: as of run_comparison.
    A size that nothing can be trained on, and a strategy that fails at one, is told with its reason.
    Raises ArtifactError where there is no comparison, or its data are others now; ConfigError for a wrong
    size.
    """
    out = Path(out)
    board = Board.load(out)
    config = read_config(out / "config.yaml")
    split = split_again(out, config, board.leaderboard["split"]["fingerprint"])
    total = len(split.train)
    named = smaller.counts(config.sizes if wanted is None else wanted, total)
    there = [rows for rows in smaller.there_are(out) if rows < total]
    counts = sorted({*named, *there}) or smaller.halves(total)
    if not counts:
        why = f"{total:,} training rows are too few to halve; name sizes below that"
        raise ConfigError(why, key="sizes")
    owned_by_us(out).own(sizes.FILE, FOLDER)
    folders: Folders = {}
    failed: dict[int, str] = {}
    for one in smaller.smaller(config, out, counts):
        reason = _train(one, total, config.seeds, jobs=jobs, engine=engine, shown=shown)
        if reason is None:
            folders.setdefault(one.rows, {})[one.draw] = one.out
        else:
            failed[one.rows] = reason
    whole = load(out)
    found = learning_curves.summary(
        [*_measured(folders, whole), learning_curves.whole_size(whole)],
        whole,
        {rows: why for rows, why in failed.items() if rows not in folders},
        list(_notes(config, split)),
    )
    found["sentence"] = sizes.sentence(found)
    write_json(out / sizes.FILE, found)
    publish(out)
    return found


def _train(one: Smaller, total: int, draws: int, *, jobs: int | None, engine: str, shown: bool) -> str | None:
    """Why nothing could be trained; None where something could."""
    of_draws = f", draw {one.draw + 1} of {draws}" if draws > 1 else ""
    with Display(shown=shown) as display:
        if shown:
            display.screen.say(f"{one.rows:,} of {total:,} training rows{of_draws}", "bold")
        how: dict[str, Any] = {"jobs": jobs, "engine": engine, "report": False}
        try:
            list(run_comparison(one.config, one.out, watch=display.on, **how))
        except (ConfigError, DataError) as error:  # too few rows for folds, say
            return str(error)
    return None


def _measured(folders: Folders, whole: Comparison) -> list[learning_curves.Size]:
    found = []
    for rows, draws in sorted(folders.items()):
        loaded = {draw: load(folder) for draw, folder in draws.items()}
        for comparison in loaded.values():
            if comparison.ids["test"] != whole.ids["test"]:
                raise ArtifactError(f"{comparison.out}: its test rows are not those of {whole.out}")
        wanted = {(entry.strategy, entry.backbone) for entry in whole.entries()}
        kept = {
            draw: replace(
                one,
                runs=tuple(run for run in one.runs if (run.result.strategy, run.result.backbone) in wanted),
            )
            for draw, one in loaded.items()
        }
        found.append(learning_curves.size_of(rows, kept, whole))
    return found


def _notes(config: Config, split: Split) -> list[str]:
    """How sizes were made, for whoever reads the numbers."""
    notes = []
    if split.cross_validated:
        notes.append("at each size the training rows choose, too, in folds of their own")
    else:
        rows = f"the same {len(split.val):,} validation rows"
        notes.append(f"at each size {rows} choose; their labels come on top of those that are counted here")
    if split.task.group:
        notes.append("training rows are drawn in whole groups; the last one may be cut")
    if config.seeds == 1:
        notes.append(
            "each size is one draw of the training rows: intervals cover the test rows, not which rows "
            "one happens to label; a comparison with --seeds 3 has three draws"
        )
    else:
        notes.append(f"each size is {config.seeds} draws of the training rows, trained once each")
    if left := [spec for spec in config.strategies if spec not in smaller.alone(config)]:
        names = ", ".join(spec if isinstance(spec, str) else spec["name"] for spec in left)
        notes.append(f"{names} averages over seeds, and is left out")
    return notes
