"""What is kept in the cache folder is used only as it was written; anything else is made again."""

import pytest

from stratune import cache
from stratune.cache import LOCK, SEAL, is_whole, kept


@pytest.fixture
def entry(tmp_path):
    made = []

    def make(folder):
        made.append(folder)
        (folder / "numbers.bin").write_bytes(bytes(range(256)) * 100)
        (folder / "about.json").write_text('{"rows": 100}')

    folder = tmp_path / "store" / "entry"
    assert kept(folder, make) is False
    return folder, make, made


def test_an_entry_is_made_once(entry):
    folder, make, made = entry
    assert kept(folder, make) is True and len(made) == 1
    assert [path.name for path in folder.parent.iterdir()] == ["entry"]


def flip(folder):
    data = bytearray((folder / "numbers.bin").read_bytes())
    data[1000] ^= 1
    (folder / "numbers.bin").write_bytes(data)


DAMAGE = {
    "a flipped bit": flip,
    "a file cut short": lambda folder: (folder / "numbers.bin").write_bytes(b"\0" * 10),
    "a file gone": lambda folder: (folder / "numbers.bin").unlink(),
    "a file exchanged": lambda folder: (folder / "about.json").write_text('{"rows": 999}'),
    "a file more": lambda folder: (folder / "more.npy").write_text("x"),
    "no seal": lambda folder: (folder / SEAL).unlink(),
    "an empty seal": lambda folder: (folder / SEAL).write_text(""),
    "a seal of another kind": lambda folder: (folder / SEAL).write_text("[1, 2]"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_entry_is_made_again(entry, damage):
    folder, make, made = entry
    damage(folder)
    assert not is_whole(folder)
    assert kept(folder, make) is False and len(made) == 2
    assert is_whole(folder) and (folder / "about.json").read_text() == '{"rows": 100}'
    assert sorted(path.name for path in folder.parent.iterdir()) == [
        LOCK,
        "entry",
    ]  # nothing temporary is left


def test_what_another_process_made_meanwhile_stays(entry, monkeypatch):
    """The other one reads it by now: setting it aside failed a training of two processes."""
    folder, make, made = entry
    before = folder.stat().st_ino
    seen = []

    def look(path):  # the first look was before the other process was done
        seen.append(path)
        return is_whole(path) and len(seen) > 1

    monkeypatch.setattr(cache, "is_whole", look)
    assert kept(folder, make) is True
    assert len(made) == 1 and folder.stat().st_ino == before


def test_what_fails_leaves_nothing(tmp_path):
    def make(folder):
        (folder / "half").write_text("x")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        kept(tmp_path / "store" / "entry", make)
    assert list((tmp_path / "store").iterdir()) == []
