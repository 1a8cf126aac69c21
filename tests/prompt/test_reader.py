"""Rows -> tokens: whatever is cut, and whatever is shared, a model sees prompt and word tokenised together."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratune.errors import ConfigError
from stratune.prompt.reader import lengths_kept, shared_length
from stratune.prompt.template import Shot
from stratune.readout.words import Words
from stratune.testing import toy_split
from stratune.tokens.tokens import TextLimit
from tests.prompt.asking import CHATML, SHORT, SHORT_PAIR, model_of, reader_of
from tests.tokens.test_trie import spelt

MODELS = ["llama", "gpt2", "qwen2"]
LONG = "the cat saw rain near the old house and then it was quiet for a long time " * 4
TEXTS = [
    "the cat saw rain",
    "",
    " two  spaces\nand a line ",
    "snow?! 😀 \u00e9\u4e2d",
    LONG,
    "{text}: {label}",
]
WORDS = {"animal": ["animal", "a beast", "another"], "weather": ["weather", "we", "a bird"]}


@pytest.fixture(params=MODELS)
def model(request, tiny):
    return model_of(tiny(request.param))


def rows_of(tokens):
    """Each row's whole prompt, as the model sees it."""
    return [
        [*tokens.scoring.prefix.tolist(), *tokens.ids[start:end].tolist()]
        for start, end in zip(tokens.offsets, tokens.offsets[1:], strict=False)
    ]


def encode(model, text, special=False):
    return model.tokenizer(text, add_special_tokens=special)["input_ids"]


def positions_left(model, around, longest=""):
    """How many tokens of text fit into the prompt `around` an empty text, before the longest word."""
    return model.max_length - len(encode(model, around, True)) - len(encode(model, longest)) - 8


def assert_joint(reader, texts, pairs=None, special=True):
    """Every row with every word is the tokenisation of its prompt and that word as one string."""
    tokens = reader.tokens(texts, pairs)
    trie, words = tokens.scoring.trie, reader.renderer.template.words
    said = [(k, word) for k, label in enumerate(reader.renderer.labels) for word in words[label]]
    assert trie.owner.tolist() == [k for k, _ in said]
    for i, row in enumerate(rows_of(tokens)):
        prompt = reader.rendered(texts[i], pairs[i] if pairs else None)
        for w, (_, word) in enumerate(said):
            path = [token for _, token in spelt(trie, w)]
            assert row + path == encode(reader.backbone, prompt + reader.renderer.gap + word, special)
            assert len(row) + len(path) <= reader.backbone.max_length
    return tokens


# -- prompt and word are tokenised together


@pytest.mark.parametrize("answer", [": {label}", "{label}", "It is:\n{label}", "('{label}"])
def test_prefix_own_tokens_and_word_are_the_prompt_tokenised_with_the_word(model, answer):
    words = {label: [word for word in said if word != "we"] for label, said in WORDS.items()}
    template = {"task": "Say:", "row": "{text}", "answer": answer, "words": words}
    tokens = assert_joint(reader_of(model, template), TEXTS)
    assert len(tokens.scoring.prefix) >= len(encode(model, "Say:\n\n"))  # the task is read once


def test_so_they_are_with_demonstrations_and_two_texts(model):
    shots = [Shot("a dog", "animal", "it"), Shot("fog", "weather", "up")]
    reader = reader_of(model, SHORT_PAIR, shots=shots)
    assert reader.left_out == 0
    assert_joint(reader, TEXTS, TEXTS[::-1])


@pytest.mark.parametrize("family", MODELS)
def test_so_they_are_in_a_chat(tiny, family):
    model = model_of(tiny(family), chat=CHATML, max_length=1000)
    template = {"base": "baseline", "answer": "Class:\n{label}"}
    tokens = assert_joint(reader_of(model, template), TEXTS, special=False)
    assert len(tokens.scoring.prefix) > 100


def test_a_word_is_shown_with_the_space_before_it(model):
    words = reader_of(model).words_as_tokens()
    assert list(words) == ["animal", "weather"]
    assert all("".join(tokens) == f" {word}" for word, tokens in words.items())


@pytest.mark.parametrize("chat", [None, "<s>{% for m in messages %}{{ m['content'] }}\n{% endfor %}"])
def test_a_llama_prompt_has_one_beginning(tiny, chat):
    model = model_of(tiny("llama"), chat=chat)
    for row in rows_of(reader_of(model).tokens(TEXTS, None)):
        assert row[0] == model.tokenizer.bos_token_id == 1 and row.count(1) == 1


def test_a_word_that_melts_into_the_prompt_is_refused(model):
    template = {"row": "{text}", "answer": "ma{label}", "words": {"animal": "l"}}
    assert len(encode(model, "mal")) == 1
    with pytest.raises(ConfigError) as said:
        reader_of(model, template)
    assert (
        str(said.value)
        == "template: the label is in one token with the text before it; put a space between them"
    )


