"""The file of stored answers: shared, damaged, full."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from stratune.errors import ArtifactError, RemoteError
from stratune.remote.answers import Answers, answer_key

WRITER = """
import sys
from stratune.remote.answers import Answers
answers = Answers()
for i in range(200):
    answers.keep(str(i), {"by": sys.argv[1], "i": i})
"""


@pytest.fixture
def answers():
    opened = Answers()
    yield opened
    opened.close()


def test_an_answer_is_there_for_who_asks_the_same_whatever_the_order_of_its_fields(answers):
    key = answer_key("http://a/v1", "plain", {"model": "m", "prompt": "é"})
    assert answers.get(key) is None
    answers.keep(key, {"said": "é"})
    assert answers.get(answer_key("http://a/v1", "plain", {"prompt": "é", "model": "m"})) == {"said": "é"}
    others = [("http://b/v1", "plain"), ("http://a/v1", "chat")]
    assert key not in [answer_key(*other, {"model": "m", "prompt": "é"}) for other in others]


def test_the_first_answer_stands(answers):
    assert answers.keep("key", {"said": 1}) == {"said": 1}
    assert answers.keep("key", {"said": 2}) == {"said": 1}


def test_threads_share_one_object(answers):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: answers.keep(str(i % 50), {"i": i % 50}), range(400)))
    assert len(answers) == 50 and all(answers.get(str(i)) == {"i": i} for i in range(50))


def test_processes_share_one_file_that_neither_had_made(answers):
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, name]) for name in "abc"]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert len(answers) == 200 and all(answers.get(str(i))["i"] == i for i in range(200))


def test_a_damaged_file_is_named(answers):
    answers.path.write_bytes(b"no database at all, and long enough to be looked at as one" * 20)
    with pytest.raises(ArtifactError) as caught:
        answers.get("key")
    expected = f"{answers.path}: the stored answers cannot be read (file is not a database); delete the file"
    assert str(caught.value) == expected


def test_a_damaged_answer_is_not_taken_for_one(answers):
    answers.keep("key", {"said": 1})
    answers.close()
    with sqlite3.connect(answers.path) as connection:
        connection.execute("UPDATE answers SET answer = substr(answer, 1, 4)")
    connection.close()
    with pytest.raises(
        ArtifactError, match=r"remote.sqlite: the stored answers cannot be read .*; delete the file"
    ):
        answers.get("key")


def test_a_full_disk_is_named_and_takes_nothing_with_it(answers):
    answers.keep("before", {"said": 1})
    with answers._using() as connection:  # SQLite's own limit gives the very error of a full disk
        connection.execute("PRAGMA max_page_count = 4")
    with pytest.raises(RemoteError) as caught:
        answers.keep("after", {"said": "x" * 100_000})
    assert str(caught.value) == f"{answers.path}: answers cannot be stored: database or disk is full"
    assert answers.get("before") == {"said": 1} and answers.get("after") is None
