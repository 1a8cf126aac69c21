"""A folder that travels arrives as it was, or not at all."""

import io
import os
import tarfile

import pytest

from stratune.engine import parcel
from stratune.engine.parcel import packed, unpack
from stratune.errors import ArtifactError
from stratune.files import TEMPORARY


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(parcel, "PIECE", 1000)  # so that files are more than one
    made = tmp_path / "here"
    (made / "model" / "inner").mkdir(parents=True)
    (made / "empty.txt").touch()
    (made / "model" / "weights.bin").write_bytes(os.urandom(2500))
    (made / "model" / "inner" / "größe.json").write_text("{}")
    return made


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


def test_it_arrives_as_it_was_in_pieces_of_bounded_size(folder, tmp_path):
    pieces = list(packed(folder))
    assert len(pieces) > 3 and max(map(len, pieces)) == 1000
    unpack(pieces, tmp_path / "there")
    assert contents(tmp_path / "there") == contents(folder)
    assert {path.name for path in tmp_path.iterdir()} == {"here", "there"}


def test_links_arrive_as_what_they_point_at(folder, tmp_path):
    (folder / "hard").hardlink_to(folder / "model" / "weights.bin")
    (folder / "soft").symlink_to(folder / "model" / "weights.bin")
    unpack(packed(folder), tmp_path / "there")
    found = contents(tmp_path / "there")
    assert found["hard"] == found["soft"] == found["model/weights.bin"] != b""


def test_what_is_not_wanted_or_half_written_stays(folder, tmp_path):
    (folder / f".x.1-2-abc{TEMPORARY}").mkdir()
    (folder / f".x.1-2-abc{TEMPORARY}" / "part").touch()
    (folder / f".y.1-2-abc{TEMPORARY}.json").touch()
    unpack(packed(folder, lambda name: name != "model"), tmp_path / "there")
    assert set(contents(tmp_path / "there")) == {"empty.txt"}


def test_an_empty_folder_is_no_files(tmp_path):
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    unpack(packed(tmp_path / "here"), tmp_path / "there")
    assert not list((tmp_path / "there").iterdir())


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_piece_that_is_missing_is_an_error(folder, tmp_path, lost):
    pieces = list(packed(folder))
    del pieces[lost]
    with pytest.raises(ArtifactError, match="there: what arrived is not what was sent"):
        unpack(pieces[:3], tmp_path / "there")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("../outside", tarfile.REGTYPE),
        ("a/../../outside", tarfile.REGTYPE),
        ("/tmp/outside", tarfile.REGTYPE),
        ("link", tarfile.SYMTYPE),
        ("link", tarfile.LNKTYPE),
        ("device", tarfile.CHRTYPE),
    ],
)
def test_nothing_is_written_elsewhere(name, kind, tmp_path):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, "/etc/passwd"
        tar.addfile(info)
    with pytest.raises(ArtifactError, match="is no file of a folder"):
        unpack([stream.getvalue()], tmp_path / "there")
    assert not list(tmp_path.iterdir())
