"""Texts that are longer than a model reads: cut, in chunks, or through a small model over their chunks."""

# A document's pieces (turns, exchanges, sections) travel inside its one text column, with this between them:
# the record separator of ASCII, which no tokenizer needs and no transcript holds.
SEPARATOR = "\x1e"


def readable(text: str) -> str:
    """The text without the marks between its pieces."""
    return text.replace(SEPARATOR, "\n")
