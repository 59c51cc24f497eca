"""A first look at a table: what each column seems to be for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tradespace.core.errors import DataError
from tradespace.core.profiles import ColumnKind, ColumnProfile, ColumnRole, TableProfile
from tradespace.core.studies import DataSpec, Task
from tradespace.core.suggest import unknown
from tradespace.data import kinds
from tradespace.data.inputs import StringColumn
from tradespace.data.labels import POSITIVE_WORDS, find_task, label_text
from tradespace.data.sources import open_source

if TYPE_CHECKING:
    import numpy.typing as npt

#: Findings rest on at most this many rows, drawn with seed 0.
SAMPLE_ROWS = 100_000
#: From this AUC (or share of variance explained) of one column alone on, it is suspected.
_LEAK = 0.99
_ID_NAME = re.compile(r"(^|_)(id|uuid|guid|key|no|number)$", re.IGNORECASE)
#: What such a name, with or without an id behind it, names often comes again.
_ENTITY_NAME = re.compile(
    r"(^|_)(customer|client|user|member|patient|subject|person|speaker|student|employee|account"
    r"|card|household|device|machine|sensor|vehicle|terminal|merchant|supplier|seller|buyer)"
    r"(_?(id|uuid|guid|key|no|number|code|name))?$",
    re.IGNORECASE,
)
#: A name without an id behind it may be a category (device: phone, tablet) or an amount, so its
#: values must come again seldom: this many times on average, at most.
_SELDOM = 50
_LEAK_NAME = re.compile(r"scenario|outcome|resolution|chargeback", re.IGNORECASE)
_TARGET_NAME = re.compile(r"^(target|label|class|y|is_.*|.*fraud|churn.*)$", re.IGNORECASE)


def profile_table(
    location: str | Path, *, target: str | None = None, folder: str | Path = "."
) -> TableProfile:
    """Return what a first look at a table finds.

    Parameters
    ----------
    location : str or Path
        A file, a glob or "sklearn:NAME".
    target : str, optional
        The column to predict.
    folder : path
        Where the study will stand; the profile names the file relative to it if it can.

    Raises
    ------
    DataError
        If the table cannot be read or the target is not named or not a column.

    """
    text = str(location)
    source = open_source(DataSpec("sklearn" if text.startswith("sklearn:") else "file", text))
    names = list(source.schema)
    if target is None:
        likely = [n for n in names if _TARGET_NAME.search(n)] or names[-1:]
        msg = f"The target is not named; likely columns are: {', '.join(likely[:5])}."
        raise DataError(msg, remedy=f"Add --target {likely[0]}.")
    if target not in names:
        raise unknown(DataError, "column", target, names)
    frame = source.read()
    rows = frame.height
    sampled = rows > SAMPLE_ROWS
    head = frame.sample(SAMPLE_ROWS, seed=0) if sampled else frame
    labels = frame[target]
    task = find_task(labels)
    counts = _counts(labels, task)
    columns = _columns(head, target, task)
    times = [c.name for c in columns if c.role is ColumnRole.TIME]
    dates = [str(labels_) for labels_ in _range(frame[times[0]])] if times else [None, None]
    return TableProfile(
        path=_relative(text, Path(folder)),
        rows=rows,
        columns=columns,
        task=task,
        class_counts={label_text(value): n for value, n in counts.items()},
        positive=_positive(counts) if task is Task.BINARY else None,
        missing_target=labels.null_count(),
        sampled_rows=SAMPLE_ROWS if sampled else None,
        first=dates[0],
        last=dates[1],
        notes=source.notes,
    )


def _relative(text: str, folder: Path) -> str:
    if text.startswith("sklearn:"):
        return text
    path, base = Path(text).resolve(), folder.resolve()
    return str(path.relative_to(base)) if path.is_relative_to(base) else str(path)


def _range(series: pl.Series) -> tuple[str, str]:
    times = kinds.as_times(series)
    if times is None:
        return "", ""
    low, high = np.nanmin(times), np.nanmax(times)
    first, last = (
        str(np.datetime64(int(value), "s")).removesuffix("T00:00:00") for value in (low, high)
    )
    return first, last


def _counts(labels: pl.Series, task: Task) -> dict[object, int]:
    if task is Task.REGRESSION:
        return {}
    table = labels.drop_nulls().value_counts(sort=True)
    return dict(zip(table[labels.name].to_list(), table["count"].to_list(), strict=True))


def _positive(counts: dict[object, int]) -> bool | int | float | str | None:
    words = [label for label in counts if label_text(label).lower() in POSITIVE_WORDS]
    found = words[0] if len(words) == 1 else min(counts, key=lambda k: counts[k], default=None)
    return found if isinstance(found, bool | int | float | str) else None


def _columns(frame: pl.DataFrame, target: str, task: Task) -> tuple[ColumnProfile, ...]:
    goal = _goal(frame[target], task)
    found: list[ColumnProfile] = []
    seen: dict[int, str] = {}
    taken: set[ColumnRole] = set()
    for name in frame.columns:
        series = frame[name]
        kind: ColumnKind
        values: npt.NDArray[np.float64] | StringColumn | None
        try:
            kind, values = kinds.convert(series)
        except DataError:
            # What no component can take is a finding here, not an error.
            kind, values = "other", None
            unusable = "infinite values" if series.dtype.is_numeric() else str(series.dtype)
        role, reason, copy_of = ColumnRole.FEATURE, "", None
        distinct = series.drop_nulls().n_unique() if values is not None else 0
        key = hash(series.cast(pl.String).hash().to_numpy().tobytes()) if values is not None else 0
        if name == target:
            role = ColumnRole.TARGET
        elif values is None:
            role, reason = ColumnRole.UNUSABLE, f"holds {unusable}"
        elif distinct <= 1:
            role, reason = ColumnRole.CONSTANT, "the same in every row"
        elif key in seen and seen[key] != target:
            role, copy_of = ColumnRole.DUPLICATE, seen[key]
            reason = f"repeats {copy_of}"
        else:
            role, reason = _role(name, kind, values, distinct, frame.height, goal)
            if role in (ColumnRole.ENTITY, ColumnRole.TIME):
                if role in taken:
                    role, reason = ColumnRole.FEATURE, ""
                taken.add(role)
        seen.setdefault(key, name)
        missing = series.null_count()
        if isinstance(values, np.ndarray):
            missing = int(np.isnan(values).sum())
        elif isinstance(values, StringColumn):
            missing = int((values.codes < 0).sum())
        found.append(
            ColumnProfile(
                name=name,
                kind=kind,
                role=role,
                missing=missing / frame.height,
                distinct=distinct,
                examples=tuple(map(str, series.drop_nulls().head(3).to_list())),
                reason=reason,
                copy_of=copy_of,
            )
        )
    return tuple(found)


def _role(
    name: str,
    kind: ColumnKind,
    values: npt.NDArray[np.float64] | StringColumn,
    distinct: int,
    n: int,
    goal: npt.NDArray[np.float64] | None,
) -> tuple[ColumnRole, str]:
    strings = isinstance(values, StringColumn)
    if _LEAK_NAME.search(name):
        return ColumnRole.LEAK, "its name suggests that it is known only after the outcome"
    if kind == "date":
        return ColumnRole.TIME, "holds dates"
    if kind != "text" and distinct == n and n > 1 and (strings or _ID_NAME.search(name)):
        return ColumnRole.ID, "different in every row"
    array = values.codes.astype(np.float64) if isinstance(values, StringColumn) else values
    if goal is not None and distinct < n / 2 + 2 * (not strings) * n:
        power = _power(array, goal, strings=strings)
        if power >= _LEAK:
            return ColumnRole.LEAK, f"predicts the target alone ({power:.3f} of 1)"
    if _names_things(name, values) and _comes_again(name, distinct, n):
        return ColumnRole.ENTITY, f"names {distinct:,} things that come again"
    return (ColumnRole.TEXT, "sentences") if kind == "text" else (ColumnRole.FEATURE, "")


def _snake(name: str) -> str:
    """Return customerId as customer_id."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[\s.-]+", "_", name)


