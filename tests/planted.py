"""Cases with a fault each, for the tests of the fuzz campaign: what it must find."""

import os
import socket
import sys
import time
from pathlib import Path

from fuzz.case import Case
from stratune.errors import ConfigError


def refused():
    raise ConfigError("no such key", key="here")


def foreign():
    raise KeyError("weight")


def hangs():
    time.sleep(600)


def dies():
    os._exit(7)


def fills_memory():
    bytearray(1 << 40)


def writes_first():
    Path("made").mkdir()
    refused()


def changes_a_file():
    Path("rows.csv").write_text("")
    refused()


def two_lines():
    print("a warning of a library", file=sys.stderr)
    refused()


def moves_the_cursor():
    print("\x1b[2J", file=sys.stderr)
    sys.exit(2)


def prints_foreign_text():
    print("\x1b[31mred")


def asks():
    input("do you trust it? [y/N]")


def calls_home():
    try:
        socket.create_connection(("203.0.113.7", 80))
    except OSError:
        refused()


def runs_code():
    Path("ran").touch()


def fails_quietly():
    sys.exit(1)


PLANTED = {
    "refused": (refused, None),
    "foreign": (foreign, "KeyError at cli/__init__.py:main: _"),
    "hangs": (hangs, "no end within the time: cli/__init__.py:main"),
    "dies": (dies, "the process died (exit code 7)"),
    "fills_memory": (fills_memory, "MemoryError at cli/__init__.py:main: "),
    "writes_first": (writes_first, "written or changed though refused: made"),
    "changes_a_file": (changes_a_file, "written or changed though refused: rows.csv"),
    "two_lines": (two_lines, "several lines on standard error: a warning of a library"),
    "moves_the_cursor": (moves_the_cursor, "control characters in the message"),
    "prints_foreign_text": (prints_foreign_text, "control characters on standard output"),
    "asks": (asks, "standard input was read"),
    "calls_home": (calls_home, "an address was contacted: 203.0.113.7"),
    "runs_code": (runs_code, "code of the file ran"),
    "fails_quietly": (fails_quietly, "exit code 1, expected 0 or 2: nothing said"),
}


def make(kind, seed, random, folder, base):
    (folder / "rows.csv").write_text("review,mood\n")
    return Case((kind,), call=PLANTED[kind][0])
