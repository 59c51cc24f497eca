"""From a study to its rows, ready for trials."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tradespace.core.errors import DataError
from tradespace.core.studies import Study, Task
from tradespace.core.suggest import nearest
from tradespace.data.dataset import Dataset, Fold
from tradespace.data.exclude import apply_rule, kept_by_condition
from tradespace.data.inputs import InputColumn, Inputs, InputSchema, StringColumn
from tradespace.data.kinds import as_numbers, as_strings, kind_of, seconds_of
from tradespace.data.labels import encode_target
from tradespace.data.sources import open_source
from tradespace.data.splits import Divided, divide

if TYPE_CHECKING:
    import numpy.typing as npt

    AddFeatures = Callable[[pl.DataFrame, Study], pl.DataFrame]

#: Fewer rows than this are no basis for a decision.
FEWEST_ROWS = 20


def load_dataset(
    study: Study, *, extra_columns: Sequence[str] = (), add_features: AddFeatures | None = None
) -> Dataset:
    """Return the rows of a study, encoded at the component boundary and divided into folds.

    Parameters
    ----------
    study : Study
        The question.
    extra_columns : sequence of str
        Further columns that qualities need; ``__time__`` is the study's time column.
    add_features : callable, optional
        Adds the columns of the study's feature views, before any row is filtered.

    Raises
    ------
    DataError
        If the data do not fit the study, with counts and examples.

    """
    source = open_source(study.data, folder=study.folder, place=study.place("data"))
    frame = source.read(_needed(study, list(source.schema), extra_columns, add_features))
    if add_features is not None:
        frame = add_features(frame, study)
    _check_columns(study, frame.columns, extra_columns)
    notes = list(source.notes)
    frame = _filtered(study, frame, notes)
    if frame.height < FEWEST_ROWS:
        msg = f"The data have {frame.height} rows after filters; at least {FEWEST_ROWS} are needed."
        raise DataError(msg, place=study.place("data"))
    y, task, classes = encode_target(
        frame[study.columns.target],
        task=study.task,
        positive=study.positive,
        place=study.place("target"),
        positive_place=study.place("positive"),
    )
    times = None if study.columns.time is None else _times(study, frame)
    groups = _codes(frame, study.columns.entity)
    divided = divide(
        study.split,
        y=y,
        stratify=task is not Task.REGRESSION,
        groups=groups,
        times_s=times,
        place=study.place("split"),
    )
    columns = _columns(frame, extra_columns, times)
    folds = _ruled(study, divided, columns | _rule_columns(study, frame), y, times, notes)
    _check_folds(study, folds, y, task, classes)
    inputs = _inputs(study, frame, folds, notes)
    return Dataset(
        inputs=inputs,
        y=y,
        task=task,
        classes=classes,
        groups=groups,
        columns=columns,
        folds=folds,
        hash=_hash(inputs, y, groups, columns, folds),
        split=divided.record,
        notes=tuple(notes),
    )


def _needed(
    study: Study, available: list[str], extra: Sequence[str], add_features: AddFeatures | None
) -> list[str] | None:
    """Return the columns to read; None for all."""
    if study.columns.features is None or add_features is not None or study.exclude:
        never = set(study.columns.never)
        if add_features is not None or study.exclude:
            return None
        keep = {study.columns.entity, study.columns.time, study.columns.target, *extra}
        return [name for name in available if name not in never or name in keep]
    named = [
        *study.columns.features,
        study.columns.target,
        study.columns.entity,
        study.columns.time,
        *extra,
    ]
    return [name for name in dict.fromkeys(named) if name in available]


def _check_columns(study: Study, available: list[str], extra: Sequence[str]) -> None:
    named: list[tuple[str | None, tuple[str | int, ...], str]] = [
        (study.columns.target, ("target",), "target"),
        (study.columns.entity, ("columns", "entity"), "entity"),
        (study.columns.time, ("columns", "time"), "time"),
        (study.columns.id, ("columns", "id"), "id"),
    ]
    for group in ("features", "never", "protected"):
        for index, name in enumerate(getattr(study.columns, group) or ()):
            named.append((name, ("columns", group, index), group))
    named += [(name, ("columns", "types", name), "types") for name in study.columns.types]
    named += [(name, ("qualities",), "quality") for name in extra if name != "__time__"]
    for name, path, role in named:
        if name is None or name in available:
            continue
        guess = nearest(name, available)
        msg = f"The data have no column {name!r} ({role})."
        shown = ", ".join(available[:12]) + (" ..." if len(available) > 12 else "")
        remedy = f"Did you mean {guess!r}?" if guess else f"Columns are: {shown}."
        raise DataError(msg, place=study.place(*path), remedy=remedy)
    if "__time__" in extra and study.columns.time is None:
        msg = "A quality counts by period, and the study names no time column."
        raise DataError(
            msg, place=study.place("qualities"), remedy="Name it under 'columns: {time: ...}'."
        )


def _filtered(study: Study, frame: pl.DataFrame, notes: list[str]) -> pl.DataFrame:
    for spec in study.exclude:
        if spec.where is None:
            continue
        kept = kept_by_condition(frame, spec)
        dropped = int((~kept).sum())
        why = f" ({spec.why})" if spec.why else ""
        notes.append(f"Filter {spec.name!r} left out {dropped:,} of {frame.height:,} rows{why}.")
        frame = frame.filter(pl.Series(kept))
    return frame


def _times(study: Study, frame: pl.DataFrame) -> npt.NDArray[np.float64]:
    try:
        return seconds_of(frame[str(study.columns.time)])
    except DataError as error:
        raise error.at(study.place("columns", "time")) from error


def _codes(frame: pl.DataFrame, name: str | None) -> npt.NDArray[np.int64] | None:
    if name is None:
        return None
    ranks = frame[name].rank("dense").cast(pl.Int64)
    # Rows without an entity are each their own.
    missing = ranks.is_null().to_numpy()
    codes = ranks.fill_null(0).to_numpy().astype(np.int64) - 1
    if missing.any():
        codes = codes.copy()
        codes[missing] = codes.max() + 1 + np.arange(int(missing.sum()))
    return np.asarray(codes)


def _columns(
    frame: pl.DataFrame,
    extra: Sequence[str],
    times: npt.NDArray[np.float64] | None,
) -> dict[str, npt.NDArray[Any]]:
    columns: dict[str, npt.NDArray[Any]] = {}
    if times is not None:
        columns["__time__"] = times
    for name in extra:
        if name != "__time__":
            columns[name] = _plain(frame[name])
    return columns


def _plain(series: pl.Series) -> npt.NDArray[Any]:
    kind = kind_of(series)
    if kind in ("category", "text"):
        return as_strings(series).codes
    return as_numbers(series, kind)


def _rule_columns(study: Study, frame: pl.DataFrame) -> dict[str, npt.NDArray[Any]]:
    names = {str(spec.settings.get("entity")) for spec in study.exclude if spec.rule}
    return {name: _plain(frame[name]) for name in names if name in frame.columns}


def _ruled(
    study: Study,
    divided: Divided,
    columns: dict[str, npt.NDArray[Any]],
    y: npt.NDArray[Any],
    times: npt.NDArray[np.float64] | None,
    notes: list[str],
) -> tuple[Fold, ...]:
    folds = list(divided.folds)
    for spec in study.exclude:
        if spec.rule is None:
            continue
        for index, fold in enumerate(folds):
            if fold.name.partition(":")[0] not in spec.parts:
                continue
            folds[index] = apply_rule(spec, fold, columns=columns, y=y, times_s=times)
            dropped = len(fold.score) - len(folds[index].score)
            notes.append(
                f"Filter {spec.name!r} left out {dropped:,} of {len(fold.score):,} rows of "
                f"{fold.name}."
            )
    return tuple(folds)


def _check_folds(
    study: Study, folds: tuple[Fold, ...], y: npt.NDArray[Any], task: Task, classes: tuple[str, ...]
) -> None:
    if task is Task.REGRESSION:
        return
    for fold in folds:
        for part, rows in (("train", fold.train), ("scored", fold.score)):
            counts = np.bincount(y[rows], minlength=len(classes))
            if task is Task.BINARY or part == "train":
                for code in np.flatnonzero(counts == 0):
                    msg = (
                        f"The {part} rows of fold {fold.name!r} ({len(rows):,} rows) have no row "
                        f"of class {classes[code]!r}."
                    )
                    remedy = "Lengthen the part, or split another way."
                    raise DataError(msg, place=study.place("split"), remedy=remedy)


def _inputs(study: Study, frame: pl.DataFrame, folds: tuple[Fold, ...], notes: list[str]) -> Inputs:
    out = {study.columns.target, study.columns.id, *study.columns.never}
    if study.columns.features is None:
        # Entity and time say whose row it is and when; as inputs they must be asked for.
        out |= {study.columns.entity, study.columns.time}
        names = [name for name in frame.columns if name not in out]
    else:
        names = [name for name in study.columns.features if name not in study.columns.never]
    inputs: list[InputColumn] = []
    skipped = []
    for name in names:
        kind = study.columns.types.get(name) or kind_of(frame[name])
        if kind == "other":
            skipped.append(name)
        else:
            inputs.append(InputColumn(name, kind))  # type: ignore[arg-type]  # the study checks it
    if skipped:
        notes.append(
            f"No family can take these columns, so they are left out: {', '.join(skipped)}."
        )
    if not inputs:
        msg = "No column is left to predict from."
        raise DataError(msg, place=study.place("columns"))
    del folds
    schema = InputSchema(tuple(inputs))
    numbers = np.empty((frame.height, len(schema.numbers)), dtype=np.float64)
    strings: list[StringColumn] = []
    for index, column in enumerate(schema.numbers):
        try:
            numbers[:, index] = as_numbers(frame[column.name], column.kind)
        except DataError as error:
            raise error.at(study.place("columns", "types", column.name)) from error
    strings.extend(as_strings(frame[column.name]) for column in schema.strings)
    return Inputs(schema, numbers, tuple(strings))


def _hash(
    inputs: Inputs,
    y: npt.NDArray[Any],
    groups: npt.NDArray[np.int64] | None,
    columns: dict[str, npt.NDArray[Any]],
    folds: tuple[Fold, ...],
) -> str:
    """Return a hash of the content, whatever format and file it came from."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(repr(inputs.schema.to_dict()).encode())
    arrays: list[npt.NDArray[Any]] = [inputs.numbers, y]
    for column in inputs.strings:
        digest.update("\0".join(column.levels).encode())
        arrays.append(column.codes)
    if groups is not None:
        arrays.append(groups)
    arrays.extend(columns[name] for name in sorted(columns))
    for fold in folds:
        digest.update(fold.name.encode())
        arrays += [fold.train, fold.score]
    for array in arrays:
        digest.update(np.ascontiguousarray(array).view(np.uint8).reshape(-1).data)
    return digest.hexdigest()
