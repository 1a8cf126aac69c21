"""XML as a stream of events, without anything that a document type could declare.

No tree is built, so nothing can be nested too deeply, and a DOCTYPE is refused, so no entity can be expanded
("billion laughs") or fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from xml.parsers import expat

from stratune.errors import DataError

Begin = Callable[[str, Mapping[str, str]], None]
Name = Callable[[str], None]


def parse_xml(text: str, path: Path, begin: Begin, end: Name, characters: Name) -> None:
    """Calls `begin`(name, attributes), `end`(name) and `characters`(text), names without their namespace.

    DataError for XML that is not well formed (line), or that has a document type.
    """
    parser = expat.ParserCreate(encoding="utf-8")
    parser.buffer_text = True

    def refuse(*_: object) -> None:
        raise DataError(
            "has a document type (<!DOCTYPE>), which is not read: remove that line",
            path=path,
            row=parser.CurrentLineNumber,
        )

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = lambda name, found: begin(
        _local(name), {_local(key): value for key, value in found.items()}
    )
    parser.EndElementHandler = lambda name: end(_local(name))
    parser.CharacterDataHandler = characters
    try:
        parser.Parse(text.encode("utf-8", "replace"), True)
    except expat.ExpatError as error:
        raise DataError(
            f"is no well-formed XML: {expat.ErrorString(error.code)}", path=path, row=error.lineno
        ) from None


def _local(name: str) -> str:
    return name.rpartition(":")[2]
