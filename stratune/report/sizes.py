"""sizes.json, as `stratune sizes` wrote it: what a leaderboard, the terminal and the page show of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stratune.report import human, standing
from stratune.report.comparison import Comparison
from stratune.report.sentence import amount, in_points, quoted

FILE = "sizes.json"
MARKS = {"first": standing.MARKS["winner"], "tied": standing.MARKS["tied"]}
LEGEND = f"{MARKS['first']} first of its column on test, {MARKS['tied']} ties with the first"
NAMED = 2  # strategies that tie at the largest size, beside the one that does so from fewest rows on
Found = dict[str, Any]


def of_board(comparison: Comparison) -> dict[str, Any]:
    """`sizes` of leaderboard.json; nothing where no size was trained, or runs are others since then."""
    found = comparison.by_size
    if found is None or found["fingerprint"] != comparison.fingerprint:
        return {}
    now = {
        (entry.strategy, entry.backbone): [run.result.digest for run in entry.runs]
        for entry in comparison.entries()
    }
    then = {(one["strategy"], one["backbone"]): one["files"] for one in found["strategies"]}
    return {"sizes": found} if now == then else {}


def names(found: Found) -> dict[tuple[str, str | None], str]:
    """What each strategy is called: with its backbone only where there are several."""
    keys = [key_of(one) for one in found["strategies"]]
    several = len({backbone for _, backbone in keys if backbone}) > 1
    return {key: human.entry(key[0], key[1] if several else None) for key in keys}


def key_of(one: Mapping[str, Any]) -> tuple[str, str | None]:
    return one["strategy"], one["backbone"]


def sentence(found: Found) -> str:
    """From 200 labels on `lora` is first or ties with the first. Another 1,000 labels would bring it ..."""
    called = {key: quoted(name) for key, name in names(found).items()}
    rising = [one for one in found["strategies"] if one["first_from"] is not None and not one["floor"]]
    rising.sort(key=lambda one: one["first_from"])  # stable: of equals the best at the largest size
    parts = []
    if rising:
        parts.append(_first(rising, called, found["sizes"]))
    parts += [_crossing(one, called) for one in found["crossings"]]
    if rising and (curve := rising[0]["curve"]) is not None:
        parts.append(_more(curve, called[key_of(rising[0])], found["metric"]))
    return " ".join(parts) or "No strategy that reads the texts is first at the largest size."


def _first(rising: Sequence[Found], called: Mapping[Any, str], sizes: Sequence[int]) -> str:
    first, *others = rising
    if first["first_from"] == sizes[0]:
        start = f"{called[key_of(first)]} is first or ties with the first at every size"
    else:
        start = (
            f"From {first['first_from']:,} labels on {called[key_of(first)]} is first or ties with the first"
        )
    since = first["first_from"]
    more = [
        called[key_of(one)] + (f" from {one['first_from']:,} on" if one["first_from"] > since else "")
        for one in others[:NAMED]
    ]
    if len(others) > NAMED:
        more.append(f"{len(others) - NAMED} more")
    return f"{start}{'; so do ' if len(more) > 1 else '; so does ' if more else ''}{' and '.join(more)}."


def _crossing(one: Found, called: Mapping[Any, str]) -> str:
    few, many = called[key_of(one["a"])], called[key_of(one["b"])]
    between = f"between {one['after']:,} and {one['before']:,} labels"
    return f"{few} is better than {many} with few labels; {between} it turns."


def _more(curve: Found, name: str, metric: str) -> str:
    gain = curve["gain"]
    if round(gain["high"], 3) <= 0:
        return (
            f"Another {curve['more']:,} labels would bring {name} nothing that could be seen, by its curve."
        )
    value, low, high = (gain[end] for end in ("value", "low", "high"))
    if in_points(metric):
        brings = f"about {100 * value:.1f} points ({100 * low:.1f} to {100 * high:.1f})"
    else:
        brings = f"about {amount(metric, value)} ({human.score(low)} to {human.score(high)})"
    return f"Another {curve['more']:,} labels would bring {name} {brings}, if its curve goes on as it has."


def heads(found: Found) -> list[str]:
    rows = [f"{point['rows']:,}" for point in found["strategies"][0]["points"]]
    more = next((one["curve"]["points"][-1]["rows"] for one in found["strategies"] if one["curve"]), None)
    return rows if more is None else [*rows, f"{more:,}?"]


def has_curves(found: Found) -> bool:
    return any(one["curve"] for one in found["strategies"])


def failures(found: Found) -> list[str]:
    """Why a strategy has no value at a size, or lacks draws; each reason once for a strategy."""
    called = names(found)
    lines = []
    for one in found["strategies"]:
        reasons: dict[str, list[str]] = {}
        for point in one["points"]:
            if point["error"]:
                reasons.setdefault(point["error"], []).append(f"{point['rows']:,}")
        name = human.plain(called[key_of(one)])
        lines += [f"{name} at {', '.join(rows)}: {human.short(why, 200)}" for why, rows in reasons.items()]
    return lines


def has_failed(found: Found) -> bool:
    return any(point["error"] for one in found["strategies"] for point in one["points"])
