"""The folder of a comparison: its default name, what is ours in it, one comparison at a time."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from stratune.comparison.source import KEPT_ROWS
from stratune.errors import ArtifactError, ConfigError
from stratune.files import read_json, write_json
from stratune.remote.address import is_remote
from stratune.train.processes import is_main

if TYPE_CHECKING:
    from stratune.config import Config
    from stratune.data.split import Split
    from stratune.transcript.texts import TextsReport

# What a comparison writes, apart from KEPT_ROWS, which are its source.
FOLDERS = ("runs", "plots", "ablation")
FILES = (
    *("config.yaml", "split.json", "data.json", "leaderboard.json", "leaderboard.csv", "leaderboard.md"),
    *("report.html", "ablation.json"),
)


def default_out(source: Any) -> Path:
    """stratune-out/ and the name of what is compared on: `reviews` of reviews.csv, `demo-reviews`."""
    if not isinstance(source, (str, Path)):
        return Path("stratune-out") / "comparison"
    named = str(source)
    name = named.replace(":", "-").replace("/", "-") if ":" in named else Path(named).stem
    return Path("stratune-out") / name


def check_place(out: Path) -> None:
    """Raises ConfigError when `out` is somebody else's, or cannot be written."""
    if out.exists() and not out.is_dir():
        raise ConfigError(f"{out} is a file, not a folder", key="out")
    ours = {"config.yaml", ".lock", *KEPT_ROWS.values()}
    names = {path.name for path in out.iterdir()} if out.is_dir() else set()
    if names and not names & ours:
        raise ConfigError(f"{out} is not empty and holds no comparison; choose another folder", key="out")
    parent = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise ConfigError(f"{out} cannot be written to", key="out")


def prepare(out: Path, config: Config, split: Split, texts: TextsReport | None, fresh: bool) -> None:
    """Write down what is compared. Raises ArtifactError when `out` holds a comparison on another split."""
    if not is_main():
        return
    if fresh:
        _clear(out)
    stored = out / "split.json"
    if stored.is_file() and read_json(stored)["fingerprint"] != split.fingerprint:
        raise ArtifactError(
            f"{out}: holds a comparison on another split; choose another --out, or start over with --fresh"
        )
    for leftover in [*out.glob("runs/.*"), *out.glob("runs/*/.*"), *out.glob(".*.tmp*")]:  # of a killed run
        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
    config.save(out / "config.yaml")
    split.save(stored)
    found = data_report(config, split)
    write_json(out / "data.json", found if texts is None else {"transcripts": texts.to_dict(), **found})


def data_report(config: Config, split: Split) -> dict[str, Any]:
    """What `stratune data check` finds, lengths in tokens of the first backbone that is not a server's."""
    from stratune.backbone.tokenizer import token_counter
    from stratune.data.check import check

    here = [place for place in (*config.backbones, *config.llms) if not is_remote(place)]
    if not here:
        return check(split, split.task).to_dict()
    count, most = token_counter(here[0], config.train.max_length)
    return check(split, split.task, token_lengths=count, max_length=most).to_dict()


def _clear(out: Path) -> None:
    """Only what a comparison writes: the folder may hold other things of the user's."""
    for name in FOLDERS:
        shutil.rmtree(out / name, ignore_errors=True)
    for name in FILES:
        (out / name).unlink(missing_ok=True)


class locked:
    """One comparison at a time in a folder. The kernel drops the lock of a killed process."""

    def __init__(self, out: Path) -> None:
        self.lock = FileLock(out / ".lock") if is_main() else None
        self.out = out

    def __enter__(self) -> None:
        if self.lock is not None:
            self.out.mkdir(parents=True, exist_ok=True)  # not before: wrong input leaves nothing behind
            try:
                self.lock.acquire(timeout=5)  # a run that was just killed may need a moment to end
            except Timeout as error:
                raise ArtifactError(f"{self.out}: another stratune is working in it") from error

    def __exit__(self, *_: object) -> None:
        if self.lock is not None:
            self.lock.release()
            (self.out / ".lock").unlink(missing_ok=True)