def _names_things(name: str, values: npt.NDArray[np.float64] | StringColumn) -> bool:
    """Return whether a column is named as one of ids, or of things, and can hold them."""
    if _ID_NAME.search(_snake(name)):
        return True
    if not _ENTITY_NAME.search(_snake(name)):
        return False
    if isinstance(values, StringColumn):
        return True
    known = values[~np.isnan(values)]
    return bool((known == np.round(known)).all())


def _comes_again(name: str, distinct: int, n: int) -> bool:
    """Return whether values come again about as often as those of customers do."""
    most = 1000 if _ID_NAME.search(_snake(name)) else _SELDOM
    return n / most < distinct <= n / 2


def _goal(series: pl.Series, task: Task) -> npt.NDArray[np.float64] | None:
    if task is Task.MULTICLASS:
        return None
    if task is Task.REGRESSION:
        return np.asarray(series.cast(pl.Float64, strict=False).to_numpy(), dtype=np.float64)
    codes = series.rank("dense").cast(pl.Float64) - 1
    return np.asarray(codes.fill_null(float("nan")).to_numpy(), dtype=np.float64)


def _power(x: npt.NDArray[np.float64], goal: npt.NDArray[np.float64], *, strings: bool) -> float:
    """Return how well one column alone tells the target: AUC, or share of variance (levels)."""
    ok = ~np.isnan(goal) & ~np.isnan(x)
    x, goal = x[ok], goal[ok]
    if len(x) == 0 or goal.var() == 0:
        return 0.0
    binary = bool(np.isin(goal, (0.0, 1.0)).all())
    if strings:
        _, codes = np.unique(x, return_inverse=True)
        means = np.bincount(codes, goal) / np.bincount(codes)
        return float(means[codes].var() / goal.var())
    if not binary:
        return float(np.corrcoef(x, goal)[0, 1] ** 2) if x.var() > 0 else 0.0
    ranks = pl.Series(x).rank("average").to_numpy()
    n_pos = goal.sum()
    n_neg = len(goal) - n_pos
    auc = (ranks[goal == 1].sum() - n_pos * (n_pos + 1) / 2) / (n_pos * n_neg)
    return float(max(auc, 1 - auc))
