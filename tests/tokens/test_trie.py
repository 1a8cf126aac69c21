"""The labels' words as a trie, by hand and by law."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from stratune.errors import ConfigError
from stratune.tokens.trie import build_trie


def spelt(trie, word):
    """(state, token) of each edge that a word takes, in the order of its tokens."""
    depth = [0, *trie.depth.tolist()]
    edges = [e for e in range(len(trie.token)) if trie.paths[word, e]]
    steps = [(int(trie.state[e]), int(trie.token[e])) for e in edges]
    return sorted(steps, key=lambda step: depth[step[0]])


def test_words_with_shared_beginnings_share_their_nodes():
    #  0 -5-> 1 -6-> (a)      1 is the node after 5,
    #         1 -7-> 2 -8-> (b)     2 the node after 5 7
    #  0 -9-> (b)                   2 -9-> (c)
    trie = build_trie([(5, 6), (5, 7, 8), (9,), (5, 7, 9)], [0, 1, 1, 2], ["a", "b", "bb", "c"])
    assert trie.fed.tolist() == [5, 7]
    assert trie.depth.tolist() == [1, 2]
    assert trie.sees.tolist() == [[True, False], [True, True]]
    assert list(zip(trie.state.tolist(), trie.token.tolist(), strict=True)) == [
        (0, 5), (1, 6), (1, 7), (2, 8), (0, 9), (2, 9),
    ]  # fmt: skip
    assert trie.paths.tolist() == [
        [1, 1, 0, 0, 0, 0],
        [1, 0, 1, 1, 0, 0],
        [0, 0, 0, 0, 1, 0],
        [1, 0, 1, 0, 0, 1],
    ]
    assert trie.owner.tolist() == [0, 1, 1, 2]


def test_branches_do_not_see_each_other():
    trie = build_trie([(3, 1), (4, 1)], [0, 1], ["a", "b"])
    assert trie.fed.tolist() == [3, 4] and trie.sees.tolist() == [[True, False], [False, True]]


def test_words_of_one_token_need_no_nodes():
    trie = build_trie([(7,), (3,)], [0, 1], ["a", "b"])
    assert trie.fed.shape == trie.depth.shape == (0,) and trie.sees.shape == (0, 0)
    assert trie.state.tolist() == [0, 0] and trie.token.tolist() == [7, 3]
    assert trie.paths.tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([(5,), (5, 6)], "words: 'a' is the beginning of 'b' in tokens; choose other words"),
        ([(5, 6, 7), (5, 6)], "words: 'b' is the beginning of 'a' in tokens; choose other words"),
        ([(5, 6), (5, 6)], "words: 'a' is 'b' in tokens; choose other words"),
    ],
)
def test_a_word_that_begins_another_is_refused(words, message):
    with pytest.raises(ConfigError) as said:
        build_trie(words, [0, 1], ["a", "b"])
    assert str(said.value) == message


@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=5).map(tuple), min_size=1, max_size=8))
def test_each_word_can_be_read_off_and_each_node_sees_the_way_to_it(words):
    assume(not any(i != j and b[: len(a)] == a for i, a in enumerate(words) for j, b in enumerate(words)))
    trie = build_trie(words, range(len(words)), list(map(str, words)))
    assert [tuple(token for _, token in spelt(trie, w)) for w in range(len(words))] == words
    ways = [[trie.fed[j] for j in row.nonzero()[0]] for row in trie.sees]  # a node's parents stand before it
    assert [len(way) for way in ways] == trie.depth.tolist()
    assert len({tuple(way) for way in ways}) == len(ways)  # nothing that is shared is computed twice
    for w in range(len(words)):
        for k, (state, _) in enumerate(spelt(trie, w)):
            assert tuple(ways[state - 1] if state else ()) == words[w][:k]
