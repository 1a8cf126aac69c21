"""The pieces of a document (turns, exchanges, sections) in its one text column."""

# Stands between two pieces: ASCII's record separator, which no tokenizer needs and no transcript holds.
SEPARATOR = "\x1e"


def readable(text: str) -> str:
    """The text with line breaks between its pieces."""
    return text.replace(SEPARATOR, "\n")
