"""Tables of labels: whose rows they are and of when, as the source writes both; joined tables."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from tradespace.core.errors import FeatureError
from tradespace.core.suggest import unknown_name
from tradespace.features.batch.events import times_us
from tradespace.features.batch.study_columns import files_of
from tradespace.features.build.manifest import write_whole, writing
from tradespace.features.define.views import FeatureView, View

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def refuse_place(out: Path, *, inputs: Iterable[str]) -> None:
    """Raise FeatureError if a table cannot be written to a place, or would replace an input.

    Parameters
    ----------
    out : path
    inputs : iterable of str
        Files and globs that are read.

    """
    if out.suffix.lower() not in (".parquet", ".csv"):
        msg = f"A joined table ends in .parquet or .csv; got {str(out)!r}."
        raise FeatureError(msg, remedy=f"Write it like '{out.stem or 'joined'}.parquet'.")
    if out.is_dir():
        msg = f"{str(out)!r} is a folder; a joined table is one file."
        raise FeatureError(msg, remedy="Give --out another name.")
    for path in inputs:
        if any(Path(file).resolve() == out.resolve() for file in files_of(path)):
            msg = f"{str(out)!r} is read here, and would be replaced."
            raise FeatureError(msg, remedy="Give --out another name.")


def write_table(frame: pl.DataFrame, out: Path) -> None:
    """Write a table by its ending, Parquet or CSV, whole or not at all; makes its folder.

    Raises
    ------
    FeatureError
        If it has another ending or cannot be written.

    """
    refuse_place(out, inputs=())
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
    write_whole(out, frame.write_csv if out.suffix.lower() == ".csv" else frame.write_parquet)


def entities_of(view: FeatureView, labels: pl.DataFrame, owner: str) -> pl.Series:
    """Return the column of a table that names the entity of a view.

    Raises
    ------
    FeatureError
        If the table lacks it, or it has missing values.

    """
    key = view.key or view.entity
    _require(labels, key, view, owner, hint="Or name the column in the view: key='...'.")
    entities = labels[key]
    if entities.null_count():
        row = int(entities.is_null().arg_max() or 0)
        msg = f"{owner} lacks {entities.null_count()} entities in column {key!r}, first in row "
        msg += f"{row}."
        raise FeatureError(msg, remedy="Leave those rows out, or give them an entity of their own.")
    return entities


def times_of(labels: pl.DataFrame, name: str, *, view: View, owner: str) -> npt.NDArray[np.int64]:
    """Return the times of a table as microseconds since 1970 UTC; text is read as in CSV files.

    Raises
    ------
    FeatureError
        If the table lacks the column, or it holds no times or missing ones.

    """
    _require(labels, name, view, owner, hint="Name it with --time.")
    times = labels[name]
    if times.null_count():
        row = int(times.is_null().arg_max() or 0)
        msg = f"{owner} lacks {times.null_count()} times in column {name!r}, first in row {row}."
        raise FeatureError(msg, remedy="Leave those rows out: features are as of a time.")
    if times.dtype == pl.String and len(times):
        text = io.BytesIO(labels.select(name).write_csv().encode())
        read = pl.read_csv(text, try_parse_dates=True, infer_schema_length=None)[name]
        times = read if len(read) == len(times) and not read.null_count() else times
    if not times.dtype.is_temporal() or times.dtype in (pl.Time, pl.Duration):
        few = ", ".join(repr(value) for value in labels[name].head(2).to_list())
        msg = f"Column {name!r} of {_within(owner)} must hold times; got {labels[name].dtype}"
        msg += f" (for example {few})." if few else "."
        raise FeatureError(
            msg, remedy="Write them like '2024-05-01 12:00:00', all alike, or store times."
        )
    # What is wrong with a single time is the table's, not the source's.
    named = replace(view.source, name=_within(owner))
    return times_us(times.to_frame(), name, source=named)


def as_in_source(
    entities: pl.Series, held: pl.Series, *, view: FeatureView, owner: str
) -> pl.Series:
    """Return entities of a table with the type that they have in the source.

    Raises
    ------
    FeatureError
        If the types differ and a value could change, like '007' that becomes 7.

    """
    text = (pl.String, pl.Categorical, pl.Enum)
    if entities.dtype == held.dtype or (entities.dtype in text and held.dtype in text):
        return entities
    try:
        moved = entities.cast(held.dtype, strict=True)
        exact = bool((moved.cast(entities.dtype, strict=True) == entities).all())
    except pl.exceptions.PolarsError:
        exact = False
    if exact and held.dtype in text:
        exact = _writes_numbers(held.unique().cast(pl.String), entities.dtype)
    if exact or not len(entities):
        return entities.cast(held.dtype, strict=False)
    key = view.key or view.entity
    few = [", ".join(repr(v) for v in series.head(2).to_list()) for series in (entities, held)]
    msg = (
        f"Entities are {entities.dtype} in column {key!r} of {_within(owner)} (for example "
        f"{few[0]}) but {held.dtype} in column {view.entity!r} of source {view.source.name!r} "
        f"(for example {few[1]})."
    )
    raise FeatureError(msg, remedy="Store them with one type in both.")


def _writes_numbers(held: pl.Series, dtype: pl.DataType) -> bool:
    """Return whether text holds numbers of a type, each written in the one usual way."""
    numbers = held.cast(dtype, strict=False)
    written = numbers.is_not_null()
    return bool(written.any()) and bool((numbers.cast(pl.String) == held).filter(written).all())


def _require(labels: pl.DataFrame, name: str, view: View, owner: str, *, hint: str) -> None:
    if name not in labels.columns:
        message, remedy = unknown_name("column", name, labels.columns)
        msg = f"{owner} lacks what view {view.name!r} needs. {message}"
        raise FeatureError(msg, remedy=f"{remedy} {hint}".strip())


def _within(owner: str) -> str:
    return owner[0].lower() + owner[1:]


def refuse_taken(names: Iterable[str], labels: pl.DataFrame, view: View, owner: str) -> None:
    """Refuse features whose names the table has already."""
    for name in names:
        if name in labels.columns:
            msg = f"{owner} has a column {name!r} already, which is a feature of view "
            msg += f"{view.name!r}."
            raise FeatureError(msg, remedy="Rename the column, or give the feature a name.")
