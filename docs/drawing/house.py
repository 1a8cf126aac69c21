"""The picture of docs/house.md: the rooms of stratune by floor, and the way of one row through them."""

from __future__ import annotations

from drawing import svg

# From top to bottom. A room on the way of a row has the number of its step, as docs/house.md counts them.
FLOORS: dict[str, dict[str, str]] = {
    "doors": {"cli": "1", "api": "1", "sklearn": "", "testing": "", "serving": "", "export": ""},
    "comparison": {"comparison": "3", "tracking": "", "report": "9", "config": "1"},
    "run": {"engine": "3", "fitting": "4", "predictor": "10"},
    "technique": {"remote": "", "strategy": "4", "readout": "4", "model": "7", "prompt": ""},
    "network": {"train": "6", "net": "5", "longtext": "", "tokens": "5", "backbone": "5"},
    "data": {"perturb": "", "transcript": "", "data": "2"},
    "ground": {"task": "1", "target": "6", "objective": "6", "evaluate": "8", "identity": "", "result": "8"},
    "": {"plugins": "", "watch": "", "options": "", "memory": "", "ownership": "", "version": ""},
    " ": {"cores": "", "cache": "", "files": "", "errors": "", "printable": ""},
}
LEFT, FLOOR, GAP = 104, 46, 8  # where rooms begin; the height of a floor; between two rooms


def house() -> str:
    parts = svg.legend("stratune", {"on the way of a row, with its step": "trainable", "beside it": "plain"})
    y = 38.0
    for name, rooms in FLOORS.items():
        if name:
            parts.append(svg.line((16, y), (svg.WIDTH - 16, y), kind="frame"))
        parts.append(svg.text(16, y + FLOOR / 2, name, "loose left"))
        width = (svg.WIDTH - 16 - LEFT - GAP * (len(rooms) - 1)) / len(rooms)
        for number, (room, step) in enumerate(rooms.items()):
            words, kind = (f"{step} · {room}", "trainable") if step else (room, "plain")
            x = LEFT + number * (width + GAP)
            parts.append(svg.cell(x, y + (FLOOR - svg.CELL) / 2, width, words, kind))
        y += FLOOR
    return svg.document("The rooms of stratune: each imports only what stands below it", y + 8, parts)
