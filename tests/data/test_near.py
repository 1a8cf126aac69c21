"""Nearly equal texts: found among thousands, kept on one side, told and dropped where files hold them apart."""

import random
import time

import numpy as np
import pytest
from datasets import Dataset

from stratune.data import near
from stratune.data.check import check
from stratune.data.leaks import without_leaks
from stratune.data.load import load_split
from stratune.data.near import near_texts, plain, similarity
from stratune.task import Task

WORDS = [f"{a}{b}" for a in ("ba", "ko", "ri", "tu", "me", "sha", "lo", "ni") for b in
         ("rin", "dal", "sok", "vem", "pat", "lur", "gis", "ton", "fer", "mak", "zul", "ped")]  # fmt: skip


def sentence(random_, words=18):
    return " ".join(random_.choice(WORDS) for _ in range(words))


def edited(text, random_):
    """As people and scrapers change a text: a word, a typo, a word more or less, case, an ending."""
    words = text.split()
    at = random_.randrange(len(words))
    kind = random_.randrange(6)
    if kind == 0:
        words[at] = random_.choice(WORDS)
    elif kind == 1:
        words[at] = words[at][1:] + "x"
    elif kind == 2:
        del words[at]
    elif kind == 3:
        words.insert(at, "indeed")
    elif kind == 4:
        return text.upper() + "!!"
    else:
        words[0], words[1] = words[1], words[0]
    return " ".join(words)


def table(texts, labels=None, prefix=""):
    labels = labels or ["a" if i % 2 else "b" for i in range(len(texts))]
    return {"id": [f"{prefix}{i}" for i in range(len(texts))], "text": list(texts), "label": labels}


def test_long_texts_are_cut_into_pieces_once(monkeypatch):
    """Speeches of one court share half of their pieces: each was cut again for each of a hundred others."""
    random_ = random.Random(1)
    texts = [" ".join(random_.choice(WORDS[:40]) for _ in range(1500)) for _ in range(60)]
    cut, whole = [], near._pieces
    monkeypatch.setattr(near, "_pieces", lambda text: cut.append(text) or whole(text))
    near_texts(texts)
    assert len(cut) == len(set(cut)) > 30


def test_the_share_is_that_of_sets_of_pieces():
    random_ = random.Random(2)
    for _ in range(30):
        one = sentence(random_)
        other = edited(one, random_) if random_.random() < 0.7 else sentence(random_)
        ours, theirs = ({f" {text} "[at : at + 4] for at in range(len(text) - 1)} for text in (one, other))
        assert similarity(one, other) == pytest.approx(len(ours & theirs) / len(ours | theirs))


def test_of_fifty_near_copies_among_two_thousand_rows_nearly_all_are_found():
    random_ = random.Random(0)
    texts = [sentence(random_) for _ in range(2000)]
    test = [edited(text, random_) for text in texts[:50]] + [sentence(random_) for _ in range(450)]
    train, held = Dataset.from_dict(table(texts)), Dataset.from_dict(table(test, prefix="t"))
    _, notes = without_leaks({"train": train, "val": held.select([]), "test": held})
    found = near_texts([*texts, *test])
    copies = {(i, 2000 + i) for i in range(50)}
    links = {(int(a), int(b)) for a, b in found.links if found.numbers[a] == a and found.numbers[b] == b}
    links |= {(i, 2000 + i) for i in range(50) if found.numbers[i] == found.numbers[2000 + i]}
    assert len(copies & links) >= 45 and len(links - copies) <= 2
    (note,) = notes
    assert note.startswith(f"{len(copies & links)} rows of train that stand in val or test were dropped")


def test_near_copies_stay_on_one_side_of_the_split():
    random_ = random.Random(1)
    texts = [sentence(random_) for _ in range(200)]
    rows = [*texts, *(edited(text, random_) for text in texts[:8])]
    apart, together = (
        load_split(Dataset.from_dict(table(rows)), Task(), seed=0, near=near)
        for near in ("apart", "together")
    )
    assert [issue.code for issue in check(together).issues if "near_leak" in issue.code] == []
    assert [issue.code for issue in check(apart).issues if issue.code == "near_leak"]
    assert sum(together.sizes.values()) == 208


def test_forms_that_were_filled_in_are_no_copies():
    names = [f"{a}{b}" for a in WORDS[:10] for b in WORDS[10:30]]
    texts = [
        f"Dear team, the order that I made last week has not arrived, please help. {name}" for name in names
    ]
    clusters, template = near_texts(texts).clusters()
    assert len(set(clusters.tolist())) == len(texts) and template == len(texts)
    split = load_split(Dataset.from_dict(table(texts)), Task(), seed=0)
    assert split.sizes["test"] == 30
    assert any(note.startswith("200 rows are nearly alike, as forms") for note in split.notes)