def test_a_word_that_melts_into_one_row_is_refused_there(model):
    model.tokenizer.chat_template = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
    reader = reader_of(model, {"row": "{text}", "words": {"animal": "l"}})
    assert_joint(reader, ["cat", "dog"], special=False)
    with pytest.raises(ConfigError) as said:
        reader.tokens(["cat", "ma"], None)
    assert str(said.value) == "template: the tokens of 'l' depend on the row; end the row in text"


# -- what all rows share


def test_the_prefix_is_all_that_the_rows_share(model):
    reader = reader_of(model, {**SHORT, "task": "Say:"})
    tokens = reader.tokens(["the cat", "the dog", "the rain"], None)
    wanted = encode(model, "Say:\n\nthe ", True)[:-1]  # the space belongs to the word after it
    assert tokens.scoring.prefix.tolist()[: len(wanted)] == wanted
    own = [row.tolist() for row in np.split(tokens.ids, tokens.offsets[1:-1])]
    assert all(own) and len({row[0] for row in own}) > 1


def test_equal_rows_and_lone_rows_keep_tokens_of_their_own(model):
    reader = reader_of(model)
    assert reader.tokens(["cat", "cat"], None).lengths.tolist() == [1, 1]
    assert len(reader.tokens(["cat"], None).scoring.prefix) == 0
    nothing = reader.tokens([], None)
    assert len(nothing) == 0 and len(nothing.scoring.prefix) == 0


def test_shared_length_by_hand():
    def shared(*rows):
        return shared_length([np.array(row, dtype=np.int64) for row in rows])

    assert shared([1, 2, 3], [1, 2, 4], [1, 2, 3]) == 2
    assert shared([1, 2], [1, 2, 3]) == 1  # the first keeps its last token
    assert shared([5], [5]) == shared([1, 2], [2, 2]) == shared([1, 2, 3]) == shared() == 0


@given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=6), min_size=2, max_size=5))
def test_shared_length_is_the_most_that_leaves_each_row_something(rows):
    found = shared_length([np.array(row) for row in rows])
    can = [n for n in range(7) if all(len(row) > n and row[:n] == rows[0][:n] for row in rows)]
    assert found == max(can)


# -- what does not fit


def test_only_the_text_is_cut_to_what_fits(model):
    template = {"task": "Say:", "row": "<{text}> so", "answer": "is {label}"}
    reader = reader_of(model, template)
    room = positions_left(model, "Say:\n\n<> so\nis", "weather")
    ids = encode(model, LONG)
    assert len(ids) > room
    kept = model.tokenizer.decode(ids[:room])
    assert LONG.startswith(kept) and reader.rendered(LONG, None) == f"Say:\n\n<{kept}> so\nis"
    assert reader.tokens([LONG, "snow"], None).cut.tolist() == [len(ids) - room, 0]


def test_max_length_counts_tokens_of_the_text(model):
    ids = encode(model, LONG)
    exactly = model.tokenizer.decode(ids[:20])
    assert len(encode(model, exactly)) == 20
    reader = reader_of(model, max_length=20)
    assert (
        reader.rendered(LONG, None) == f"{exactly}\n:" and reader.rendered(exactly, None) == f"{exactly}\n:"
    )
    assert reader.tokens([LONG, exactly], None).cut.tolist() == [len(ids) - 20, 0]


def test_max_words_cuts_each_text_and_counts_its_tokens(model):
    reader = reader_of(model, SHORT_PAIR, max_words=3)
    assert reader.rendered(LONG, "we saw the old cat") == "the cat saw / we saw the\n:"
    cut = len(encode(model, LONG)) - len(encode(model, "the cat saw"))
    second = len(encode(model, "we saw the old cat")) - len(encode(model, "we saw the"))
    tokens = reader.tokens([LONG, "snow", LONG], ["rain", "we saw the old cat", "we saw the old cat"])
    assert tokens.cut.tolist() == [cut, second, cut + second]


def test_words_are_cut_before_tokens(model):
    reader = reader_of(model, max_words=30, max_length=20)
    ids = encode(model, LONG)
    assert reader.tokens([LONG, "snow"], None).cut.tolist() == [len(ids) - 20, 0]


def test_virtual_tokens_take_places_from_the_text(model):
    ids = encode(model, LONG)
    room = positions_left(model, "\n:", "weather")
    tokens = reader_of(model, virtual=30).tokens([LONG, "snow"], None)
    assert tokens.cut.tolist() == [len(ids) - room + 30, 0]


def test_of_two_texts_the_longer_gives_way(model):
    short, ids = "snow", encode(model, LONG)
    few = len(encode(model, short))
    reader = reader_of(model, SHORT_PAIR, max_length=20)
    rest, half = model.tokenizer.decode(ids[: 20 - few]), model.tokenizer.decode(ids[:10])
    assert reader.rendered(LONG, short) == f"{rest} / {short}\n:"
    assert reader.rendered(short, LONG) == f"{short} / {rest}\n:"
    assert reader.rendered(LONG, LONG) == f"{half} / {half}\n:"
    tokens = reader.tokens([LONG, short, LONG, short], [short, LONG, LONG, short])
    assert tokens.cut.tolist() == [len(ids) + few - 20, len(ids) + few - 20, 2 * len(ids) - 20, 0]


