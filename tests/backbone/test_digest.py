"""Other weights at the same path are other numbers."""

import shutil

import pytest

from stratune.backbone.digest import weights_digest


@pytest.fixture
def folder(tiny, tmp_path):
    return shutil.copytree(tiny("bert"), tmp_path / "model")


def flip(path):
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_another_file_at_the_same_path_has_another_digest(folder, name):
    before = weights_digest(str(folder))
    assert before == weights_digest(str(folder))
    flip(folder / name)
    assert weights_digest(str(folder)) != before


def test_what_is_not_read_does_not_count(folder, tmp_path):
    before = weights_digest(str(folder))
    (folder / "notes.md").write_text("mine")
    copied = shutil.copytree(folder, tmp_path / "elsewhere")
    assert weights_digest(str(folder)) == weights_digest(str(copied)) == before


def test_a_gguf_file_counts_by_its_bytes(tmp_path):
    (tmp_path / "a.gguf").write_bytes(b"GGUF one")
    before = weights_digest(str(tmp_path / "a.gguf"))
    flip(tmp_path / "a.gguf")
    assert before is not None and weights_digest(str(tmp_path / "a.gguf")) != before


def test_what_is_not_there_has_none():
    assert weights_digest("./nothing/there") is None
