"""What `stratune data agree` shows in a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from stratune.cli.output import console

if TYPE_CHECKING:
    from stratune.report.screen import Table

MOST = 12  # raters and labels in a table; all are in --json
PAIRS = 10  # pairs of raters in a table
WIDTH = 160  # characters of a text


def show(found: dict[str, Any], texts: Sequence[str]) -> None:
    """`found` as report/raters.py has it; `texts`: the columns of the rows that are listed."""
    screen = console()
    for table in _tables(found):
        screen.print(table)
    if found["annotators"]:
        screen.say(_off(found))
    if found["worst"]:
        screen.print(_worst(found, texts))
    screen.print(_consensus(found))
    for note in found["notes"]:
        screen.say(f"note: {note}")
    if written := found["consensus"].get("written"):
        screen.say(f"wrote {found['consensus']['kept']:,} rows: {written}")


def _tables(found: dict[str, Any]) -> Iterator[Table]:
    yield _whole(found)
    if found["by_label"]:
        yield _by_label(found)
    if found["cohen"] and found["cohen"]["each"]:
        yield _by_pair(found)
    if found["annotators"]:
        yield _by_annotator(found)


def _table(*heads: str, title: str) -> Table:
    from stratune.report.screen import Table

    table = Table(title=title, title_justify="left")
    for place, head in enumerate(heads):
        table.add_column(head, justify="left" if place == 0 else "right")
    return table


def _whole(found: dict[str, Any]) -> Table:
    from stratune.report import human
    from stratune.report.people import RELIABILITY
    from stratune.report.screen import Table
    from stratune.target import TARGETS

    table = Table("", "value [95 % interval]", title="Agreement of the raters", title_justify="left")
    per_row = found["per_row"]
    table.add_row("taken as", found["kind"])
    table.add_row("rows with ratings", f"{found['rows']:,}")
    least, most = per_row["least"], per_row["most"]
    spread = f"{least}" if least == most else f"{least} to {most}, mean {per_row['mean']:.2f}"
    table.add_row("ratings a row", spread)
    table.add_row("raters", "not known" if found["raters"] is None else f"{found['raters']:,}")
    if found["percent"]:
        table.add_row("two ratings of a row are equal", human.interval(found["percent"]))
        table.add_row("Fleiss' kappa", human.interval(found["fleiss"]))
    if found["cohen"] and found["cohen"]["pairs"]:
        pairs = f"mean of {found['cohen']['pairs']:,} pairs"
        for name, sign in (("cohen", "Cohen's kappa"), ("cohen_weighted", "weighted kappa")):
            if name in found["cohen"]["mean"]:
                table.add_row(f"{sign}, {pairs}", human.interval(found["cohen"]["mean"][name]))
    if found["alpha"]:
        level = found["alpha"]["level"]
        table.add_row(f"Krippendorff's alpha ({level})", human.interval(found["alpha"]))
    for name, meaning in RELIABILITY.items():
        if name in found["icc"]:
            table.add_row(f"{name}: {meaning}", human.interval(found["icc"][name]))
    for name, sign in TARGETS[found["kind"]].agreement.items():
        if name in found["ceiling"]:
            table.add_row(f"one rater against the others: {sign}", human.interval(found["ceiling"][name]))
    return table


def _by_label(found: dict[str, Any]) -> Table:
    from stratune.report import human

    table = _table("label", "ratings", "another says so, too", "kappa", title="By label")
    for label, one in list(found["by_label"].items())[:MOST]:
        numbers = (human.interval(one["specific"]), human.interval(one["kappa"]))
        table.add_row(human.short(label), f"{one['ratings']:,}", *numbers)
    if (more := len(found["by_label"]) - MOST) > 0:
        table.add_row(f"{more:,} more in --json")
    return table


def _by_pair(found: dict[str, Any]) -> Table:
    from stratune.report import human

    weighted = "cohen_weighted" in found["cohen"]["mean"]
    heads = ["raters", "Cohen's kappa", *(["weighted kappa"] if weighted else [])]
    table = _table(*heads, title="By pair of raters, the lowest first")
    known = [one for one in found["cohen"]["each"] if "cohen" in one]
    known.sort(key=lambda one: one["cohen"]["value"])
    for one in known[:PAIRS]:
        names = " and ".join(human.short(name, 18) for name in one["raters"])
        cells = [human.interval(one["cohen"])]
        table.add_row(names, *cells, *([human.interval(one.get("cohen_weighted"))] if weighted else []))
    if (more := len(found["cohen"]["each"]) - min(len(known), PAIRS)) > 0:
        table.add_row(f"{more:,} more in --json")
    return table


def _by_annotator(found: dict[str, Any]) -> Table:
    """Those who are off, then whoever is farthest below the rest."""
    from stratune.report import human

    numbers = found["kind"] == "regression"
    heads = ["error", "bias", "r"] if numbers else ["agrees with most"]
    names = ["mae", "bias", "pearson"] if numbers else ["agreement"]
    title = "By rater, against the others of his rows, the worst first"
    table = _table("rater", "ratings", *heads, "the rest", "", title=title)
    known = [one for one in found["annotators"] if one["rest"] is not None]
    known.sort(key=lambda one: (not one["off"], one["p"], _lead(one)))
    for one in known[:MOST]:
        cells = [human.interval(one.get(names[0])), *(_value(one.get(name)) for name in names[1:])]
        off = "off" if one["off"] else ""
        table.add_row(human.short(one["name"], 18), f"{one['ratings']:,}", *cells, f"{one['rest']:.3f}", off)
    if (more := len(found["annotators"]) - min(len(known), MOST)) > 0:
        table.add_row(f"{more:,} more in --json")
    return table


def _lead(one: dict[str, Any]) -> float:
    """How far a rater is above the rest."""
    if "agreement" in one:
        return float(one["agreement"]["value"] - one["rest"])
    return float(one["rest"] - one["mae"]["value"])


def _value(interval: dict[str, float] | None) -> str:
    from stratune.report import human

    return human.NOTHING if interval is None else f"{interval['value']:.3f}"


def _off(found: dict[str, Any]) -> str:
    off = found["off"]
    if not off:
        return "no rater is off: none agrees less with the others than they do, beyond chance"
    some = ", ".join(off[:MOST]) + (f" and {len(off) - MOST:,} more" if len(off) > MOST else "")
    return f"off: {some} (p below {found['off_level']:g}, adjusted for {found['raters']:,} raters)"


def _worst(found: dict[str, Any], texts: Sequence[str]) -> Table:
    from collections import Counter

    from stratune.report import human
    from stratune.report.screen import Table

    heads = ("row", "ratings", *texts)
    table = Table(*heads, title="The rows with most disagreement", title_justify="left", show_lines=True)
    for one in found["worst"]:
        counts = Counter(f"{rating:g}" if isinstance(rating, float) else rating for rating in one["ratings"])
        said = ", ".join(f"{human.short(name)} {count}" for name, count in counts.most_common())
        cells = [human.short("" if one[name] is None else one[name], WIDTH) for name in texts]
        table.add_row(f"{one['row']:,}", said, *cells)
    return table


def _consensus(found: dict[str, Any]) -> Table:
    one = found["consensus"]
    before, after = one["balance"]["before"], one["balance"]["after"]
    filtered = bool(one["left_out"])
    heads = [one["gold"], "rows", *(["kept"] if filtered else [])]
    table = _table(*heads, title="What they agree on")
    names = list(before)
    for name in names[:MOST]:
        table.add_row(name, f"{before[name]:,}", *([f"{after[name]:,}"] if filtered else []))
    if (more := len(names) - MOST) > 0:
        table.add_row(f"{more:,} more in --json")
    table.add_row("all", f"{one['rows']:,}", *([f"{one['kept']:,}"] if filtered else []))
    for why, count in one["left_out"].items():
        table.add_row(f"left out: {why}", f"{count:,}")
    if one["ties"] and "(tie)" not in before:
        table.add_row("ties, which get no label", f"{one['ties']:,}")
    if one["unrated"] and "(empty)" not in before:
        table.add_row("without ratings", f"{one['unrated']:,}")
    return table