@pytest.mark.parametrize(
    "one, other, near",
    [
        ("The delivery was late, and nobody told us why.", "the delivery was late and nobody told us why", True),
        ("A man is outside.", "A woman is outside.", False),
        ("yes", "no", False),
        ("🙂🙃😉", "🙂🙃😉", True),
        ("", "a", False),
        ("我昨天在这家商店买了一台新电脑,今天就坏了,非常失望。", "我昨天在这家商店买了一台新电脑,今天就坏了,很失望。", True),
    ],
)  # fmt: skip
def test_what_is_near(one, other, near):
    found = near_texts([one, "something else entirely, of no interest here", other])
    assert (bool(len(found.links)) or found.numbers[0] == found.numbers[2]) == near


def test_of_a_pair_both_texts_have_to_be_near():
    premise = "Two men in blue shirts are standing beside an old bicycle in a narrow street."
    claims = [
        "They are outdoors and one of them is laughing at a joke.",
        "Nobody is there, the street is empty.",
    ]
    apart = near_texts([premise, premise], claims)
    assert not len(apart.links)
    near = near_texts([premise, premise.replace("blue", "black")], [claims[0], claims[0].upper() + " Ha"])
    assert near.links.tolist() == [[0, 1]]


def test_similarity_is_jaccard_of_four_characters():
    assert similarity("abcd", "abcd") == 1.0
    assert similarity("abcd", "abce") == pytest.approx(
        1 / 5
    )  # " abc" of " abc", "abcd", "bcd ", "abce", "bce "
    assert plain("  It’s   FINE!! ") == "it s fine"


def test_leaks_are_dropped_from_train_and_val_and_never_from_test(tmp_path):
    random_ = random.Random(2)
    texts = [sentence(random_) for _ in range(90)]
    groups = [f"g{i}" for i in range(90)]
    parts = {
        "train": [*texts[:60], texts[80], edited(texts[81], random_), sentence(random_)],
        "val": [*texts[60:75], texts[82]],
        "test": texts[75:90],
    }
    own = {"train": [*groups[:60], "x", "y", groups[85]], "val": [*groups[60:75], "z"], "test": groups[75:90]}
    for part, rows in parts.items():
        Dataset.from_dict({**table(rows, prefix=part), "who": own[part]}).to_csv(tmp_path / f"{part}.csv")
    files = {part: str(tmp_path / f"{part}.csv") for part in parts}
    split = load_split(
        files["train"], Task(group="who"), seed=0, val=files["val"], test=files["test"], drop_leaks=True
    )
    assert split.sizes == {"train": 60, "val": 15, "test": 15}
    dropped = "3 rows of train that stand in val or test were dropped: 1 for their text, 1 for nearly their text, 1 for their group"
    assert dropped in split.notes
    assert "1 row of val that stand in test were dropped: 1 for their text" in split.notes


def test_folds_lose_what_stands_in_test(tmp_path):
    random_ = random.Random(3)
    texts = [sentence(random_) for _ in range(60)]
    Dataset.from_dict(table([*texts, edited(texts[0], random_)])).to_csv(tmp_path / "train.csv")
    Dataset.from_dict(table([texts[0], *(sentence(random_) for _ in range(30))])).to_csv(
        tmp_path / "test.csv"
    )
    how = {"test": str(tmp_path / "test.csv"), "validation": "folds", "drop_leaks": True}
    split = load_split(str(tmp_path / "train.csv"), Task(), seed=0, **how)
    assert split.cross_validated and len(split.folds) == len(split.train) == len(split.val) == 59


def test_time_grows_with_the_rows_and_not_with_their_pairs():
    def seconds(rows):
        random_ = random.Random(4)
        texts = [" ".join("".join(random_.choices("abcdefgh", k=6)) for _ in range(12)) for _ in range(rows)]
        started = time.process_time()
        near_texts(texts)
        return time.process_time() - started

    seconds(500)
    few, many = seconds(2_000), seconds(16_000)
    assert many < 24 * few  # eight times as many rows; all pairs would be 64 times as many


def test_the_same_rows_have_the_same_clusters_in_any_order():
    random_ = random.Random(5)
    texts = [sentence(random_) for _ in range(50)]
    rows = [*texts, *(edited(text, random_) for text in texts)]
    order = np.random.default_rng(0).permutation(len(rows))

    def together(names, clusters):
        found = {}
        for name, cluster in zip(names, clusters.tolist(), strict=True):
            found.setdefault(cluster, set()).add(name)
        return {frozenset(one) for one in found.values()}

    plainly = together(range(len(rows)), near_texts(rows).clusters()[0])
    shuffled = together(order.tolist(), near_texts([rows[i] for i in order]).clusters()[0])
    assert plainly == shuffled and len(plainly) < 60
