"""Feature columns for the rows of a study, each as of its own time."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from tradespace.core.errors import FeatureError, InputError
from tradespace.features.batch import compute_at, compute_row_features, compute_rows
from tradespace.features.definitions import FeatureView, View
from tradespace.features.events import Events, read_events, require_columns, times_us
from tradespace.features.load import load_view

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from tradespace.core.studies import Study


def add_features(frame: pl.DataFrame, study: Study) -> pl.DataFrame:
    """Return the frame with a float64 column for each feature that the study names.

    A view whose source has no path, or the path of the study's data, is computed on the rows
    given: each is an event. Any other is joined as of the time of each row.

    Raises
    ------
    FeatureError
        At the place of the study that names the view.

    """
    if not study.features:
        return frame
    added: dict[str, pl.Series] = {}
    known: dict[str, Events] = {}
    for number, reference in enumerate(study.features):
        try:
            view = load_view(reference, folder=study.folder)
            columns = _columns_of(view, frame, study, known)
        except InputError as error:
            raise error.at(study.place("features", number)) from error
        for series in columns:
            if series.name in frame.columns or series.name in added:
                msg = f"Feature {series.name!r} of view {view.name!r} exists already."
                raise FeatureError(
                    msg, place=study.place("features", number), remedy="Give it another name."
                )
            added[series.name] = series
    return frame.with_columns(list(added.values()))


def feature_lineage(study: Study) -> dict[str, Any]:
    """Return what the features of a study are: the version of each view and of each feature.

    By the reference of the view, as the study writes it. The run store keeps it, and the
    schema of every component says the version of each of its inputs.
    """
    found: dict[str, Any] = {}
    for number, reference in enumerate(study.features):
        try:
            view = load_view(reference, folder=study.folder)
        except InputError as error:
            raise error.at(study.place("features", number)) from error
        found[reference] = {
            "view": view.name,
            "version": view.hash,
            "source": view.source.name,
            "features": view.versions,
        }
    return found


def _columns_of(
    view: View, frame: pl.DataFrame, study: Study, known: dict[str, Events]
) -> list[pl.Series]:
    if not isinstance(view, FeatureView):
        values = compute_row_features(view, frame)
    elif view.source.path is None or _same_path(view.source.path, study):
        key = repr(view.source.to_dict())
        if key not in known:
            known[key] = read_events(view.source, frame)
        values = compute_rows(view, known[key])
    else:
        values = join_rows(view, frame, time=study.columns.time)
    return [pl.Series(name, array) for name, array in values.items()]


def join_rows(
    view: FeatureView, frame: pl.DataFrame, *, time: str | None
) -> dict[str, npt.NDArray[np.float64]]:
    """Return a view's features as of the time of each row of a frame of entities and times."""
    if time is None:
        msg = f"View {view.name!r} has a source of its own, so that rows need a time to look from."
        raise FeatureError(msg, remedy="Name the column of time: columns: {time: ...}.")
    key = view.key or view.entity
    require_columns(frame, [key, time], owner=f"View {view.name!r}")
    events = read_events(view.source, read_source(view), columns=view.columns)
    asked = times_us(frame, time, source=view.source)
    return compute_at(view, events, frame[key], asked)


def read_source(*views: View) -> pl.DataFrame:
    """Return the columns that views read of the source they share, from its files."""
    source = views[0].source
    if source.path is None:
        msg = f"Source {source.name!r} has no path."
        raise FeatureError(msg, remedy="Name its files: path='events/*.parquet', or give --data.")
    wanted = {source.time, *(name for name in (source.id, source.created) if name)}
    for view in views:
        wanted.update(view.columns)
        if isinstance(view, FeatureView):
            wanted.add(view.entity)
    if source.contract is not None:
        wanted.update(source.contract.columns, source.contract.unique)
    return read_files(source.path, sorted(wanted), owner=f"Source {source.name!r}")


