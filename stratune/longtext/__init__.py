"""Documents longer than a model's window: cut into pieces that travel inside one text column."""

SEPARATOR = "\x1e"
"""Between the pieces of a document (U+001E, record separator): no speech holds it, all tables keep it."""
