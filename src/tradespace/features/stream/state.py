"""Where the streaming engine keeps events: in memory, or in SQLite so that they survive.

An event and the place in the stream up to which a view took all in are committed together:
after a kill the stream is read again from there, and an event that is there already is not
counted twice.
"""

from __future__ import annotations

import os
import sqlite3
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from tradespace.core.errors import StoreError
from tradespace.store.lock import try_lock

#: Entities asked for in one statement.
_AT_ONCE = 500

#: entity, time_us, id, created_us, then the payload.
Row = tuple[Any, ...]


class StateStore(Protocol):
    """What a store of events and vectors has to do; all of it within one writer."""

    def open_view(self, key: str, slots: int) -> int:
        """Make room for a view of that version; return how much of the stream it took in."""

    def example(self, key: str) -> tuple[Any, Any] | None:
        """Return the entity and id of some stored event, if there is one."""

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

    def commit(self, positions: Mapping[str, int]) -> None:
        """Make everything so far survive, with the place of each view in the stream."""

    def rollback(self) -> None:
        """Forget everything since the last commit."""


class MemoryState:
    """Nothing survives; for tests and replays."""

    def __init__(self) -> None:
        self._vectors: dict[tuple[str, Any], tuple[int, bytes]] = {}
        self._positions: dict[str, int] = {}

    def open_view(self, key: str, slots: int) -> int:  # noqa: ARG002 - nothing is stored
        """Need no room."""
        return self._positions.get(key, 0)

    def example(self, key: str) -> tuple[Any, Any] | None:  # noqa: ARG002 - nothing is stored
        """Return nothing: the engine holds all."""
        return None

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

    def commit(self, positions: Mapping[str, int]) -> None:
        """Remember the place in the stream."""
        self._positions.update(positions)

    def rollback(self) -> None:
        """Have nothing to forget."""


