"""How rows are divided into folds: stratified, grouped, dated and prequential.

What the test fold trains on: with durations, a window as long as the train length that ends
one gap before the test part; with shares, all rows before the gap; stratified and grouped,
every row that is not in the test part.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tradespace.core.errors import DataError
from tradespace.core.studies import SplitSpec
from tradespace.data.dataset import Fold

if TYPE_CHECKING:
    import numpy.typing as npt

    Rows = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]

_DAY_S = 86_400.0


def resolve_method(spec: SplitSpec, *, time: bool, entity: bool) -> str:
    """Return the method that "auto" stands for: dated, grouped or stratified."""
    if spec.method != "auto":
        return spec.method
    return "dated" if time else "grouped" if entity else "stratified"


def make_folds(
    spec: SplitSpec,
    *,
    y: npt.NDArray[Any],
    time: Floats | None,
    groups: Rows | None,
    seed: int = 0,
) -> tuple[tuple[Fold, ...], dict[str, Any], dict[str, float]]:
    """Return the folds, their record and the earliest train time of each dated fold.

    Parameters
    ----------
    spec : SplitSpec
        What the study says.
    y : ndarray of shape (n_rows,)
        Class codes, or targets (float64: not stratified).
    time : ndarray of shape (n_rows,), optional
        Seconds since 1970 UTC.
    groups : ndarray of shape (n_rows,), optional
        Codes of the entity, 0..n_groups-1.
    seed : int
        Of the shuffles.

    Raises
    ------
    DataError
        If a column that the method needs is missing, or a length does not fit.

    """
    method = resolve_method(spec, time=time is not None, entity=groups is not None)
    if method in ("dated", "prequential"):
        if time is None:
            msg = f"A {method} split needs a time column."
            raise DataError(msg, remedy="Name it under columns: time.")
        folds, record, starts = _dated(spec, method, time)
    else:
        if method == "grouped" and groups is None:
            msg = "A grouped split needs the column of the entity."
            raise DataError(msg, remedy="Name it under columns: entity.")
        units = groups if method == "grouped" and groups is not None else None
        folds, record, starts = _shares(spec, y, units, seed), {}, {}
    return folds, {"method": method, **record}, starts


def _shares(
    spec: SplitSpec, y: npt.NDArray[Any], units: Rows | None, seed: int
) -> tuple[Fold, ...]:
    validation = 0.2 if spec.validation is None else spec.validation
    test = 0.2 if spec.test is None else spec.test
    train = 1.0 - validation - test if spec.train is None else spec.train
    if min(train, validation, test) < 0 or train <= 0 or train + validation + test > 1 + 1e-9:
        msg = (
            f"The shares train {train:g}, validation {validation:g} and test {test:g} "
            "must be positive and add up to at most 1."
        )
        raise DataError(msg, remedy="For instance train: 0.6, validation: 0.2, test: 0.2.")
    n = max(spec.folds, 0)
    if n:
        shares = [(1 - test) / n] * n + [test]
    else:
        shares = [train, validation, test, max(0.0, 1 - train - validation - test)]
    part = _assign(shares, y, units, np.random.default_rng(seed))
    if n:
        pool = np.flatnonzero(part < n)
        folds = [
            Fold(f"validation:{i}", np.flatnonzero((part < n) & (part != i)),
                 np.flatnonzero(part == i))
            for i in range(n)
        ]  # fmt: skip
        return (*folds, Fold("test", pool, np.flatnonzero(part == n)))
    found = []
    if validation > 0:
        found.append(Fold("validation", np.flatnonzero(part == 0), np.flatnonzero(part == 1)))
    return (*found, Fold("test", np.flatnonzero(part <= 1), np.flatnonzero(part == 2)))


def _assign(
    shares: list[float], y: npt.NDArray[Any], units: Rows | None, rng: np.random.Generator
) -> Rows:
    """Return the part of each row; classes (and whole units) shared out as the shares say."""
    strata = np.zeros(len(y), dtype=np.int64) if y.dtype.kind == "f" else y.astype(np.int64)
    if units is None:
        part = np.zeros(len(y), dtype=np.int64)
        for stratum in np.unique(strata):
            rows = rng.permutation(np.flatnonzero(strata == stratum))
            cuts = np.round(np.cumsum(shares[:-1]) * len(rows)).astype(np.int64)
            for i, chunk in enumerate(np.split(rows, cuts)):
                part[chunk] = i
        return part
    n_units, n_strata = int(units.max()) + 1, int(strata.max()) + 1
    counts = np.zeros((n_units, n_strata))
    np.add.at(counts, (units, strata), 1)
    wanted = np.outer(shares, counts.sum(axis=0))
    scale = np.maximum(counts.sum(axis=0), 1)
    held = np.zeros_like(wanted)
    # Rare classes and big entities first: what is placed last can still even out.
    order = rng.permutation(n_units)
    order = order[np.argsort(-(counts / scale).sum(axis=1)[order], kind="stable")]
    unit_part = np.zeros(n_units, dtype=np.int64)
    for unit in order:
        lack = ((wanted - held) / scale) @ (counts[unit] / scale)
        lack[[share <= 0 for share in shares]] = -np.inf
        best = int(np.argmax(lack))
        unit_part[unit] = best
        held[best] += counts[unit]
    return unit_part[units]


def _iso(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).replace(tzinfo=None).isoformat()


def parse_start(text: str) -> float:
    """Return an ISO date as seconds since 1970 UTC.

    Raises
    ------
    DataError
        If it is not an ISO date.

    Examples
    --------
    >>> parse_start("2018-07-25")
    1532476800.0

    """
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        msg = f"The start {text!r} of the split is not an ISO date."
        raise DataError(msg, remedy="Write it like 2018-07-25.") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()


def _dated(
    spec: SplitSpec, method: str, time: Floats
) -> tuple[tuple[Fold, ...], dict[str, Any], dict[str, float]]:
    first, last = float(np.nanmin(time)), float(np.nanmax(time))
    n = spec.folds or (4 if method == "prequential" else 0)
    lengths = (spec.train, spec.validation, spec.test)
    if all(length is None or length <= 1 for length in lengths):
        windows = _by_shares(spec, time, n)
    else:
        windows = _by_lengths(spec, first, last, n)
    folds, record, starts = [], {}, {}
    for name, (a, b, c, d) in windows.items():
        folds.append(
            Fold(
                name,
                np.flatnonzero((time >= a) & (time < b)),
                np.flatnonzero((time >= c) & (time < d)),
            )
        )
        record[name] = {
            "train_from": _iso(a), "train_to": _iso(b), "score_from": _iso(c), "score_to": _iso(d),
        }  # fmt: skip
        starts[name] = a
    return tuple(folds), {"dates": record}, starts


def _by_lengths(
    spec: SplitSpec, first: float, last: float, n: int
) -> Mapping[str, tuple[float, float, float, float]]:
    test = spec.test if spec.test is not None else spec.validation
    train = spec.train if spec.train is not None else test
    if not train or not test:
        msg = "A dated split with lengths needs a train and a test length."
        raise DataError(msg, remedy="For instance train: 7 days, gap: 7 days, test: 7 days.")
    validation = (test if n else 0.0) if spec.validation is None else spec.validation
    periods = n or (1 if validation > 0 else 0)
    total = train + spec.gap + periods * validation + test
    if spec.start is not None:
        start = parse_start(spec.start)
    else:
        whole = all(x % _DAY_S == 0 for x in (train, spec.gap, validation, test))
        start = (np.floor(last / _DAY_S) * _DAY_S + _DAY_S if whole else last + 1e-6) - total
    if start > last or start + total <= first:
        msg = (
            f"The split runs from {_iso(start)} to {_iso(start + total)}, but the data run "
            f"from {_iso(first)} to {_iso(last)}."
        )
        raise DataError(msg, remedy="Choose a start within the data, or leave it out.")
    windows = {}
    for i in range(periods):
        a = start + i * validation
        b = a + train + spec.gap
        name = f"validation:{i}" if n else "validation"
        windows[name] = (a, a + train, b, b + validation)
    a = start + periods * validation
    b = a + train + spec.gap
    windows["test"] = (a, a + train, b, b + test)
    return windows


def _by_shares(
    spec: SplitSpec, time: Floats, n: int
) -> Mapping[str, tuple[float, float, float, float]]:
    """Return windows by shares of the rows in order of time, cut between different times."""
    test = 0.2 if spec.test is None else spec.test
    validation = (0.4 if n else 0.2) if spec.validation is None else spec.validation
    train = 1 - validation - test if spec.train is None else spec.train
    if min(train, test) <= 0 or train + validation + test > 1 + 1e-9:
        msg = "The shares of a dated split must be positive and add up to at most 1."
        raise DataError(msg, remedy="For instance train: 0.6, validation: 0.2, test: 0.2.")
    ordered = np.sort(time[~np.isnan(time)])

    def at(share: float) -> float:
        index = round(share * len(ordered))
        return float(ordered[index]) if index < len(ordered) else float(ordered[-1]) + 1e-3

    start = 1 - train - validation - test
    begin, periods = at(max(start, 0.0)), n or (1 if validation > 0 else 0)
    cuts = [at(start + train + i * validation / max(periods, 1)) for i in range(periods + 1)]
    windows = {
        (f"validation:{i}" if n else "validation"): (
            begin,
            cuts[i] - spec.gap,
            cuts[i],
            cuts[i + 1],
        )
        for i in range(periods)
    }
    windows["test"] = (begin, cuts[-1] - spec.gap, cuts[-1], at(1.0))
    return windows
