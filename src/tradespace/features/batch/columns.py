"""The columns that features read, as numbers: whole ones where sums must be exact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tradespace.core.errors import FeatureError
from tradespace.features.batch.events import require_columns
from tradespace.features.define.expression_types import condition
from tradespace.features.define.features import Feature, leaves
from tradespace.features.define.views import FeatureView

if TYPE_CHECKING:
    import numpy.typing as npt

#: Numbers that are checked at a time, so that they stay in the cache.
_AT_ONCE = 1 << 15

#: Features read numbers of these kinds.
_NUMERIC = ("sum", "mean", "min", "max", "std", "last", "decayed_mean")


class Columns:
    """What the features of a view read, in the order of the events given.

    Parameters
    ----------
    view : FeatureView
    frame : DataFrame
        The events, each once.

    Raises
    ------
    FeatureError
        If a column is missing or holds what cannot be aggregated.

    """

    def __init__(self, view: FeatureView, frame: pl.DataFrame) -> None:
        require_columns(frame, view.columns, owner=f"View {view.name!r}")
        self.numbers: dict[str, tuple[npt.NDArray[Any], int]] = {}
        self.codes: dict[str, npt.NDArray[np.int64]] = {}
        self.valid: dict[str, npt.NDArray[np.bool_] | None] = {}
        for feature in leaves(view.features):
            name = feature.column
            if name is not None and feature.kind in _NUMERIC and name not in self.numbers:
                self.numbers[name] = exact_numbers(frame[name], view)
            if name is not None and feature.share:
                _shares(frame[name], view)
            if name is not None and feature.kind == "distinct" and name not in self.codes:
                dense = frame[name].rank("dense").fill_null(0)
                self.codes[name] = dense.cast(pl.Int64).to_numpy()
            key = choice(feature)
            if key not in self.valid:
                self.valid[key] = _valid(feature, view, frame)


def _shares(series: pl.Series, view: FeatureView) -> None:
    """Raise FeatureError if a column holds more than true and false, or 1 and 0."""
    if series.dtype == pl.Boolean:
        return
    other = series.filter((series != 0) & (series != 1) & series.is_not_null())
    if series.dtype.is_float():
        other = other.drop_nans()
    if len(other):
        msg = (
            f"View {view.name!r} takes the rate of column {series.name!r}, which holds "
            f"{len(other)} numbers other than 0 and 1, like {other[0]!r}."
        )
        raise FeatureError(
            msg, remedy="Take the mean of a number, or the rate of a column of booleans."
        )


def choice(feature: Feature) -> str:
    """Return which events a feature counts, as text: its column and its filter."""
    return f"{feature.column}|{'' if feature.where is None else feature.where.text}"


def _valid(
    feature: Feature, view: FeatureView, frame: pl.DataFrame
) -> npt.NDArray[np.bool_] | None:
    """Return which events a feature counts; None: all."""
    mask = None
    if feature.column is not None:
        series = frame[feature.column]
        if series.null_count():
            mask = series.is_not_null()
        if series.dtype.is_float() and series.is_nan().any():
            numbers = series.is_not_nan().fill_null(value=False)
            mask = numbers if mask is None else mask & numbers
    if feature.where is not None:
        zone, owner = view.source.time_zone, f"Conditions of view {view.name!r}"
        kept = condition(feature.where, frame, time_zone=zone, owner=owner)
        mask = kept if mask is None else mask & kept
    return None if mask is None else mask.to_numpy()


def exact_numbers(series: pl.Series, view: FeatureView) -> tuple[npt.NDArray[Any], int]:
    """Return a column as numbers, and the divisor that gives its values (cents: 100).

    Whole numbers come in few bits where they fit, because they are gathered later. Missing
    values become 0; they are left out by a mask.

    Raises
    ------
    FeatureError
        If it holds no numbers, infinite ones, or more decimals than declared.

    """
    if not (series.dtype.is_numeric() or series.dtype == pl.Boolean):
        msg = (
            f"View {view.name!r} aggregates column {series.name!r}, which holds {series.dtype}, "
            "not numbers."
        )
        raise FeatureError(msg, remedy="Count it, or take its distinct values.")
    if series.dtype == pl.Boolean:
        return series.cast(pl.Int8).fill_null(0).to_numpy(), 1
    if series.dtype.is_signed_integer():
        return series.fill_null(0).to_numpy(), 1
    if series.dtype.is_integer():
        return series.cast(pl.Int64).fill_null(0).to_numpy(), 1
    values = series.cast(pl.Float64).fill_null(0.0).fill_nan(0.0).to_numpy()
    digits = view.source.decimals.get(series.name)
    if digits is None:
        _finite(values, series, view)
        return values, 1
    return _whole(values, series, view, digits), 10**digits


def _finite(values: npt.NDArray[np.float64], series: pl.Series, view: FeatureView) -> None:
    if not np.isfinite(values).all():
        msg = f"Column {series.name!r} of source {view.source.name!r} holds infinite values."
        raise FeatureError(msg, remedy="Make them missing, or leave those events out.")


def _whole(
    values: npt.NDArray[np.float64], series: pl.Series, view: FeatureView, digits: int
) -> npt.NDArray[Any]:
    """Return numbers of so many decimals as whole ones of their smallest unit."""
    divisor = 10**digits
    whole = np.empty(len(values), np.int64)
    greatest, n_wrong, example = 0.0, 0, 0.0
    for at in range(0, len(values), _AT_ONCE):
        part = values[at : at + _AT_ONCE]
        _finite(part, series, view)
        scaled = np.rint(part * divisor)
        whole[at : at + _AT_ONCE] = scaled
        greatest = max(greatest, float(np.abs(scaled).max()))
        # A value that was computed may miss the decimal it means by a last bit or two.
        wrong = np.flatnonzero(np.abs(scaled / divisor - part) > 1e-12 * np.abs(part))
        if len(wrong):
            example = example if n_wrong else float(part[wrong[0]])
            n_wrong += len(wrong)
    if n_wrong:
        msg = (
            f"Column {series.name!r} of source {view.source.name!r} is declared with {digits} "
            f"decimals, but {n_wrong} values have more, like {example!r}."
        )
        raise FeatureError(msg, remedy="Declare more decimals, or none.")
    return whole.astype(np.int32) if greatest < 1 << 31 else whole
