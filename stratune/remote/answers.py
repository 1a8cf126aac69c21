"""A cache of every answer a server has given, in one SQLite file: no prompt is paid for twice."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

from stratune.errors import ArtifactError, RemoteError
from stratune.files import cache_folder, sha256
from stratune.remote.request import Body, Endpoint

BUSY_SECONDS = 60.0  # another process may be writing
TABLE = "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, answer TEXT NOT NULL, time REAL NOT NULL)"


def answer_key(url: str, endpoint: Endpoint, body: Body) -> str:
    """Hash of all that an answer depends on. The API key is left out: it changes no answer."""
    return sha256(url, endpoint, json.dumps(body, sort_keys=True, separators=(",", ":")))


class Answers:
    """Key -> answer. One object serves many threads; the file serves many processes (write-ahead log).

    Once `keep` has returned, the answer survives even `kill -9`. The file is opened at the first use, so that
    a process forked before that opens a connection of its own.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or cache_folder() / "remote.sqlite"
        self._lock = threading.Lock()
        self._opened: sqlite3.Connection | None = None

    def get(self, key: str) -> dict[str, Any] | None:
        with self._using() as connection:
            row = connection.execute("SELECT answer FROM answers WHERE key = ?", (key,)).fetchone()
        return None if row is None else self._parsed(row[0])

    def keep(self, key: str, answer: dict[str, Any]) -> dict[str, Any]:
        """Store an answer, unless the key has one already; returns the answer that is stored."""
        text = json.dumps(answer, separators=(",", ":"))
        with self._using() as connection:
            connection.execute("INSERT OR IGNORE INTO answers VALUES (?, ?, ?)", (key, text, time.time()))
        kept = self.get(key)
        return answer if kept is None else kept

    def keep_all(self, answers: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """As `keep`, of several answers at once."""
        rows = [(key, json.dumps(one, separators=(",", ":")), time.time()) for key, one in answers.items()]
        with self._using() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                connection.executemany("INSERT OR IGNORE INTO answers VALUES (?, ?, ?)", rows)
            finally:
                connection.execute("COMMIT")
        return {key: self.get(key) or one for key, one in answers.items()}

    def __len__(self) -> int:
        with self._using() as connection:
            return int(connection.execute("SELECT count(*) FROM answers").fetchone()[0])

    def close(self) -> None:
        with self._lock:
            if self._opened is not None:
                self._opened.close()
                self._opened = None

    # -- helpers

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        """The connection, locked. SQLite's errors become ArtifactError (file) or RemoteError (disk)."""
        with self._lock:
            try:
                self._opened = self._opened or self._open()
                yield self._opened
            except (sqlite3.OperationalError, OSError) as error:  # full, locked, read-only
                raise RemoteError(f"{self.path}: answers cannot be stored: {error}") from None
            except sqlite3.DatabaseError as error:
                raise self._damaged(str(error)) from None

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # isolation_level None: each statement is its own transaction, on disk when it returns.
        connection = sqlite3.connect(
            self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            # SQLite ignores its timeout when two processes switch a new file to WAL at the same time.
            with FileLock(f"{self.path}.lock"):
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute(TABLE)
            connection.execute("PRAGMA synchronous = NORMAL")  # safe from kill -9, as WAL is
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _parsed(self, text: str) -> dict[str, Any]:
        try:
            answer = json.loads(text)
        except ValueError as error:
            raise self._damaged(str(error)) from None
        if not isinstance(answer, dict):
            raise self._damaged("an answer is not a JSON object")
        return answer

    def _damaged(self, why: str) -> ArtifactError:
        return ArtifactError(f"{self.path}: the stored answers cannot be read ({why}); delete the file")
