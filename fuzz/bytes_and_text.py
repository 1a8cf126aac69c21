"""Damage to bytes and to text: what broken downloads, wrong encodings and hostile hands make of a file."""

from __future__ import annotations

from random import Random

# Text that programs trip over; some of it is code, markup or an address for somebody.
WORDS = (
    "",
    " ",
    "\x00",
    "\x1b[2J\x1b[31mred",
    "\r\n\r\n",
    "\u202egnp.exe",
    "\u200b",
    "e\u0301",
    "\ufeff",
    "[bold]",
    "[/]",
    "[/red] [link=file:///etc/passwd]",
    "{{ 7*7 }}",
    "{text}",
    "{",
    "%s%n",
    "=HYPERLINK(1)",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "/etc/passwd",
    "~",
    "a/b",
    "http://169.254.169.254/v1",
    "https://user:secret@example.invalid/v1",
    "hub:",
    "demo:nothing",
    "nan",
    "NaN",
    "None",
    "null",
    "true",
    "no",
    "1_000",
    "1e999",
    "-0",
    "0x1f",
    "१२३",
    "🧵" * 40,
    "x" * 20_000,
    "(" * 3_000,
)


def damaged_bytes(data: bytes, random: Random) -> bytes:
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        data = random.choice(_BYTES)(data, random)
    return data


def damaged_text(text: str, random: Random) -> bytes:
    """As bytes, for it may not be text any more."""
    for _ in range(random.choice((1, 1, 2))):
        text = random.choice(_TEXT)(text, random)
    encoding = random.choice(("utf-8",) * 8 + ("utf-16", "latin-1", "utf-8-sig", "utf-32"))
    return text.encode(
        encoding, errors=random.choice(("surrogatepass", "replace")) if "utf" in encoding else "replace"
    )


def _place(data: bytes | str, random: Random) -> int:
    return random.randrange(len(data) + 1)


def _flipped(data: bytes, random: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(min(len(changed), random.choice((1, 3, 20)))):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _cut(data: bytes, random: Random) -> bytes:
    return data[: _place(data, random)]


def _hole(data: bytes, random: Random) -> bytes:
    start = _place(data, random)
    return data[:start] + data[start + random.choice((1, 8, 100)) :]


def _inserted(data: bytes, random: Random) -> bytes:
    start = _place(data, random)
    return data[:start] + random.randbytes(random.choice((1, 4, 64))) + data[start:]


def _zeros(data: bytes, random: Random) -> bytes:
    start, size = _place(data, random), random.choice((1, 16, 512))
    return data[:start] + bytes(len(data[start : start + size])) + data[start + size :]


def _doubled(data: bytes, random: Random) -> bytes:
    start = _place(data, random)
    return data[:start] + data[start : start + 200] * 2 + data[start + 200 :]


def _other(data: bytes, random: Random) -> bytes:
    """Another file under this name."""
    return random.choice(
        (b"", b"\n", b"\x00" * 64, b"PK\x03\x04zip", b"\x1f\x8bgz", b"PAR1PAR1", b"\x80\x04pickle.", b"null")
    )


_BYTES = (_flipped, _flipped, _cut, _cut, _hole, _inserted, _zeros, _doubled, _other)


def _word(text: str, random: Random) -> str:
    start = _place(text, random)
    return text[:start] + random.choice(WORDS) + text[start:]


def _line_moved(text: str, random: Random) -> str:
    lines = text.splitlines(keepends=True)
    if lines:
        lines.insert(random.randrange(len(lines)), lines.pop(random.randrange(len(lines))))
    return "".join(lines)


def _line_lost(text: str, random: Random) -> str:
    lines = text.splitlines(keepends=True)
    del lines[_place(text, random) % (len(lines) + 1) : _place(text, random) % (len(lines) + 1)]
    return "".join(lines)


def _line_ends(text: str, random: Random) -> str:
    return text.replace("\n", random.choice(("\r", "\r\n", "\n\n", "\u2028", "\x0b", "")))


def _sign(text: str, random: Random) -> str:
    """Signs that have a meaning in this file become others."""
    old, new = random.sample((",", ";", "\t", ":", '"', "'", "{", "}", "[", "]", "-", "#", "\\", "|", "="), 2)
    return text.replace(old, new, random.choice((1, 1, -1)))


def _text_cut(text: str, random: Random) -> str:
    return text[: _place(text, random)]


def _surrogate(text: str, random: Random) -> str:
    start = _place(text, random)
    return f"{text[:start]}{random.choice((chr(0xD800), chr(0xDFFF)))}{text[start:]}"


_TEXT = (_word, _word, _word, _line_moved, _line_lost, _line_ends, _sign, _sign, _text_cut, _surrogate)
