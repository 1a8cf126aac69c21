"""Writing that cannot be caught half-done."""

import json
import math
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratune.files import (
    cache_folder,
    folder_bytes,
    read_json,
    replacing,
    replacing_folder,
    sha256,
    write_json,
)


def everything(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != "cache")


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    target = tmp_path / "deep" / "result.json"
    with replacing(target) as temporary:
        temporary.write_text("new")
        assert not target.exists()
    assert target.read_text() == "new" and everything(target.parent) == ["result.json"]


def test_an_error_keeps_the_old_file_and_leaves_no_other(tmp_path):
    target = tmp_path / "result.json"
    target.write_text("old")
    with pytest.raises(KeyboardInterrupt), replacing(target) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert target.read_text() == "old" and everything(tmp_path) == ["result.json"]


def test_readers_see_the_old_file_until_the_new_one_is_whole(tmp_path):
    target = tmp_path / "result.json"
    target.write_text("old")
    with replacing(target) as temporary:
        temporary.write_text("half")
        assert target.read_text() == "old"
        temporary.write_text("new")
    assert target.read_text() == "new"


def test_a_file_is_as_public_as_others_of_the_user(tmp_path):
    write_json(tmp_path / "ours.json", {})
    (tmp_path / "theirs.json").touch()
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("ours.json", "theirs.json")]
    assert modes[0] == modes[1]


def test_a_folder_takes_the_place_of_the_old_one_in_one_step(tmp_path):
    target = tmp_path / "model"
    target.mkdir()
    (target / "old.txt").write_text("old")
    with replacing_folder(target) as temporary:
        (temporary / "new.txt").write_text("new")
        assert everything(target) == ["old.txt"]
    assert everything(target) == ["new.txt"] and everything(tmp_path) == ["model"]


def test_an_error_keeps_the_old_folder(tmp_path):
    target = tmp_path / "model"
    target.mkdir()
    (target / "old.txt").write_text("old")
    with pytest.raises(ValueError, match="no"), replacing_folder(target) as temporary:
        (temporary / "new.txt").write_text("half")
        raise ValueError("no")
    assert everything(target) == ["old.txt"] and everything(tmp_path) == ["model"]


def test_of_two_that_fill_a_cache_the_first_stays(tmp_path):
    target = tmp_path / "entry"
    with replacing_folder(target, keep=True) as temporary:
        (temporary / "by.txt").write_text("second")
        with replacing_folder(target, keep=True) as other:
            (other / "by.txt").write_text("first")
    assert (target / "by.txt").read_text() == "first" and everything(tmp_path) == ["entry"]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_json_that_no_one_could_read_is_not_written(value, tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "x.json", {"value": value})
    assert everything(tmp_path) == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(json_values)
def test_json_comes_back(value):
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        try:
            write_json(Path(folder) / "x.json", value)
        except UnicodeEncodeError:  # half of a surrogate pair is no text
            assert any(0xD800 <= ord(c) < 0xE000 for c in json.dumps(value, ensure_ascii=False))
        else:
            assert read_json(Path(folder) / "x.json") == value


@given(st.lists(st.binary(max_size=8), max_size=5), st.lists(st.binary(max_size=8), max_size=5))
def test_different_parts_have_different_hashes(first, second):
    assert (sha256(*first) == sha256(*second)) == (first == second)


def test_text_hashes_as_its_bytes():
    assert sha256("é") == sha256("é".encode())


def test_folder_bytes_counts_files_at_any_depth(tmp_path):
    folder = tmp_path / "model"
    (folder / "deep").mkdir(parents=True)
    (folder / "a").write_bytes(b"12345")
    (folder / "deep" / "b").write_bytes(b"678")
    assert folder_bytes(folder) == 8


def test_the_cache_is_where_the_user_says(tmp_path, monkeypatch):
    monkeypatch.setenv("STRATUNE_CACHE", str(tmp_path / "here"))
    assert cache_folder() == tmp_path / "here" and cache_folder().is_dir()
    monkeypatch.delenv("STRATUNE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "stratune"


def test_a_full_disk_names_what_was_to_be_written(tmp_path):
    from stratune.files import replacing, replacing_folder

    for writing in (replacing, replacing_folder):
        with pytest.raises(OSError) as error, writing(tmp_path / "result.json"):
            raise OSError(28, "No space left on device")
        assert error.value.filename == str(tmp_path / "result.json")
        with pytest.raises(OSError) as error, writing(tmp_path / "result.json") as temporary:
            (temporary / "none" / "file").write_text("x")
        assert error.value.filename == str(tmp_path / "result.json")
    assert list(tmp_path.iterdir()) == []


def test_weights_on_a_full_disk_are_an_error_of_the_disk(tmp_path):
    import numpy as np
    from safetensors.numpy import save_file

    from stratune.files import replacing

    with pytest.raises(OSError) as error, replacing(tmp_path / "weights.safetensors"):
        save_file({"a": np.zeros(3)}, tmp_path / "none" / "weights.safetensors")
    assert error.value.filename == str(tmp_path / "weights.safetensors")