def scan_files(path: str, columns: list[str] | None, *, owner: str) -> pl.LazyFrame:
    """Return columns of Parquet or CSV files, lazily; None: all.

    Raises
    ------
    FeatureError
        If there is no such file, if it cannot be read or lacks a column.

    """
    _refuse_nothing(path, owner)
    with reading(path, owner, columns):
        scan = _scan(path)
        schema = scan.collect_schema()
        if columns is None:
            return scan
        require_columns(pl.DataFrame(schema=schema), columns, owner=owner)
        return scan.select(columns)


def read_files(path: str, columns: list[str] | None, *, owner: str) -> pl.DataFrame:
    """Return columns of Parquet or CSV files; see :func:`scan_files`."""
    scan = scan_files(path, columns, owner=owner)
    with reading(path, owner, columns):
        return scan.collect()


@contextmanager
def reading(path: str, owner: str, columns: list[str] | None = None) -> Iterator[None]:
    """Say of files that cannot be read which of them it is, and why.

    Parameters
    ----------
    path : str
        File, folder or glob.
    owner : str
        Who reads it, for the message.
    columns : list of str, optional
        Those that are read.

    """
    try:
        yield
    except (pl.exceptions.PolarsError, OSError) as error:
        _refuse_odd_file(path, owner, columns)
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        msg = f"{owner}: cannot read {path!r}: {reason}."
        raise FeatureError(
            msg, remedy="Check the path, and that the file was written completely."
        ) from error


def _scan(path: str) -> pl.LazyFrame:
    name = Path(path).name.lower()
    if name.endswith((".csv", ".csv.gz", ".csv.zst")):
        return pl.scan_csv(path, try_parse_dates=True)
    return pl.scan_parquet(path)


def files_of(path: str) -> list[str]:
    """Return the files that a path or glob names; none for what is not on this machine."""
    if "://" in path:
        return []
    if Path(path).is_dir():
        return sorted(str(place) for place in Path(path).rglob("*.parquet"))
    found = glob.glob(path, recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern
    return sorted(name for name in found if Path(name).is_file())


def _refuse_nothing(path: str, owner: str) -> None:
    if "://" in path or files_of(path):
        return
    remedy = "Check the path: it counts from the file that defines the source, or from this folder."
    if Path(path).is_dir():
        cause = "the folder holds no Parquet files"
        remedy = f"For CSV files write {str(Path(path) / '*.csv')!r}."
    elif glob.has_magic(path):
        cause = "no file matches"
    else:
        cause = "there is no such file"
    msg = f"{owner}: cannot read {path!r}: {cause}."
    raise FeatureError(msg, remedy=remedy)


def _refuse_odd_file(path: str, owner: str, columns: list[str] | None) -> None:
    """Raise FeatureError for the first of several files that is not like the first."""
    files = files_of(path)
    first: dict[str, pl.DataType] | None = None
    for file in files if len(files) > 1 else ():
        try:
            schema = dict(_scan(file).collect_schema())
        except (pl.exceptions.PolarsError, OSError) as error:
            msg = f"{owner}: cannot read {file!r}: {str(error).strip().splitlines()[0]}."
            raise FeatureError(msg, remedy="Correct that file, or leave it out.") from error
        first = first or schema
        for name in columns or first:
            if name not in schema:
                msg = f"{owner}: file {file!r} lacks the column {name!r}, which is used."
                raise FeatureError(msg, remedy="Correct that file, or leave it out of the path.")
            if name in first and schema[name] != first[name]:
                msg = (
                    f"{owner}: column {name!r} is {schema[name]} in {file!r} but {first[name]} "
                    f"in {files[0]!r}."
                )
                raise FeatureError(msg, remedy="Write all files with the same types.")


def _same_path(path: str, study: Study) -> bool:
    return study.data.kind == "file" and Path(path).resolve() == Path(study.data.location).resolve()
