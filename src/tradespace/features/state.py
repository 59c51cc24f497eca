"""Where the streaming engine keeps events: in memory, or in SQLite so that they survive.

An event and the place in the stream up to which all was taken in are committed together:
after a kill the stream is read again from there, and an event that is there already is not
counted twice.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from tradespace.core.errors import StoreError

#: Entities asked for in one statement.
_AT_ONCE = 500

#: entity, time_us, id, created_us, then the payload.
Row = tuple[Any, ...]


class StateStore(Protocol):
    """What a store of events and vectors has to do; all of it within one writer."""

    def open_view(self, key: str, slots: int) -> None:
        """Make room for a view of that version."""

    def load(self, key: str, entities: list[Any]) -> list[Row]:
        """Return the stored events of entities, those of one entity in order."""

    def add(self, key: str, rows: Iterable[Row]) -> None:
        """Store events; those stored already stay as they are."""

    def put_vectors(self, key: str, rows: Iterable[tuple[Any, int, bytes]]) -> None:
        """Store the latest vectors: entity, time_us, float64 values."""

    def vectors(self, key: str, entities: list[Any]) -> dict[Any, tuple[int, bytes]]:
        """Return the latest vectors that are there."""

    def expire(self, key: str, before: int) -> None:
        """Forget events at or before a time."""

    def offset(self) -> int:
        """Return how many events of the stream are committed."""

    def commit(self, offset: int) -> None:
        """Make everything so far survive, and remember the place in the stream."""


class MemoryState:
    """Nothing survives; for tests and replays."""

    def __init__(self) -> None:
        self._vectors: dict[tuple[str, Any], tuple[int, bytes]] = {}
        self._offset = 0

    def open_view(self, key: str, slots: int) -> None:
        """Need no room."""

    def load(self, key: str, entities: list[Any]) -> list[Row]:  # noqa: ARG002 - nothing is stored
        """Return nothing: the engine holds all."""
        return []

    def add(self, key: str, rows: Iterable[Row]) -> None:
        """Leave the events to the engine."""

    def put_vectors(self, key: str, rows: Iterable[tuple[Any, int, bytes]]) -> None:
        """Keep the latest vectors."""
        self._vectors.update({(key, entity): (time, blob) for entity, time, blob in rows})

    def vectors(self, key: str, entities: list[Any]) -> dict[Any, tuple[int, bytes]]:
        """Return the latest vectors that are there."""
        found = ((entity, self._vectors.get((key, entity))) for entity in entities)
        return {entity: vector for entity, vector in found if vector is not None}

    def expire(self, key: str, before: int) -> None:
        """Leave it to the engine."""

    def offset(self) -> int:
        """Return how many events were taken in."""
        return self._offset

    def commit(self, offset: int) -> None:
        """Remember the place in the stream."""
        self._offset = offset


class SqliteState:
    """Events and vectors in one SQLite file with a write-ahead log.

    Parameters
    ----------
    path : path
        Made if it is not there.

    Raises
    ------
    StoreError
        If the file is not such a store.

    """

    def __init__(self, path: str | Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, cached_statements=512)
        try:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS progress (one PRIMARY KEY, position INTEGER)"
            )
        except sqlite3.DatabaseError as error:
            msg = f"{str(path)!r} is not a store of online features: {error}."
            raise StoreError(msg) from error
        self._width: dict[str, int] = {}
        self._one: dict[str, str] = {}
        self._begun = False

    def _begin(self) -> None:
        if not self._begun:
            self._db.execute("BEGIN IMMEDIATE")
            self._begun = True

    def open_view(self, key: str, slots: int) -> None:
        """Make the tables of a view's version."""
        columns = "".join(f", v{slot}" for slot in range(slots))
        self._db.execute(
            f'CREATE TABLE IF NOT EXISTS "events_{key}" (entity, time INTEGER, id, created INTEGER'
            f"{columns}, PRIMARY KEY (entity, time, id)) WITHOUT ROWID"
        )
        self._db.execute(
            f'CREATE TABLE IF NOT EXISTS "vectors_{key}" '
            "(entity PRIMARY KEY, time INTEGER, vector BLOB) WITHOUT ROWID"
        )
        self._width[key] = 4 + slots
        self._one[key] = f'SELECT * FROM "vectors_{key}" WHERE entity = ?'  # noqa: S608 - a hash

    def load(self, key: str, entities: list[Any]) -> list[Row]:
        """Return the stored events of entities, those of one entity in order."""
        found: list[Row] = []
        for start in range(0, len(entities), _AT_ONCE):
            part = entities[start : start + _AT_ONCE]
            marks = ",".join("?" * len(part))
            sql = (
                f'SELECT * FROM "events_{key}" WHERE entity IN ({marks}) ORDER BY entity, time, id'  # noqa: S608 - a hash
            )
            found += self._db.execute(sql, part).fetchall()
        return found

    def add(self, key: str, rows: Iterable[Row]) -> None:
        """Store events; those stored already stay as they are."""
        self._begin()
        marks = ",".join("?" * self._width[key])
        self._db.executemany(f'INSERT OR IGNORE INTO "events_{key}" VALUES ({marks})', rows)  # noqa: S608 - a hash

    def put_vectors(self, key: str, rows: Iterable[tuple[Any, int, bytes]]) -> None:
        """Store the latest vectors."""
        self._begin()
        self._db.executemany(f'INSERT OR REPLACE INTO "vectors_{key}" VALUES (?,?,?)', rows)  # noqa: S608 - a hash

    def vectors(self, key: str, entities: list[Any]) -> dict[Any, tuple[int, bytes]]:
        """Return the latest vectors that are there."""
        found: dict[Any, tuple[int, bytes]] = {}
        if len(entities) == 1:
            one = self._db.execute(self._one[key], entities).fetchone()
            return found if one is None else {one[0]: one[1:]}
        for start in range(0, len(entities), _AT_ONCE):
            part = entities[start : start + _AT_ONCE]
            marks = ",".join("?" * len(part))
            sql = f'SELECT * FROM "vectors_{key}" WHERE entity IN ({marks})'  # noqa: S608 - a hash
            found.update(
                (entity, (time, blob)) for entity, time, blob in self._db.execute(sql, part)
            )
        return found

    def expire(self, key: str, before: int) -> None:
        """Forget events at or before a time."""
        self._begin()
        self._db.execute(f'DELETE FROM "events_{key}" WHERE time <= ?', (before,))  # noqa: S608 - a hash

    def offset(self) -> int:
        """Return how many events of the stream are committed."""
        found = self._db.execute("SELECT position FROM progress").fetchone()
        return 0 if found is None else int(found[0])

    def commit(self, offset: int) -> None:
        """Make everything so far survive, together with the place in the stream."""
        self._begin()
        self._db.execute("INSERT OR REPLACE INTO progress VALUES (1, ?)", (offset,))
        self._db.execute("COMMIT")
        self._begun = False

    def close(self) -> None:
        """Give up what is not committed, and close the file."""
        if self._begun:
            self._db.execute("ROLLBACK")
        self._db.close()
