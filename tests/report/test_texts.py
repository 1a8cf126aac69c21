"""The texts of test beside a comparison, and how many of them the page shows."""

import re
import shutil

import pyarrow.parquet as pq
import pytest
from datasets import Dataset

from stratune.errors import ArtifactError
from stratune.ownership import owned_by_us
from stratune.report import publish, texts
from stratune.report.comparison import load
from stratune.report.page.embed import as_json
from tests.report.test_html import page_of

IDS = [f"test-{k}" for k in range(120)]


@pytest.fixture
def with_texts(two_class):
    owned_by_us(two_class).own(texts.FILE)
    texts.keep(
        two_class,
        Dataset.from_dict({"id": IDS, "text": [f"sentence {k} <b> " + "long " * k for k in range(120)]}),
    )
    return two_class


def shown(page):
    return len(set(re.findall(r"sentence \d+ \\u003cb\\u003e", page)))


def test_texts_are_kept_up_to_a_limit_where_all_are_too_long_and_their_size_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(texts, "ROOM", 6000)
    texts.keep(
        tmp_path, Dataset.from_dict({"id": ["a", "b"], "text": ["x " * 3000, "y"], "text_pair": ["p q", "r"]})
    )
    found = texts.read(tmp_path / texts.FILE, ["a", "b"])
    assert [len(one) for one in found.texts] == [texts.CHARACTERS, 1] and found.pairs == ["p q", "r"]
    assert found.words == [3002, 2] and found.characters == [6004, 3]


def test_texts_that_have_room_are_kept_whole(tmp_path):
    where = [[{"name": "turn 1", "speaker": "ANN", "start": None}]]
    texts.keep(tmp_path, Dataset.from_dict({"id": ["a"], "text": ["x " * 3000], "pieces": where}))
    found = texts.read(tmp_path / texts.FILE, ["a"])
    assert len(found.texts[0]) == 6000 and found.pieces == where


def test_the_page_shows_as_many_as_are_asked_for_evenly_spaced(with_texts):
    assert shown(page_of(with_texts)) == 120 and shown(page_of(with_texts, texts=0)) == 0
    some = page_of(with_texts, texts=30)
    assert shown(some) == 30 and "sentence 0 " in some and "sentence 119 " in some
    assert "30 of 120 test rows, evenly spaced" in " ".join(some.split())


def test_the_configuration_says_how_many_and_the_option_goes_before_it(with_texts):
    path = with_texts / "config.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "report: {texts: 7}\n", encoding="utf-8")
    publish(with_texts)
    assert shown((with_texts / "report.html").read_text(encoding="utf-8")) == 7
    publish(with_texts, texts=5)
    assert shown((with_texts / "report.html").read_text(encoding="utf-8")) == 5


def test_a_comparison_without_texts_says_why_there_are_none(two_class):
    assert "Their texts were not kept" in page_of(two_class)
    assert "Their texts are left out" in page_of(two_class, texts=0)


@pytest.mark.parametrize("harm", ["cut", "column", "rows"])
def test_a_damaged_file_of_texts_is_named(with_texts, harm):
    path = with_texts / texts.FILE
    table = pq.read_table(path)
    if harm == "cut":
        path.write_bytes(path.read_bytes()[:-20])
    else:
        pq.write_table(table.drop_columns(["words"]) if harm == "column" else table.slice(1), path)
    with pytest.raises(ArtifactError, match=r"texts\.parquet"):
        load(with_texts)


def test_a_file_of_the_users_with_that_name_is_not_read(two_class):
    (two_class / texts.FILE).write_text("mine")
    assert load(two_class).texts is None


def test_no_text_can_end_the_block_of_data():
    hostile = "</script><!-- & \u2028\u2029"
    block = as_json({"a": [hostile, float("nan"), (1.5,)]})
    assert not set("<>&\u2028\u2029") & set(block) and "null" in block


def test_keeping_texts_changes_nothing_else(with_texts, tmp_path):
    before = publish(shutil.copytree(with_texts, tmp_path / "one"))
    after = publish(shutil.copytree(with_texts, tmp_path / "two"), texts=0)
    assert before["rows"] == after["rows"]
