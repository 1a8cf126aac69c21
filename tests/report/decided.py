"""A board as leaderboard.json has it from 0.9 on: with a verdict. Its numbers are made up, its shape is not."""

import itertools

SENTENCE = "Use `{winner}`. No strategy is shown to be better on these {rows} rows; `{best}` ties with it."


def decided(board, *, winner=1, tied=2, out="OUT", prefer="seconds"):
    """The board, its first `tied` rows tied, and of them the one at index `winner` chosen."""
    ranked = [row for row in board["rows"] if row["rank"]]
    named = [{"strategy": row["strategy"], "backbone": row["backbone"]} for row in ranked]
    for index, row in enumerate(ranked):
        metric = board["metric"]
        value = row["val"][metric]
        row |= {
            "winner": index == winner,
            "tied": index < tied,
            "near": index < tied,
            "first": [0.62, 0.3][index] if index < 2 else 0.0,
        }
        row["val_intervals"] = {metric: {"value": value, "low": value - 0.05, "high": value + 0.05}}
        row["tried"] = {"fits": 1, "prompts": 8} if index == 0 else {"fits": 1}
    words = {
        "winner": ranked[winner]["strategy"],
        "best": ranked[0]["strategy"],
        "rows": board["split"]["test"],
    }
    board["verdict"] = {
        "sentence": SENTENCE.format(**words),
        "winner": named[winner],
        "best": named[0],
        "tied": named[:tied],
        "prefer": prefer,
        "optimism": 0.012,
        "visible": 0.03,
        "command": f'stratune predict {out} "a text"',
    }
    board["pairs"] = {part: _pairs(ranked, part, board["metric"]) for part in ("val", "test")}
    return board


def _pairs(ranked, part, metric):
    found = []
    for a, b in itertools.combinations(ranked, 2):
        values = [row["val"][metric] if part == "val" else row["test"][metric]["value"] for row in (a, b)]
        gap = values[0] - values[1]
        found.append(
            {
                "a": a["rank"], "b": b["rank"], "metric": metric, "difference": gap, "low": gap - 0.03,
                "high": gap + 0.02, "p": 0.01 * (a["rank"] + b["rank"]), "p_adjusted": 0.5,
            }
        )  # fmt: skip
    return found
