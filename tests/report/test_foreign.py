"""Labels, names and errors of strangers on the page, in pictures, Markdown, CSV and names of files."""

import csv
import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest

from stratune.report import publish
from stratune.report.tables import _cell
from stratune.result import RunResult, run_id
from tests.report.synthetic import make

LABELS = (
    "<script>alert(1)</script>",
    "]]> & &lt; \"quoted\" 'label'",
    "$x_1$ \\alpha",
    "\u202egnp.exe",
    "esc\x1b[2J\x00 nul",
    "_under | pipe [a](http://example.org)",
)
STRATEGY = '=HYPERLINK("x")</svg><img src=x onerror=alert(1)>'
ERROR = "![p](http://example.org/p.png) `x` <b>\x1b[31m\u202e & [/red]"
FORBIDDEN = ("\x1b", "\x00", "\u202e")


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    out = make(tmp_path_factory.mktemp("foreign") / "out", labels=LABELS, seeds=(0,), rows=90)
    for old, new in (("tfidf", STRATEGY), ("majority", "_hidden")):
        folder = out / "runs" / run_id(old, None, 0)
        result = RunResult.load(folder / "result.json")
        result.strategy, result.notes = new, [ERROR]
        result.save(folder / "result.json")
    RunResult("[/b]", None, 0, status="failed", error=ERROR).save(out / "runs" / "bad" / "result.json")
    issue = {"level": "warning", "code": "odd", "message": ERROR, "count": 1, "examples": [ERROR]}
    (out / "data.json").write_text(json.dumps({"issues": [issue]}))
    publish(out)
    return out


class Elements(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


def test_the_page_has_no_element_or_attribute_of_theirs(out):
    page = (out / "report.html").read_text(encoding="utf-8")
    parser = Elements()
    parser.feed(page)
    tags = [tag for tag, _ in parser.found]
    assert tags.count("script") == 3 and "img" not in tags and "b" in tags  # data, library, ours
    assert not any(name.startswith("on") for _, attributes in parser.found for name in attributes)
    assert not any(one in page for one in FORBIDDEN)


def test_pictures_are_xml_and_show_labels_as_they_are(out):
    shown = set()
    for path in (out / "plots").glob("*.svg"):
        text = path.read_text(encoding="utf-8")
        root = ET.fromstring(text)
        shown |= {element.text for element in root.iter("{http://www.w3.org/2000/svg}text")}
        assert "<script" not in text and not any(one in text for one in FORBIDDEN)
    assert "$x_1$ \\alpha" in shown and any(text and "_hidden" in text for text in shown)


def test_markdown_has_no_html_link_picture_or_broken_row(out):
    text = (out / "leaderboard.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) == 1
    assert not re.search(r"(?<!\\)!\[|\](?!\\)\(|<[a-z/]", text)
    assert not any(one in text for one in FORBIDDEN)


def test_a_markdown_cell_reads_as_it_was():
    assert _cell("0.806 [.777, .831]") == "0.806 [.777, .831]"
    assert _cell("soft_prompt *x* [a](b)") == "soft_prompt \\*x\\* [a]\\(b)"


def test_the_csv_has_no_formula_and_one_line_a_row(out):
    with (out / "leaderboard.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    board = json.loads((out / "leaderboard.json").read_text(encoding="utf-8"))
    assert len(rows) == 1 + len(board["rows"]) and len({len(row) for row in rows}) == 1
    assert "'" + STRATEGY in [row[1] for row in rows]
    assert not any(one in cell for row in rows for cell in row for one in (*FORBIDDEN, "\n"))


def test_names_of_pictures_stay_in_the_folder_and_are_plain(out):
    names = [path.name for path in (out / "plots").iterdir()]
    assert all(re.fullmatch(r"[\w.@+=,()-]+", name, flags=re.ASCII) for name in names), names
