"""Synthetic comparison folders, made once and copied: tests may damage theirs."""

import shutil

import pytest

from tests.report.synthetic import ODD_LABELS, make


@pytest.fixture(scope="session")
def two_class_master(tmp_path_factory):
    return make(tmp_path_factory.mktemp("two") / "out")


@pytest.fixture(scope="session")
def odd_master(tmp_path_factory):
    return make(tmp_path_factory.mktemp("odd") / "out <b> & é", labels=ODD_LABELS, groups=True)


@pytest.fixture
def two_class(two_class_master, tmp_path):
    return shutil.copytree(two_class_master, tmp_path / "out")


@pytest.fixture
def odd(odd_master, tmp_path):
    return shutil.copytree(odd_master, tmp_path / "out <b> & é")
