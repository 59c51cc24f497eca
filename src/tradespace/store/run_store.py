"""The run store of one study: finished trials, looks at the test split, the last decision.

One SQLite file (write-ahead log) beside the artifacts; one process writes. A trial is stored
in one transaction when it has finished, so a killed run repeats only what was under way.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tradespace.core.errors import StoreError
from tradespace.core.trials import Trial

FORMAT = 1

_metadata = sa.MetaData()
_meta = sa.Table(
    "meta",
    _metadata,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
_trials = sa.Table(
    "trials",
    _metadata,
    sa.Column("scope", sa.String, primary_key=True),
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("candidate", sa.String, nullable=False),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("finished_at", sa.String, nullable=False),
    sa.Column("record", sa.Text, nullable=False),
)
_looks = sa.Table(
    "looks",
    _metadata,
    sa.Column("test_hash", sa.String, primary_key=True),
    sa.Column("study_hash", sa.String, primary_key=True),
    sa.Column("looked_at", sa.String, nullable=False),
)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


class RunStore:
    """The trials of one study.

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
    ...     store.put("scope", Trial("abc", "test", 0, TrialStatus.DONE))
    ...     print([trial.key for trial in store.trials("scope")])
    ...     store.close()
    ['abc/test/0']

    """

    def __init__(self, path: Path) -> None:
        self.path = path
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
            if "full" in cause:
                remedy = "free some space and run again; nothing that was finished is lost"
            elif "locked" in cause or "busy" in cause:
                remedy = "another process is writing to it; wait for it to end"
            msg = f"Could not {what} the run store {self.path}: {cause}; {remedy}."
            raise StoreError(msg) from error
        except OSError as error:
            msg = f"Could not {what} the run store {self.path}: {error.strerror or error}."
            raise StoreError(msg) from error

    def close(self) -> None:
        """Close the file; a closed store is not used again."""
        self._engine.dispose()

    def put(self, scope: str, *trials: Trial) -> None:
        """Store finished trials, all or none; the same trial again replaces it."""
        rows = [
            {
                "scope": scope,
                "key": trial.key,
                "candidate": trial.candidate,
                "status": trial.status.value,
                "finished_at": _now(),
                "record": json.dumps(trial.to_dict(), separators=(",", ":")),
            }
            for trial in trials
        ]
        if not rows:
            return
        with self._faults("write to"), self._engine.begin() as connection:
            connection.execute(_trials.insert().prefix_with("OR REPLACE"), rows)

    def trials(self, scope: str) -> list[Trial]:
        """Return the finished trials of one scope, in the order in which they ended."""
        query = sa.select(_trials.c.record).where(_trials.c.scope == scope)
        query = query.order_by(_trials.c.finished_at, _trials.c.key)
        with self._faults("read"), self._engine.connect() as connection:
            return [Trial.from_dict(json.loads(record)) for (record,) in connection.execute(query)]

    def count(self) -> int:
        """Return the number of finished trials in all scopes."""
        query = sa.select(sa.func.count()).select_from(_trials)
        with self._faults("read"), self._engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

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
        return None if text is None else json.loads(text)

    def set_json(self, key: str, value: Mapping[str, Any]) -> None:
        """Store plain data under a key."""
        self.set_meta(key, json.dumps(value, separators=(",", ":")))


def _set_pragmas(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()
