"""The pictures of all that is not a head on an encoder: baselines, combinations, and prompting."""

from __future__ import annotations

from drawing import svg

TALL = 40  # height of a box here
COMBINED = {"finished runs": "frozen", "made of them": "trainable"}


def _cell(x: float, y: float, width: float, kind: str, *lines: str) -> list[str]:
    """A box with one or two lines of words; `y` is its middle."""
    drawn = [svg.box(x, y - TALL / 2, width, TALL, kind)]
    first = y - 7 * (len(lines) - 1)
    return drawn + [
        svg.text(x + width / 2, first + 14 * i, words, f"on-{kind}") for i, words in enumerate(lines)
    ]


def _right(x: float, y: float, to: float) -> str:
    return svg.arrow(x + 3, y, to - 3, y)


def baselines() -> str:
    parts = svg.legend("baselines", {"fitted": "trainable"})
    y = 80.0
    parts.append(svg.text(16, y - 34, "majority", "loose left"))
    parts += _cell(16, y, 110, "plain", "labels of the", "training rows") + [_right(126, y, 158)]
    parts += _cell(158, y, 130, "trainable", "share of", "each label") + [_right(288, y, 474)]
    parts += _cell(474, y, 150, "plain", "the same answer", "for every text")
    y = 170.0
    parts.append(svg.text(16, y - 46, "tfidf", "loose left"))
    parts += _cell(16, y, 110, "plain", "text") + [svg.line((129, y), (142, y))]
    for dy, words in ((-26, "words, pairs of words"), (26, "2-5 characters")):
        parts += [svg.line((142, y), (142, y + dy)), _right(139, y + dy, 158)]
        parts += _cell(158, y + dy, 130, "trainable", words)
        parts += [svg.line((291, y + dy), (306, y + dy)), svg.line((306, y + dy), (306, y))]
    parts.append(_right(303, y, 326))
    parts += _cell(326, y, 116, "trainable", "linear", "(logistic)") + [_right(442, y, 474)]
    parts += _cell(474, y, 150, "plain", "probabilities")
    return svg.document(
        "Baselines: majority counts labels; tfidf weighs words with a linear model", 232, parts
    )


def features() -> str:
    """Two ways from a text to the one linear layer: through the backbone, and through counts of words."""
    parts = svg.legend("features", {"frozen": "frozen", "computed": "trainable"})
    y = 110.0
    parts += _cell(16, y, 84, "plain", "text") + [svg.line((103, y), (118, y))]
    parts.append(svg.line((118, y - 36), (118, y + 36)))
    rows = ((-36, "frozen", "backbone", "vector"), (36, "trainable", "TF-IDF, its first", "128 numbers"))
    for dy, kind, first, second in rows:
        words = (first,) if kind == "frozen" else (first, "singular vectors")
        parts += [_right(115, y + dy, 138), *_cell(138, y + dy, 130, kind, *words)]
        parts += [_right(268, y + dy, 292), *_cell(292, y + dy, 90, "plain", second)]
        parts += [svg.line((385, y + dy), (400, y + dy)), svg.line((400, y + dy), (400, y))]
    parts.append(_right(397, y, 420))
    parts += _cell(420, y, 90, "trainable", "linear") + [_right(510, y, 536)]
    parts += _cell(536, y, 88, "plain", "answer")
    return svg.document("Features: a vector and TF-IDF features of a text under one linear layer", 190, parts)


def nearest() -> str:
    """centroid, knn and label_names: the same vectors, each compared with others by cosine."""
    parts = svg.legend("nearest", {"frozen": "frozen", "computed": "trainable"})
    rows = (
        ("centroid", "training rows", "mean of", "each label"),
        ("knn", "training rows", "each row", "and its label"),
        ("label_names", "names of labels", "vector of", "each name"),
    )
    for i, (name, source, first, second) in enumerate(rows):
        y = 80.0 + 90 * i
        parts.append(svg.text(16, y - 34, name, "loose left"))
        parts += _cell(16, y, 110, "plain", source) + [_right(126, y, 158)]
        parts += _cell(158, y, 110, "frozen", "backbone") + [_right(268, y, 300)]
        parts += _cell(300, y, 120, "trainable", first, second) + [_right(420, y, 452)]
        parts += _cell(452, y, 172, "plain", "cosine with the", "vector of a new text")
    return svg.document("Nearest: a new text is compared with vectors by cosine", 322, parts)


def ensemble() -> str:
    title = "Ensemble: several models, the mean of their probabilities"
    return _combined("ensemble", title, ("", "", ""), "mean of the")


def stack() -> str:
    title = "Stack: several models, the mean of their probabilities by weights from validation"
    return _combined("stack", title, ("x 0.6", "x 0.3", "x 0.1"), "weighted mean of")


def cascade() -> str:
    """The cheap model answers all rows; those of which it is not sure go on to the dear one."""
    parts = svg.legend("cascade", COMBINED)
    y, below = 80.0, 150.0
    parts += [
        *_cell(16, y, 70, "plain", "text"),
        _right(86, y, 112),
        *_cell(112, y, 104, "frozen", "cheap model"),
    ]
    parts += [_right(216, y, 246), *_cell(246, y, 130, "trainable", "as sure as the", "threshold?")]
    parts += [_right(376, y, 450), svg.text(414, y - 10, "yes", "loose")]
    parts += [*_cell(450, y, 84, "plain", "answer"), svg.line((311, y + 17), (311, below))]
    parts += [svg.text(330, y + 44, "no", "loose"), _right(311, below, 346)]
    parts += [*_cell(346, below, 104, "frozen", "dear model"), _right(450, below, 484)]
    parts += _cell(484, below, 84, "plain", "answer")
    return svg.document(
        "Cascade: a cheap model answers where it is sure, a dear one where it is not", 190, parts
    )