class SqliteState:
    """Events and vectors in one SQLite file with a write-ahead log.

    One process writes: the first that does holds the file until it closes it or ends. Others
    read stored vectors meanwhile.

    Parameters
    ----------
    path : path
        Made if it is not there; its folder has to be.

    Raises
    ------
    StoreError
        If the file is not such a store or cannot be made, and later if the disk is full or
        another process writes.

    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        with self._told():
            self._db = sqlite3.connect(path, isolation_level=None, cached_statements=512)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS positions (key PRIMARY KEY, position INTEGER)"
            )
        self._width: dict[str, int] = {}
        self._one: dict[str, str] = {}
        self._positions: dict[str, int] = {}
        self._release: Callable[[], object] | None = None
        self._begun = False

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say of what went wrong which file it was, and what helps."""
        try:
            yield
        except sqlite3.Error as error:
            raise self._error(error) from error

    def _error(self, error: sqlite3.Error) -> StoreError:
        where, why = repr(str(self._path)), str(error)
        if isinstance(error, sqlite3.ProgrammingError) and "closed" in why:
            msg, remedy = f"The store {where} was closed.", "Open it again: SqliteState(path)."
        elif "unable to open" in why:
            msg = f"The store {where} cannot be opened."
            remedy = "It has to be a file in a folder that is there and may be written to."
        elif "full" in why:
            msg, remedy = f"The disk of the store {where} is full.", "Make room, then commit again."
        elif "readonly" in why:
            msg, remedy = f"The store {where} may not be written to.", "Check its permissions."
        elif "locked" in why:
            msg = f"Another process writes to the store {where}."
            remedy = "Let one process write; others read stored vectors."
        elif isinstance(error, sqlite3.InterfaceError | sqlite3.ProgrammingError):
            msg = f"The store {where} cannot hold what it was given: {why}."
            remedy = "Entities, ids and values are numbers or texts."
        else:
            msg, remedy = f"{where} is not a store of online features: {why}.", "Name another file."
        return StoreError(f"{msg} {remedy}")

    def _begin(self) -> None:
        if self._begun:
            return
        if self._release is None:
            self._take_over()
        self._db.execute("BEGIN IMMEDIATE")
        self._begun = True

    def _take_over(self) -> None:
        """Become the one that writes."""
        place = self._path.with_name(f"{self._path.name}-writer")
        descriptor = os.open(place, os.O_RDWR | os.O_CREAT, 0o666)
        release = weakref.finalize(self, os.close, descriptor)
        if not try_lock(descriptor):
            holder = os.read(descriptor, 32).decode() or "unknown"
            release()
            msg = f"Process {holder} writes to the store {str(self._path)!r}. "
            msg += "Let one process write; others read stored vectors."
            raise StoreError(msg)
        os.truncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        if any(self._position(key) != position for key, position in self._positions.items()):
            release()
            msg = f"The store {str(self._path)!r} was written to since it was opened here. "
            msg += "Open it again, with a new engine."
            raise StoreError(msg)
        self._release = release

    def _position(self, key: str) -> int:
        sql = "SELECT position FROM positions WHERE key = ?"
        found = self._db.execute(sql, (key,)).fetchone()
        return 0 if found is None else int(found[0])

    def open_view(self, key: str, slots: int) -> int:
        """Make the tables of a view's version; return how much of the stream it took in."""
        columns = "".join(f", v{slot}" for slot in range(slots))
        with self._told():
            self._db.execute(
                f'CREATE TABLE IF NOT EXISTS "events_{key}" (entity, time INTEGER, id, '
                f"created INTEGER{columns}, PRIMARY KEY (entity, time, id)) WITHOUT ROWID"
            )
            self._db.execute(
                f'CREATE TABLE IF NOT EXISTS "vectors_{key}" '
                "(entity PRIMARY KEY, time INTEGER, vector BLOB) WITHOUT ROWID"
            )
            self._positions[key] = self._position(key)
        self._width[key] = 4 + slots
        self._one[key] = f'SELECT * FROM "vectors_{key}" WHERE entity = ?'  # noqa: S608 - a hash
        return self._positions[key]

    def example(self, key: str) -> tuple[Any, Any] | None:
        """Return the entity and id of some stored event, if there is one."""
        with self._told():
            sql = f'SELECT entity, id FROM "events_{key}" LIMIT 1'  # noqa: S608 - a hash
            found: tuple[Any, Any] | None = self._db.execute(sql).fetchone()
            return found

    def _of(self, table: str, entities: list[Any], order: str = "") -> Iterator[Iterable[Row]]:
        """Give the rows of these entities, some hundreds of entities at a time."""
        for start in range(0, len(entities), _AT_ONCE):
            part = entities[start : start + _AT_ONCE]
            marks = ",".join("?" * len(part))
            sql = f'SELECT * FROM "{table}" WHERE entity IN ({marks}){order}'  # noqa: S608 - a hash
            yield self._db.execute(sql, part)

    def load(self, key: str, entities: list[Any]) -> list[Row]:
        """Return the stored events of entities, those of one entity in order."""
        found: list[Row] = []
        with self._told():
            for rows in self._of(f"events_{key}", entities, " ORDER BY entity, time, id"):
                found += rows
        return found

    def add(self, key: str, rows: Iterable[Row]) -> None:
        """Store events; those stored already stay as they are."""
        marks = ",".join("?" * self._width[key])
        with self._told():
            self._begin()
            self._db.executemany(f'INSERT OR IGNORE INTO "events_{key}" VALUES ({marks})', rows)  # noqa: S608 - a hash

    def put_vectors(self, key: str, rows: Iterable[tuple[Any, int, bytes]]) -> None:
        """Store the latest vectors."""
        with self._told():
            self._begin()
            self._db.executemany(f'INSERT OR REPLACE INTO "vectors_{key}" VALUES (?,?,?)', rows)  # noqa: S608 - a hash

    def vectors(self, key: str, entities: list[Any]) -> dict[Any, tuple[int, bytes]]:
        """Return the latest vectors that are there."""
        found: dict[Any, tuple[int, bytes]] = {}
        # Asked for most often, one at a time: a context manager would cost as much as the rest.
        try:
            if len(entities) == 1:
                one = self._db.execute(self._one[key], entities).fetchone()
                return found if one is None else {one[0]: one[1:]}
            for rows in self._of(f"vectors_{key}", entities):
                found.update((entity, (time, blob)) for entity, time, blob in rows)
        except sqlite3.Error as error:
            raise self._error(error) from error
        return found

    def expire(self, key: str, before: int) -> None:
        """Forget events at or before a time."""
        with self._told():
            self._begin()
            self._db.execute(f'DELETE FROM "events_{key}" WHERE time <= ?', (before,))  # noqa: S608 - a hash

    def commit(self, positions: Mapping[str, int]) -> None:
        """Make everything so far survive, together with the places in the stream."""
        with self._told():
            self._begin()
            self._db.executemany(
                "INSERT OR REPLACE INTO positions VALUES (?, ?)", positions.items()
            )
            self._db.execute("COMMIT")
        self._begun = False
        self._positions.update(positions)

    def rollback(self) -> None:
        """Forget everything since the last commit."""
        if self._begun:
            self._begun = False
            # A full disk can have rolled back by itself.
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    def close(self) -> None:
        """Give up what is not committed, and close the file."""
        self.rollback()
        self._db.close()
        if self._release is not None:
            self._release()
            self._release = None