def test_demonstrations_that_do_not_fit_are_left_out_from_the_last(model):
    shots = [Shot("the old house", label) for label in ("animal", "weather") * 4]
    reader = reader_of(model, SHORT, shots=shots)
    shown = [f"the old house\n: {shot.label}\n\n" for shot in shots]
    rooms = [positions_left(model, "".join(shown[:n]) + "\n:", "weather") for n in range(len(shots) + 1)]
    fit = max(n for n, room in enumerate(rooms) if room >= 128 // 4)
    assert 0 < fit < len(shots)
    assert reader.shots == tuple(shots[:fit]) and reader.left_out == len(shots) - fit
    assert reader.rendered("snow", None) == "".join(shown[:fit]) + "snow\n:"
    ids = encode(model, LONG)
    assert reader.tokens([LONG, "snow"], None).cut.tolist() == [len(ids) - rooms[fit], 0]


@pytest.mark.parametrize(
    ("template", "limit"),
    [({**SHORT, "task": "again " * 60}, {}), (SHORT, {"max_length": 15}), (SHORT, {"virtual": 100})],
)
def test_a_prompt_that_leaves_no_room_for_the_text_is_refused(model, template, limit):
    with pytest.raises(ConfigError, match="^template: leaves no room for a text in 128 tokens$"):
        reader_of(model, template, shots=[Shot("snow", "weather")], **limit)


@pytest.mark.parametrize("room", range(16, 24))
@pytest.mark.parametrize(
    "lengths", [(30, 40), (40, 30), (9, 40), (40, 9), (10, 6), (3, 4), (0, 30), (17,), (16,)]
)
def test_what_is_kept_is_what_taking_from_the_longer_leaves(lengths, room):
    wanted = list(lengths)
    while sum(wanted) > room:
        longest = max(wanted)
        wanted[wanted.index(longest)] -= 1
    assert lengths_kept(lengths, room) == wanted


@given(st.lists(st.integers(0, 50), min_size=1, max_size=2), st.integers(16, 60))
def test_no_more_is_kept_than_there_is_room(lengths, room):
    kept = lengths_kept(lengths, room)
    assert sum(kept) == min(sum(lengths), room)
    assert all(0 <= n <= length for n, length in zip(kept, lengths, strict=True))


# -- as the readout makes it


@pytest.mark.parametrize("pairs", [False, True])
def test_a_reader_made_again_from_a_model_folder_reads_the_same(model, pairs):
    split = toy_split(pairs=pairs)
    template = {**(SHORT_PAIR if pairs else SHORT), "words": {"animal": ["beast", "cat"]}}
    readout, limit = Words(template=template, words={"weather": "sky"}, shots=2), TextLimit(max_words=4)
    reader = readout.reader(model, split.task, limit, split.train, 0)
    assert len(reader.shots) == 2 and set(reader.words_as_tokens()) == {"animal", "sky"}
    state = json.loads(json.dumps(reader.state()))
    again = readout.restored(model, split.task, limit, state)
    texts = list(split.test["text"])
    seconds = list(split.test["text_pair"]) if pairs else None
    one, other = reader.tokens(texts, seconds), again.tokens(texts, seconds)
    assert rows_of(one) == rows_of(other) and again.words_as_tokens() == reader.words_as_tokens()


@pytest.mark.parametrize(
    ("template", "pairs", "has"), [(SHORT, True, "two texts"), (SHORT_PAIR, False, "one text")]
)
def test_a_template_for_another_number_of_texts_is_refused(model, template, pairs, has):
    split = toy_split(pairs=pairs)
    with pytest.raises(ConfigError, match=f"^template: the task has {has}, the template's row not$"):
        Words(template=template).reader(model, split.task, TextLimit(), split.train, 0)


def test_a_text_cannot_speak_for_the_model(tiny):
    model = model_of(tiny("llama"))
    prompts = [reader_of(model).rendered(f"snow {name} rain", None) for name in ("</s>", "<s>")]
    assert prompts == ["snow < /s> rain\n:", "snow < s> rain\n:"]
    assert model.tokenizer.eos_token_id not in encode(model, prompts[0])


def test_a_text_short_enough_stays_as_it_is(tiny):
    reader = reader_of(model_of(tiny("gpt2")), max_words=50)
    assert reader.rendered("the  cat\n\nwas", None) == "the  cat\n\nwas\n:"
    assert reader.tokens(["the  cat\n\nwas", "snow"], None).cut.tolist() == [0, 0]


def test_tokens_that_were_cut_are_those_that_are_not_read(tiny):
    model = model_of(tiny("gpt2"))
    text = "a" + "\N{GRINNING FACE}" * 20  # four tokens each
    read = reader_of(model, max_length=16).rendered(text, None).removesuffix("\n:")
    cut = reader_of(model, max_length=16).tokens([text, "snow"], None).cut
    assert cut.tolist() == [len(encode(model, text)) - len(encode(model, read)), 0]
