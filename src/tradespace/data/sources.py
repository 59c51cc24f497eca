"""Where rows come from: files, bundled scikit-learn sets and Python callables, as Polars frames.

A source is opened lazily: only the columns that a study needs are read. What a column means
is the work of :mod:`tradespace.data.kinds`.
"""

from __future__ import annotations

import glob
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tradespace.core.errors import DataError, Place
from tradespace.core.studies import DataSpec
from tradespace.core.suggest import nearest
from tradespace.data._callables import call
from tradespace.data._csv import DELIMITERS, scan_csv
from tradespace.data._sklearn import load_bundled

_PARQUET_SUFFIXES = (".parquet", ".pq")
_CSV_SUFFIXES = (".csv", ".tsv", ".txt", ".gz")
#: First bytes of files that people mistake for tables.
_MAGIC = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"SQLite format 3": "an SQLite database",
    b"ARROW1": "an Arrow (Feather) file",
    b"\x89HDF": "an HDF5 file",
    b"%PDF": "a PDF document",
    b"\x80\x04": "a pickle, which is never loaded",
}


@dataclass(frozen=True, slots=True)
class Source:
    """A table that was opened but not yet read.

    Attributes
    ----------
    location : str
        For messages.
    frame : LazyFrame
        All rows, columns read on demand.
    schema : Mapping
        Polars type of each column, in order.
    columnar : bool
        Whether one column alone can be read cheaply (Parquet).
    notes : tuple of str
        What a person should know about how the file was read.
    """

    location: str
    frame: pl.LazyFrame
    schema: Mapping[str, pl.DataType]
    columnar: bool
    notes: tuple[str, ...] = ()

    def read(self, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """Return some columns (None: all) of all rows, in the order of the source.

        Raises
        ------
        DataError
            If a row cannot be read.

        """
        frame = self.frame if columns is None else self.frame.select(list(columns))
        try:
            return frame.collect()
        except pl.exceptions.PolarsError as error:
            msg = f"Cannot read {self.location!r}: {_first_line(error)}."
            raise DataError(msg, remedy="Repair the file, or write it again.") from error


def open_source(spec: DataSpec, *, folder: str | Path = ".", place: Place | None = None) -> Source:
    """Return the table that a study names, not yet read.

    Parameters
    ----------
    spec : DataSpec
        Kind, location and options.
    folder : path
        What a relative location is relative to.
    place : Place, optional
        Where the study names the data; errors carry it.

    Raises
    ------
    DataError
        If there is no such file, set or callable, or it is not a table.

    """
    try:
        location = spec.location
        if spec.kind == "sklearn" or location.startswith("sklearn:"):
            return _in_memory(location, load_bundled(location.removeprefix("sklearn:")))
        if spec.kind == "callable":
            return _in_memory(location, call(location, spec.options, folder=Path(folder)))
        return _open_files(str(Path(folder) / location))
    except DataError as error:
        raise error.at(place) from error.__cause__


def _in_memory(location: str, frame: pl.DataFrame) -> Source:
    if frame.width == 0 or frame.height == 0:
        msg = f"{location!r} gave a table of {frame.height} rows and {frame.width} columns."
        raise DataError(msg, remedy="A study needs rows to learn from and rows to score.")
    return Source(location, frame.lazy(), dict(frame.schema), columnar=False)


def _open_files(location: str) -> Source:
    paths = find_files(location)
    scans = [_scan(path) for path in paths]
    notes = tuple(dict.fromkeys(note for scan in scans for note in scan.notes))
    first = scans[0]
    if len(scans) == 1:
        return first
    for path, scan in zip(paths[1:], scans[1:], strict=True):
        _check_same_columns(paths[0], first.schema, path, scan.schema)
    names = list(first.schema)
    try:
        frame = pl.concat([scan.frame.select(names) for scan in scans], how="vertical_relaxed")
        schema = dict(frame.collect_schema())
    except pl.exceptions.PolarsError as error:
        msg = f"The {len(paths)} files of {location!r} do not fit together: {_first_line(error)}."
        raise DataError(msg, remedy="Give each column the same type in all files.") from error
    notes = (f"{len(paths)} files, from {paths[0].name} to {paths[-1].name}.", *notes)
    columnar = all(scan.columnar for scan in scans)
    return Source(location, frame, schema, columnar, notes)


def find_files(location: str) -> list[Path]:
    """Return the files that a path or glob names, sorted.

    Raises
    ------
    DataError
        If there are none, or the path is a directory.

    """
    path = Path(location)
    if path.is_dir():
        msg = f"The data {location!r} are a directory, not a file."
        inside = sorted(p.suffix for p in path.iterdir() if p.suffix in (".csv", ".parquet"))
        remedy = (
            f"To read all files in it, write {location.rstrip('/') + '/*' + inside[0]!r}."
            if inside
            else "Give a CSV or Parquet file, or a glob such as 'data/*.parquet'."
        )
        raise DataError(msg, remedy=remedy)
    if path.is_file():
        return [path]
    if glob.has_magic(location):
        found = sorted(Path(p) for p in glob.iglob(location, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
        files = [p for p in found if p.is_file()]
        if not files:
            msg = f"The glob {location!r} matches no file."
            raise DataError(msg, remedy="Check the folder and the ending of the file names.")
        return files
    msg = f"There is no file {location!r}."
    names = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    guess = nearest(path.name, names)
    if guess:
        raise DataError(msg, remedy=f"Did you mean {guess!r}?")
    remedy = "Check the path." if names else f"There is no folder {str(path.parent)!r} either."
    raise DataError(msg, remedy=remedy)


def _scan(path: Path) -> Source:
    try:
        with path.open("rb") as stream:
            head = stream.read(16)
        size = path.stat().st_size
    except OSError as error:
        msg = f"Cannot read the file {str(path)!r}: {error.strerror or error}."
        raise DataError(msg, remedy="Check its permissions.") from error
    if size == 0:
        msg = f"The file {str(path)!r} is empty (0 bytes)."
        raise DataError(msg, remedy="Check how the file was written, or remove it.")
    suffix = path.suffix.lower()
    if head.startswith(b"PAR1") or suffix in _PARQUET_SUFFIXES:
        return _scan_parquet(path, size)
    for magic, what in _MAGIC.items():
        if head.startswith(magic):
            msg = f"The file {str(path)!r} is {what}, not CSV or Parquet."
            raise DataError(msg, remedy="Export it as CSV or Parquet.")
    if suffix not in _CSV_SUFFIXES and head.lstrip()[:1] in (b"{", b"["):
        msg = f"The file {str(path)!r} looks like JSON, not CSV or Parquet."
        raise DataError(msg, remedy="Export it as CSV or Parquet, or read it in a callable.")
    return _scan_csv(path)


def _scan_parquet(path: Path, size: int) -> Source:
    try:
        frame = pl.scan_parquet(path, glob=False)
        schema = dict(frame.collect_schema())
        rows = frame.select(pl.len()).collect().item()
    except pl.exceptions.PolarsError as error:
        msg = (
            f"The file {str(path)!r} ({size:,} bytes) is not a Parquet file: {_first_line(error)}."
        )
        raise DataError(
            msg, remedy="Write it again; the end of the file may be missing."
        ) from error
    _check_rows(path, rows)
    return Source(str(path), frame, schema, columnar=True)


def _scan_csv(path: Path) -> Source:
    # Types are inferred from the first rows; where later rows disagree, from all of them.
    for infer_rows in (10_000, None):
        frame, dialect = scan_csv(path, infer_rows=infer_rows)
        try:
            schema = dict(frame.collect_schema())
            table = frame.collect()
            break
        except pl.exceptions.PolarsError as error:
            if infer_rows is None or "parse" not in str(error):
                msg = f"Cannot read {str(path)!r} as CSV: {_first_line(error)}."
                raise DataError(
                    msg, remedy="Check that every line has the same fields, in UTF-8."
                ) from error
    _check_rows(path, table.height)
    notes = []
    if dialect.delimiter != ",":
        notes.append(f"{path.name} is delimited by {DELIMITERS[dialect.delimiter]}.")
    if dialect.decimal_comma:
        notes.append(f"{path.name} writes decimals with a comma.")
    return Source(str(path), table.lazy(), schema, columnar=False, notes=tuple(notes))


def _check_rows(path: Path, rows: int) -> None:
    if rows == 0:
        msg = f"The file {str(path)!r} holds a header but no rows."
        raise DataError(msg, remedy="A study needs rows to learn from and rows to score.")


def _check_same_columns(
    path: Path, schema: Mapping[str, pl.DataType], other: Path, found: Mapping[str, pl.DataType]
) -> None:
    missing = [name for name in schema if name not in found]
    extra = [name for name in found if name not in schema]
    if missing or extra:
        parts = []
        if missing:
            parts.append(f"lacks {', '.join(map(repr, missing[:3]))}")
        if extra:
            parts.append(f"has {', '.join(map(repr, extra[:3]))} besides")
        msg = f"The file {other.name!r} {' and '.join(parts)}, compared with {path.name!r}."
        raise DataError(msg, remedy="All files of a glob need the same columns.")


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else "unreadable"
