"""Feature columns for the rows of a study, each as of its own time."""

from __future__ import annotations

import glob
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from tradespace.core.errors import FeatureError, InputError
from tradespace.features.batch.compute import compute_at, compute_row_features, compute_rows
from tradespace.features.batch.events import (
    Events,
    check_numeric,
    meets,
    read_events,
    require_columns,
    times_us,
)
from tradespace.features.define.features import Feature
from tradespace.features.define.leaks import refuse_leaks
from tradespace.features.define.load import load_view
from tradespace.features.define.sources import EventSource
from tradespace.features.define.views import FeatureView, View

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from tradespace.core.studies import Study


def add_features(frame: pl.DataFrame, study: Study) -> pl.DataFrame:
    """Return the frame with a float64 column for each feature that the study names.

    A view whose source has no path, or the path of the study's data, is computed on the rows
    given: each is an event, if it meets the condition of the source. Any other view is joined as
    of the time of each row, and so are rows that are no events.

    Raises
    ------
    FeatureError
        At the place of the study that names the view; also if a feature contains the target.

    """
    if not study.features:
        return frame
    added: dict[str, pl.Series] = {}
    of: dict[str, str] = {}
    known: dict[str, Events] = {}
    for number, reference in enumerate(study.features):
        with _named_at(study, number):
            view = load_view(reference, folder=study.folder)
            columns = _columns_of(view, frame, study, known)
        for series in columns:
            if series.name in frame.columns or series.name in added:
                who = "the data" if series.name in frame.columns else f"view {of[series.name]!r}"
                msg = f"Feature {series.name!r} of view {view.name!r} exists already, in {who}."
                raise FeatureError(
                    msg, place=study.place("features", number), remedy="Give it another name."
                )
            added[series.name], of[series.name] = series, view.name
    return frame.with_columns(list(added.values()))


def feature_lineage(study: Study) -> dict[str, Any]:
    """Return what the features of a study are: the version of each view and of each feature.

    By the reference of the view, as the study writes it. The run store keeps it, and the
    schema of every component says the version of each of its inputs.
    """
    found: dict[str, Any] = {}
    for number, reference in enumerate(study.features):
        with _named_at(study, number):
            view = load_view(reference, folder=study.folder)
        found[reference] = {
            "view": view.name,
            "version": view.hash,
            "source": view.source.name,
            "features": view.versions,
        }
    return found


@contextmanager
def _named_at(study: Study, number: int) -> Iterator[None]:
    """Let an error name the line of the study file that names the view."""
    try:
        yield
    except InputError as error:
        raise error.at(study.place("features", number)) from error


def _columns_of(
    view: View, frame: pl.DataFrame, study: Study, known: dict[str, Events]
) -> list[pl.Series]:
    own = view.source.path is None or _same_path(view.source.path, study)
    joined = not own and view.source.created is None and _shares_files(view.source.path, study)
    refuse_leaks(view, target=study.columns.target, own=own or joined, joined=joined)
    if not isinstance(view, FeatureView):
        values = compute_row_features(view, frame)
    elif own:
        key = repr(view.source.to_dict())
        if key not in known:
            known[key] = read_events(view.source, frame)
        values = _of_own_rows(view, frame, known[key])
    else:
        values = join_rows(view, frame, time=study.columns.time)
    return [pl.Series(name, array) for name, array in values.items()]


def _of_own_rows(
    view: FeatureView, frame: pl.DataFrame, events: Events
) -> dict[str, npt.NDArray[np.float64]]:
    """Return a view's features for rows that are its events, but for those left out."""
    values = compute_rows(view, events)
    if view.source.where is None:
        return values
    is_event = meets(view.source, frame)
    usable = frame[view.entity].is_not_null() & frame[view.source.time].is_not_null()
    others = frame.filter(~is_event & usable)
    asked = times_us(others, view.source.time, source=view.source)
    rest = compute_at(view, events, others[view.entity], asked)
    of_nothing = value_of_nothing(view)
    result = {}
    for name in view.names:
        array = pl.repeat(of_nothing[name], frame.height, dtype=pl.Float64, eager=True).to_numpy()
        array = array.copy()
        array[is_event.to_numpy()] = values[name]
        array[(~is_event & usable).to_numpy()] = rest[name]
        result[name] = array
    return result


def value_of_nothing(view: FeatureView) -> dict[str, float]:
    """Return what the features of a view say of an entity without events.

    Examples
    --------
    >>> from tradespace.features import EventSource, FeatureView, count, mean
    >>> view = FeatureView("v", EventSource("log"), "card", [count("1d"), mean("eur", "1d")])
    >>> value_of_nothing(view)
    {'v_count_1d': 0.0, 'v_mean_eur_1d': nan}

    """
    return dict(zip(view.names, map(_of_nothing, view.features), strict=True))


def _of_nothing(feature: Feature) -> float:
    empty = math.nan if feature.empty is None else float(feature.empty)
    if feature.parts is None:
        return 0.0 if feature.kind == "count" and feature.empty is None else empty
    above, below = (_of_nothing(part) for part in feature.parts)
    return empty if below == 0 or math.isnan(below) or math.isnan(above) else above / below


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
    check_decimals_of(source, source.path)
    columns = needed_columns(source, views)
    return read_files(source.path, columns, owner=f"Source {source.name!r}")


def needed_columns(source: EventSource, views: Iterable[View]) -> list[str]:
    """Return the columns that these views of a source read, in order of the alphabet."""
    wanted = set(source.columns)
    for view in views:
        wanted.update(view.columns)
        if isinstance(view, FeatureView):
            wanted.add(view.entity)
    return sorted(wanted)


def check_decimals_of(source: EventSource, path: str) -> None:
    """Raise FeatureError if columns with declared decimals are not there or hold no numbers."""
    owner = f"Source {source.name!r}"
    schema = scan_files(path, None, owner=owner).collect_schema() if source.decimals else {}
    for name in source.decimals:
        require_columns(pl.DataFrame(schema=schema), [name], owner=f"{owner} declares decimals and")
        check_numeric(source, name, schema[name])


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
    return study.data.kind == "file" and Path(path).resolve() == _data_of(study).resolve()


def _shares_files(path: str | None, study: Study) -> bool:
    """Return whether files of a source are among those of a study's rows."""
    if path is None or study.data.kind != "file":
        return False
    own = {Path(name).resolve() for name in files_of(str(_data_of(study)))}
    return any(Path(name).resolve() in own for name in files_of(path))


def _data_of(study: Study) -> Path:
    return Path(study.folder) / study.data.location
