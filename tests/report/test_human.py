"""Numbers and names for people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratune.report import human


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (human.count(74_498), "74.5 k"),
        (human.count(999), "999"),
        (human.count(999_600), "1 M"),
        (human.count(22_713_984), "22.7 M"),
        (human.count(0), "0"),
        (human.size(310_000), "310 kB"),
        (human.size(1_200_000_000), "1.2 GB"),
        (human.seconds(0.42), "0.4 s"),
        (human.seconds(31.2), "31 s"),
        (human.seconds(127), "2.1 min"),
        (human.seconds(12_240), "3.4 h"),
        (human.rate(4.25), "4.2"),
        (human.rate(241.2), "241"),
        (human.score(0.8056), "0.806"),
        (human.interval({"value": 0.806, "low": 0.777, "high": 1.0}), "0.806 [.777, 1.000]"),
        (human.interval({"value": -0.02, "low": -0.1, "high": 0.1}), "-0.020 [-.100, .100]"),
        (human.short("a long\nname of something", 12), "a long name…"),
    ],
)
def test_numbers_as_a_person_reads_them(shown, expected):
    assert shown == expected


def test_what_was_not_measured_is_a_dash():
    shows = (human.count, human.size, human.seconds, human.rate, human.score, human.interval)
    assert {show(None) for show in shows} == {"-"}


def test_backbones_are_called_by_their_last_part_unless_two_share_it():
    assert human.backbones([None, "org/a", "b"]) == {None: "-", "org/a": "a", "b": "b"}
    assert human.backbones(["one/a", "two/a"]) == {"one/a": "one/a", "two/a": "two/a"}


def test_file_names_match_run_folders_for_plain_names():
    assert human.file_name("lora", "org/model") == "lora@org--model"
    assert human.file_name("tfidf", None) == "tfidf@none"


@given(st.text(min_size=1), st.text(min_size=1))
def test_file_names_are_safe_and_never_meet(one, other):
    name = human.file_name(one, None)
    assert "/" not in name and name not in (".", "..") and len(name.encode()) < 200
    assert "\0" not in name and "\n" not in name
    same = one.strip("/").replace("/", "--") == other.strip("/").replace("/", "--")
    assert same or human.file_name(other, None) != name


@pytest.mark.parametrize(
    "value, shown",
    [(0.8064, "0.806"), (0.0042, "0.004"), (0.0, "0.000"), (1e-16, "0.000"), (-0.5, "-0.500")]
    + [(0.00072, "0.00072"), (12.3456, "12.346"), (123.456, "123.5"), (12345.6, "12,346")],
)
def test_errors_in_units_of_any_size_have_digits_that_say_something(value, shown):
    assert human.score(value) == shown


def test_an_interval_has_the_digits_of_its_largest_number():
    assert human.interval({"value": 99.0, "low": 8.1, "high": 1012.4}) == "99 [8, 1,012]"
    assert human.interval({"value": 0.0, "low": -0.1, "high": 0.25}) == "0.000 [-.100, .250]"
