"""The kinds of cases, and their share of a campaign."""

from __future__ import annotations

from pathlib import Path
from random import Random

from fuzz.backbone_folders import backbone_folders
from fuzz.case import Case, Kind
from fuzz.command_lines import command_lines
from fuzz.configurations import configurations
from fuzz.data_files import data_files
from fuzz.model_folders import model_folders
from fuzz.out_folders import out_folders
from fuzz.prompts import prompts
from fuzz.transcripts import transcripts

KINDS: dict[str, Kind] = {
    "data": data_files,
    "transcripts": transcripts,
    "configurations": configurations,
    "models": model_folders,
    "backbones": backbone_folders,
    "prompts": prompts,
    "outs": out_folders,
    "commands": command_lines,
}
# Of 100 cases; what is read by more code of ours, or may come from strangers, has more.
SHARES = {
    "data": 25,
    "transcripts": 8,
    "configurations": 15,
    "models": 18,
    "backbones": 12,
    "prompts": 9,
    "outs": 8,
    "commands": 5,
}


def make(kind: str, seed: int, random: Random, folder: Path, base: Path) -> Case:
    if kind == "commands":  # one after the other, so that a long campaign has them all
        return command_lines(random, folder, base, seed)
    return KINDS[kind](random, folder, base)


def orders(cases: int, seed: int, kinds: list[str]) -> list[tuple[str, int]]:
    """(kind, seed of the case), kinds taking turns by their shares."""
    total = sum(SHARES[kind] for kind in kinds)
    counted = {kind: max(1, round(cases * SHARES[kind] / total)) for kind in kinds}
    found = [
        (turn / count, kind, seed * 1_000_000 + turn)
        for kind, count in counted.items()
        for turn in range(count)
    ]
    return [(kind, number) for _, kind, number in sorted(found)]