def distil() -> str:
    """Teachers answer texts without labels; a student learns from these and from the labelled rows."""
    parts = svg.legend("distil", COMBINED)
    middle = 120.0
    parts += _cell(16, middle - 27, 96, "plain", "texts without", "labels")
    parts += _cell(16, middle + 54, 96, "plain", "labelled", "rows")
    for dy, words in ((-54, "run 1"), (0, "run 2")):
        y = middle + dy
        parts += [svg.line((112, middle - 27), (126, middle - 27)), svg.line((126, middle - 27), (126, y))]
        parts += [_right(126, y, 150), *_cell(150, y, 90, "frozen", words), svg.line((243, y), (258, y))]
        parts.append(svg.line((258, y), (258, middle - 27)))
    parts += [
        _right(255, middle - 27, 280),
        *_cell(280, middle - 27, 96, "plain", "mean of the", "probabilities"),
    ]
    parts += [
        svg.line((379, middle - 27), (394, middle - 27)),
        svg.line((394, middle - 27), (394, middle + 14)),
    ]
    parts += [
        svg.line((115, middle + 54), (394, middle + 54)),
        svg.line((394, middle + 54), (394, middle + 14)),
    ]
    parts += [_right(391, middle + 14, 416), *_cell(416, middle + 14, 96, "trainable", "student")]
    parts += [_right(512, middle + 14, 540), *_cell(540, middle + 14, 84, "plain", "answer")]
    return svg.document(
        "Distil: a student learns what finished runs answer to texts without labels", 210, parts
    )


def _combined(name: str, title: str, weights: tuple[str, str, str], mean: str) -> str:
    parts = svg.legend(name, COMBINED)
    middle = 120.0
    parts += _cell(16, middle, 70, "plain", "text")
    parts += [svg.line((89, middle), (106, middle)), svg.line((106, middle - 54), (106, middle + 54))]
    models = ((-54, "model 1"), (0, "model 2"), (54, "model 3"))
    for (dy, words), weight in zip(models, weights, strict=True):
        y = middle + dy
        parts += [_right(103, y, 124), *_cell(124, y, 110, "frozen", words), _right(234, y, 262)]
        parts += _cell(262, y, 96, "plain", "probabilities")
        parts.append(svg.line((361, y), (380, y)))
        if weight:
            parts.append(svg.text(310, y - 26, weight, "loose"))
    parts += [svg.line((380, middle - 54), (380, middle + 54)), _right(377, middle, 402)]
    parts += _cell(402, middle, 110, "trainable", mean, "probabilities")
    parts += [_right(512, middle, 540), *_cell(540, middle, 84, "plain", "answer")]
    return svg.document(title, 210, parts)


def soup() -> str:
    parts = svg.legend("soup", COMBINED)
    middle = 120.0
    for dy, words in ((-54, "seed 0"), (0, "seed 1"), (54, "seed 2")):
        y = middle + dy
        parts += [*_cell(16, y, 150, "frozen", f"trained tensors, {words}"), svg.line((169, y), (186, y))]
    parts += [svg.line((186, middle - 54), (186, middle + 54)), _right(183, middle, 210)]
    parts += _cell(210, middle, 124, "trainable", "mean of", "each tensor") + [_right(334, middle, 364)]
    parts += _cell(364, middle, 130, "trainable", "one model") + [_right(494, middle, 524)]
    parts += _cell(524, middle, 100, "plain", "answer")
    text = [
        svg.text(429, middle + 66, "text", "loose"),
        svg.arrow(429, middle + 56, 429, middle + TALL / 2 + 3),
    ]
    return svg.document(
        "Soup: the mean of the trained tensors of several seeds is one model", 210, parts + text
    )


def prompting() -> str:
    return _asked("zero_shot, few_shot", {"frozen": "frozen"}, "frozen", ("language", "model"))


def completion() -> str:
    return _asked(
        "completion",
        {"trainable": "trainable", "frozen": "frozen"},
        "trainable",
        ("language model", "+ LoRA"),
    )


def _asked(title: str, legend: dict[str, str], kind: str, model: tuple[str, str]) -> str:
    """Template, demonstrations and text make a prompt; behind it the labels' words are scored."""
    parts = svg.legend(title, legend)
    middle = 120.0
    for dy, words in ((-54, "instruction"), (0, "labelled rows"), (54, "text")):
        y = middle + dy
        parts += [*_cell(16, y, 110, "plain", words), svg.line((129, y), (146, y))]
    parts += [svg.line((146, middle - 54), (146, middle + 54)), _right(143, middle, 170)]
    parts += [*_cell(170, middle, 90, "plain", "prompt"), _right(260, middle, 286)]
    parts += [*_cell(286, middle, 126, kind, *model), svg.line((415, middle), (432, middle))]
    parts.append(svg.line((432, middle - 40), (432, middle + 40)))
    for dy, words in ((-40, "P(negative)"), (40, "P(positive)")):
        parts += [
            _right(429, middle + dy, 456),
            *_cell(456, middle + dy, 168, "plain", words, "behind the prompt"),
        ]
    return svg.document(f"{title}: the probability of each label's words behind a prompt", 210, parts)
