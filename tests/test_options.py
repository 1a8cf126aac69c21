"""YAML as people write it, and as nobody should: bounded, in one line, and text stays text."""

import time

import pytest

from stratune.errors import ConfigError
from stratune.options import MOST_DEPTH, parse_yaml, read_mapping, set_key, text_encoding

LEVELS = "abcdefghij"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip(LEVELS, LEVELS[1:], strict=False)
)


def message(text):
    started = time.monotonic()
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text, "own.yaml", lines=True)
    assert time.monotonic() - started < 5
    said = str(caught.value)
    assert len(said) <= 500 and "\n" not in said and said.startswith("own.yaml")
    return said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (BOMB, "more than 100,000 values"),
        ("[" * 3000, "nested more than 30 deep"),
        ("[" * 3000 + "]" * 3000, "nested more than 30 deep"),
        ("{a: " * 3000, "nested more than 30 deep"),
        ("- " * 3000, "nested more than 30 deep"),
        ("a: &x [*x]", "own.yaml:1: not YAML (an alias inside of what it stands for)"),
        ("a: 1\nb: 2\na: 3", "own.yaml:3: not YAML (the key 'a' stands there twice)"),
        ("a: 1\n'a': 3", "the key 'a' stands there twice"),
        ("a: \0", "special characters are not allowed"),
        ('a: "\\ud800"', "is not valid Unicode"),
        ("? [a]\n: 1", "a key that is no text"),
        ("9" * 5000, "limit"),
        ("x" * 500_001, "more than 500,000 characters"),
        ("!!python/object/apply:os.system [ls]", "could not determine a constructor"),
        ("!!timestamp 2024-99-99", "could not determine a constructor"),
        ("!!int many", "invalid literal"),
        ("a: *b", "undefined alias"),
        ("a: [1", "own.yaml:1: not YAML"),
    ],
)
def test_what_is_too_much_or_no_yaml_is_one_line(text, expected):
    assert expected in message(text)


def test_text_stays_text():
    text = "[yes, no, on, 'off', y, 2024-01-02, 2024-99-99, 1:30, 017, 0x1f, 1_000, 1e-3, Norway]"
    words = [
        "yes",
        "no",
        "on",
        "off",
        "y",
        "2024-01-02",
        "2024-99-99",
        "1:30",
        "017",
        "0x1f",
        "1_000",
        "1e-3",
    ]
    assert parse_yaml(text, "x") == [*words, "Norway"]


def test_numbers_truth_and_nothing_are_read():
    assert parse_yaml("[1, -2, 0.5, .5, 1.5e-3, true, false, null, ~]", "x") == [
        1, -2, 0.5, 0.5, 0.0015, True, False, None, None,
    ]  # fmt: skip


def test_anchors_and_merges_are_read():
    text = "base: &base {rank: 4, epochs: 2}\nown: {<<: *base, rank: 8}\nagain: *base"
    assert parse_yaml(text, "x") == {
        "base": {"rank": 4, "epochs": 2},
        "own": {"rank": 8, "epochs": 2},
        "again": {"rank": 4, "epochs": 2},
    }


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda path: path.mkdir(), "it is a folder, not a file of settings"),
        (lambda path: path.write_bytes(b"a: \xff\xfe"), "cannot be read"),
        (lambda path: path.write_text("- 1"), "expected a mapping of settings, found list"),
        (lambda path: path.write_text(""), "expected a mapping of settings, found NoneType"),
        (lambda path: None, "no such file"),
    ],
)
def test_a_file_that_holds_no_settings_is_named(make, expected, tmp_path):
    make(tmp_path / "own.yaml")
    with pytest.raises(ConfigError) as caught:
        read_mapping(tmp_path / "own.yaml", "settings")
    assert expected in str(caught.value) and "own.yaml" in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        (".".join("a" * 1000), "1", "a key looks like key.subkey"),
        (".".join("a" * (MOST_DEPTH + 1)), "1", "a key looks like key.subkey"),
        ("a..b", "1", "a key looks like key.subkey"),
        ("", "1", "a key looks like key.subkey"),
        ("seeds", "[1", "seeds: not YAML"),
        ("seeds", "\udcff", "seeds: not YAML"),
        ("list.0", "1", "'list' holds no keys"),
    ],
)
def test_an_override_that_means_nothing_is_one_line(key, value, expected):
    with pytest.raises(ConfigError) as caught:
        set_key({"list": [1]}, key, value, parse=True)
    assert expected in str(caught.value) and len(str(caught.value)) <= 500


@pytest.mark.parametrize("name", ["hex", "base64", "rot13", "zip", "utf8\0", "latin-99", "ü"])
def test_only_encodings_of_text_are_taken(name):
    with pytest.raises(ConfigError, match="is no text encoding; expected one as utf-8"):
        text_encoding(name, "data.encoding")
    assert text_encoding("cp1252", "data.encoding") == "cp1252"
