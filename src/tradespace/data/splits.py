"""How rows are divided: stratified, grouped, dated with a gap, prequential; all seeded.

A study without validation rows has only the fold "test": there is no search, every candidate
is a finalist. Otherwise the fold "test" trains on the training and validation rows together
(dated: on the same length of time, ending as late as the gap allows).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from tradespace.core.errors import DataError, Place
from tradespace.core.studies import SplitSpec
from tradespace.data.dataset import Fold

if TYPE_CHECKING:
    import numpy.typing as npt

    Rows = npt.NDArray[np.int64]

_SEED = 20_260_101
_SHARES = (0.6, 0.2, 0.2)


@dataclass(frozen=True, slots=True)
class Divided:
    """Folds, and what the split came out as, for the record."""

    folds: tuple[Fold, ...]
    record: Mapping[str, Any]


def divide(
    spec: SplitSpec,
    *,
    y: npt.NDArray[Any],
    stratify: bool,
    groups: npt.NDArray[np.int64] | None,
    times_s: npt.NDArray[np.float64] | None,
    place: Place | None = None,
) -> Divided:
    """Return the folds of a study.

    Parameters
    ----------
    spec : SplitSpec
        What the study says.
    y : ndarray of shape (n_rows,)
        Labels.
    stratify : bool
        Whether `y` are classes whose shares each part keeps.
    groups : ndarray of shape (n_rows,), optional
        Codes of the entity: no entity is in two parts of a grouped split.
    times_s : ndarray of shape (n_rows,), optional
        Seconds since 1970.

    Raises
    ------
    DataError
        If a part would be empty, or a column that the method needs is not named.

    """
    method = spec.method
    if method == "auto":
        method = (
            "dated" if times_s is not None else "grouped" if groups is not None else "stratified"
        )
    if method in ("dated", "prequential"):
        if times_s is None:
            msg = f"A {method} split needs a time column."
            raise DataError(msg, place=place, remedy="Name it under 'columns: {time: ...}'.")
        divided = _dated(spec, times_s, place, method)
    else:
        if method == "grouped" and groups is None:
            msg = "A grouped split needs an entity column."
            raise DataError(msg, place=place, remedy="Name it under 'columns: {entity: ...}'.")
        divided = _random(
            spec, y, groups if method == "grouped" else None, method, stratify=stratify
        )
    for fold in divided.folds:
        for part, rows in (("train", fold.train), (fold.name, fold.score)):
            if not len(rows):
                msg = f"The {part} part of the split has no rows ({_sizes(divided.folds)})."
                remedy = "Change the lengths, the start or the shares under 'split'."
                raise DataError(msg, place=place, remedy=remedy)
    return divided


def _sizes(folds: tuple[Fold, ...]) -> str:
    return "; ".join(f"{f.name}: {len(f.train):,} train, {len(f.score):,} scored" for f in folds)


def _shares(spec: SplitSpec) -> tuple[float, float, float]:
    given = (spec.train, spec.validation, spec.test)
    if all(share is None for share in given):
        return _SHARES
    left = 1.0 - sum(share for share in given if share is not None)
    unknown = [share is None for share in given]
    fill = max(0.0, left) / max(1, sum(unknown))
    train, validation, test = (fill if share is None else share for share in given)
    return train, validation, test


def _random(
    spec: SplitSpec, y: npt.NDArray[Any], groups: Rows | None, method: str, *, stratify: bool
) -> Divided:
    """Deal units (rows or groups) into parts, class by class, in a seeded order."""
    rng = np.random.default_rng(_SEED)
    units = np.arange(len(y)) if groups is None else groups
    n_units = int(units.max()) + 1
    label = np.zeros(n_units, dtype=np.int64)
    if stratify:
        # A group belongs to the rarest class that it holds, so that positives spread evenly.
        order = np.argsort(-np.bincount(y), kind="stable")
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        np.maximum.at(label, units, rank[y])
    part_of = np.empty(n_units, dtype=np.int64)
    train, validation, _ = _shares(spec)
    for value in np.unique(label):
        members = rng.permutation(np.flatnonzero(label == value))
        edges = np.round(len(members) * np.array([train, train + validation])).astype(int)
        part_of[members[: edges[0]]] = 0
        part_of[members[edges[0] : edges[1]]] = 1
        part_of[members[edges[1] :]] = 2
    part = part_of[units]
    rows = [np.flatnonzero(part == k).astype(np.int64) for k in range(3)]
    record = {"method": method, **_named(rows, y, stratify=stratify)}
    seen = np.concatenate(rows[:2])
    seen.sort()
    test = Fold("test", seen, rows[2])
    if not len(rows[1]):
        return Divided((test,), record)
    if spec.folds > 1:
        fold_of = np.empty(n_units, dtype=np.int64)
        for value in np.unique(label):
            members = rng.permutation(np.flatnonzero((label == value) & (part_of < 2)))
            fold_of[members] = np.arange(len(members)) % spec.folds
        mine = fold_of[units[seen]]
        folds = tuple(
            Fold(f"validation:{k}", seen[mine != k], seen[mine == k]) for k in range(spec.folds)
        )
        return Divided((*folds, test), {**record, "folds": spec.folds})
    return Divided((Fold("validation", rows[0], rows[1]), test), record)


def _named(rows: list[Rows], y: npt.NDArray[Any], *, stratify: bool) -> dict[str, Any]:
    parts = {}
    for name, part in zip(("train", "validation", "test"), rows, strict=True):
        facts: dict[str, Any] = {"rows": len(part)}
        if stratify and len(part):
            facts["classes"] = np.bincount(y[part], minlength=int(y.max()) + 1).tolist()
        parts[name] = facts
    return {"parts": parts}


def _dated(
    spec: SplitSpec, times_s: npt.NDArray[np.float64], place: Place | None, method: str
) -> Divided:
    if np.isnan(times_s).any():
        msg = f"The time column has no value in {int(np.isnan(times_s).sum()):,} rows."
        raise DataError(msg, place=place, remedy="Exclude these rows, or split another way.")
    first, last = float(times_s.min()), float(times_s.max())
    train, gap, validation, test = _lengths(spec, last - first)
    start = _start(spec, place)
    periods = spec.folds if method == "prequential" and spec.folds else (1 if validation else 0)
    span = train + gap + periods * validation + (gap if periods else 0) * 0 + test
    if start is None:
        # As late as the data allow, at a whole day where lengths are whole days.
        day = 86400.0
        whole = all(length % day == 0 for length in (train, gap, validation, test))
        end = (np.floor(last / day) + 1) * day if whole else last + 1e-6
        start = max(end - span, np.floor(first / day) * day if whole else first)
    folds = []
    for k in range(periods):
        begin = start + k * validation
        scored = begin + train + gap
        name = "validation" if periods == 1 else f"validation:{k}"
        folds.append(_fold(name, times_s, begin, train, scored, validation))
    begin = start + periods * validation
    folds.append(_fold("test", times_s, begin, train, begin + train + gap, test))
    record = {
        "method": method,
        "gap_s": gap,
        "parts": {
            fold.name: {
                "train": _dates(times_s[fold.train]),
                "scored": _dates(times_s[fold.score]),
                "rows": len(fold.score),
            }
            for fold in folds
        },
    }
    return Divided(tuple(folds), record)


def _lengths(spec: SplitSpec, span_s: float) -> tuple[float, float, float, float]:
    """Return train, gap, validation and test lengths, seconds; shares of the span if <= 1."""
    given = (spec.train, spec.validation, spec.test)
    if all(part is None or part <= 1 for part in given):
        shares = _shares(spec)
        usable = max(0.0, span_s - spec.gap)
        train, validation, test = (share * usable for share in shares)
        return train, spec.gap, validation, test
    train, validation, test = (part or 0.0 for part in given)
    return train, spec.gap, validation, test


def _start(spec: SplitSpec, place: Place | None) -> float | None:
    if spec.start is None:
        return None
    try:
        parsed = datetime.fromisoformat(spec.start)
    except ValueError as error:
        msg = f"The start of the split must be an ISO date; got {spec.start!r}."
        raise DataError(msg, place=place, remedy="Write for example 2026-01-31.") from error
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


def _fold(
    name: str,
    times_s: npt.NDArray[np.float64],
    begin: float,
    train: float,
    scored: float,
    length: float,
) -> Fold:
    train_rows = np.flatnonzero((times_s >= begin) & (times_s < begin + train))
    score_rows = np.flatnonzero((times_s >= scored) & (times_s < scored + length))
    return Fold(name, train_rows.astype(np.int64), score_rows.astype(np.int64))


def _dates(times_s: npt.NDArray[np.float64]) -> list[str]:
    if not len(times_s):
        return []
    ends = (float(times_s.min()), float(times_s.max()))
    return [datetime.fromtimestamp(end, UTC).isoformat(timespec="seconds") for end in ends]
