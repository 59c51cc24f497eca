"""The run store of one study: fits, their readings, looks at the test split, the last decision.

One SQLite file (write-ahead log) beside the artifacts; one process writes. A fit is stored with
its readings in one transaction when it has finished, so a killed run repeats only what was
under way. A reading that another question makes due is added later; its fit stays.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tradespace.core.errors import StoreError
from tradespace.core.readings import Reading
from tradespace.core.trials import Trial
from tradespace.store.files import cannot_write

FORMAT = 2

_metadata = sa.MetaData()
_meta = sa.Table(
    "meta",
    _metadata,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
_fits = sa.Table(
    "fits",
    _metadata,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("candidate", sa.String, nullable=False),
    sa.Column("split", sa.String, nullable=False),
    sa.Column("seed", sa.Integer, nullable=False),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("finished_at", sa.String, nullable=False),
    sa.Column("record", sa.Text, nullable=False),
)
_readings = sa.Table(
    "readings",
    _metadata,
    sa.Column("fit", sa.String, primary_key=True),
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("quality", sa.String, nullable=False),
    sa.Column("taken_at", sa.String, nullable=False),
    sa.Column("record", sa.Text, nullable=False),
)
_looks = sa.Table(
    "looks",
    _metadata,
    sa.Column("test_hash", sa.String, primary_key=True),
    sa.Column("study_hash", sa.String, primary_key=True),
    sa.Column("looked_at", sa.String, nullable=False),
)


#: What reading a damaged record raises.
_DAMAGE = (ValueError, KeyError, TypeError, AttributeError)


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


class RunStore:
    """The fits and readings of one study.

    Parameters
    ----------
    path : Path
        The SQLite file; made with its folder if absent.

    Raises
    ------
    StoreError
        If the file is damaged, of another format, locked, or the disk is full.

    Examples
    --------
    >>> import tempfile
    >>> from tradespace.core.trials import TrialStatus
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = RunStore(Path(folder) / "run.sqlite")
    ...     store.put([("a fit", Trial("abc", "test", 0, TrialStatus.DONE))], [])
    ...     print(store.fit("a fit").key, store.fit("another"))
    ...     store.close()
    abc/test/0 None

    Attributes
    ----------
    dropped : list of str
        Records that could not be read, for people; they are gone, and their work is due again.

    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.dropped: list[str] = []
        with self._faults("open"):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._engine = sa.create_engine(
                f"sqlite:///{path}", connect_args={"timeout": 10.0, "check_same_thread": False}
            )
            sa.event.listen(self._engine, "connect", _set_pragmas)
            _metadata.create_all(self._engine)
        found = self.get_meta("format")
        if found is None:
            self.set_meta("format", str(FORMAT))
        elif found != str(FORMAT):
            msg = (
                f"The run store {path} has format {found}, this version reads {FORMAT}; "
                "move the folder away and run again."
            )
            raise StoreError(msg)

    @contextmanager
    def _faults(self, what: str) -> Iterator[None]:
        try:
            yield
        except sa.exc.DatabaseError as error:
            cause = str(error.orig or error)
            remedy = "move the folder away and run again; artifacts in it stay usable"
            if "disk I/O" in cause:
                remedy = "check that the disk is not full and that files may grow (ulimit -f)"
            elif "full" in cause:
                remedy = "free some space and run again; nothing that was finished is lost"
            elif "locked" in cause or "busy" in cause:
                remedy = "another process is writing to it; wait for it to end"
            msg = f"Could not {what} the run store {self.path}: {cause}; {remedy}."
            raise StoreError(msg) from error
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def close(self) -> None:
        """Close the file; a closed store is not used again."""
        self._engine.dispose()

    def put(
        self,
        fits: Iterable[tuple[str, Trial]],
        readings: Iterable[tuple[str, str, Reading]],
    ) -> None:
        """Store fits by key, and readings by the keys of their fit and their own; all or none.

        What is stored again replaces what was there.
        """
        fit_rows = [
            {
                "key": key,
                "candidate": trial.candidate,
                "split": trial.split,
                "seed": trial.seed,
                "status": trial.status.value,
                "finished_at": _now(),
                "record": _text(replace(trial, readings=()).to_dict()),
            }
            for key, trial in fits
        ]
        reading_rows = [
            {
                "fit": fit,
                "key": key,
                "quality": reading.quality,
                "taken_at": _now(),
                "record": _text(reading.to_dict()),
            }
            for fit, key, reading in readings
        ]
        with self._faults("write to"), self._engine.begin() as connection:
            for table, rows in ((_fits, fit_rows), (_readings, reading_rows)):
                if rows:
                    connection.execute(table.insert().prefix_with("OR REPLACE"), rows)

    def fit(self, key: str) -> Trial | None:
        """Return a finished fit without its readings, or None."""
        query = sa.select(_fits.c.record).where(_fits.c.key == key)
        with self._faults("read"), self._engine.connect() as connection:
            record = connection.execute(query).scalar_one_or_none()
        if record is None:
            return None
        try:
            return Trial.from_dict(json.loads(record))
        except _DAMAGE:
            self._note(f"The record of fit {key} in {self.path} was damaged")
            self.drop(key)
            return None

    def readings(self, fit: str) -> dict[str, Reading]:
        """Return the readings of a fit by their keys."""
        query = sa.select(_readings.c.key, _readings.c.quality, _readings.c.record)
        with self._faults("read"), self._engine.connect() as connection:
            rows = connection.execute(query.where(_readings.c.fit == fit)).all()
        found = {}
        for key, quality, record in rows:
            try:
                found[key] = Reading.from_dict(json.loads(record))
            except _DAMAGE:
                self._note(f"The record of {quality} of fit {fit} in {self.path} was damaged")
        return found

    def drop(self, key: str) -> None:
        """Forget a fit and its readings."""
        with self._faults("write to"), self._engine.begin() as connection:
            connection.execute(_fits.delete().where(_fits.c.key == key))
            connection.execute(_readings.delete().where(_readings.c.fit == key))

    def count(self) -> int:
        """Return the number of finished fits."""
        query = sa.select(sa.func.count()).select_from(_fits)
        with self._faults("read"), self._engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def _note(self, what: str) -> None:
        if what not in self.dropped:
            self.dropped.append(what)

    def look(self, *, test_hash: str, study_hash: str) -> int:
        """Record a look at the test split; return how many different studies have looked."""
        row = {"test_hash": test_hash, "study_hash": study_hash, "looked_at": _now()}
        count = sa.select(sa.func.count()).select_from(_looks)
        with self._faults("write to"), self._engine.begin() as connection:
            connection.execute(_looks.insert().prefix_with("OR IGNORE"), row)
            found = connection.execute(count.where(_looks.c.test_hash == test_hash))
            return int(found.scalar_one())

    def get_meta(self, key: str) -> str | None:
        """Return a stored text, or None."""
        query = sa.select(_meta.c.value).where(_meta.c.key == key)
        with self._faults("read"), self._engine.connect() as connection:
            value = connection.execute(query).scalar_one_or_none()
            return None if value is None else str(value)

    def set_meta(self, key: str, value: str) -> None:
        """Store a text under a key."""
        row = {"key": key, "value": value}
        with self._faults("write to"), self._engine.begin() as connection:
            connection.execute(_meta.insert().prefix_with("OR REPLACE"), row)

    def get_json(self, key: str) -> Any:
        """Return stored plain data, or None."""
        text = self.get_meta(key)
        try:
            return None if text is None else json.loads(text)
        except ValueError:
            self._note(f"The record {key!r} in {self.path} was damaged")
            return None

    def set_json(self, key: str, value: Mapping[str, Any]) -> None:
        """Store plain data under a key."""
        self.set_meta(key, _text(value))


def _set_pragmas(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()
