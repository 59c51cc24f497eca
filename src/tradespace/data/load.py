"""The data of a study: read, filtered, checked and divided."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tradespace.core.errors import DataError
from tradespace.core.studies import ExcludeSpec, Study, Task
from tradespace.core.suggest import unknown_name
from tradespace.data import exclude, kinds
from tradespace.data.dataset import Dataset, Fold
from tradespace.data.inputs import InputColumn, Inputs, InputSchema, StringColumn
from tradespace.data.labels import encode_target
from tradespace.data.places import column_place
from tradespace.data.sources import open_source
from tradespace.data.splits import make_folds
from tradespace.files.units import parse_quantity

if TYPE_CHECKING:
    import numpy.typing as npt

    Rows = npt.NDArray[np.int64]

AddFeatures = Callable[[pl.DataFrame, Study], pl.DataFrame]
#: A category with more different values than this share of the rows is an id.
_ID_SHARE = 0.95
_FEW_ROWS = 20
_PARTS = {"train", "validation", "test"}


def load_dataset(
    study: Study,
    *,
    extra_columns: Sequence[str] = (),
    add_features: AddFeatures | None = None,
    versions: Mapping[str, str] | None = None,
) -> Dataset:
    """Return the rows of a study that passed its filters, divided into folds.

    Parameters
    ----------
    study : Study
        The question.
    extra_columns : sequence of str
        Columns that qualities need besides.
    add_features : callable, optional
        Adds the columns of feature views to the table; it sees every row, so that windows
        reach back before the training starts.
    versions : Mapping of str to str, optional
        Versions of the definitions of features, by the name of the column.

    Raises
    ------
    DataError
        If the data do not fit the study.

    """
    source = open_source(study.data, folder=study.folder, place=study.place("data"))
    columns = study.columns
    notes = list(source.notes)
    raw = list(source.schema)
    _known(study, raw if add_features is None else None, extra_columns)
    frame = source.read()
    if add_features is not None:
        frame = add_features(frame, study)
        _known(study, frame.columns, extra_columns)
    added = [name for name in frame.columns if name not in source.schema]
    for spec in study.exclude:
        if spec.where is not None and set(spec.parts) >= _PARTS:
            before = frame.height
            frame = _filtered(frame, spec)
            notes.append(f"Filter {spec.name!r} dropped {before - frame.height:,} rows.")
    time = _times(frame, study)
    groups = None if columns.entity is None else _group_codes(frame[columns.entity])
    labels = frame[columns.target]
    in_time = np.ones(frame.height, bool) if time is None else ~np.isnan(time)
    if not in_time.all():
        notes.append(f"{int((~in_time).sum()):,} rows without a time were dropped.")
        keep = np.flatnonzero(in_time)
        frame, labels = frame[keep], labels[keep]
        time = None if time is None else time[keep]
        groups = None if groups is None else groups[keep]
    if frame.height == 0:
        msg = "No row is left after the filters."
        raise DataError(msg, place=study.place("exclude"), remedy="Loosen the filters.")
    task, y, classes = encode_target(labels, study)
    try:
        folds, record, starts = make_folds(study.split, y=y, time=time, groups=groups)
    except DataError as error:
        raise error.at(study.place("split")) from None
    folds = _excluded(folds, frame, study, y, time, starts, notes)
    _check_folds(folds, y, task, classes, study)
    used = np.unique(np.concatenate([np.concatenate([f.train, f.score]) for f in folds]))
    place = np.full(frame.height, -1, dtype=np.int64)
    place[used] = np.arange(len(used))
    folds = tuple(Fold(f.name, place[f.train], place[f.score]) for f in folds)
    y, time = y[used], None if time is None else time[used]
    groups = None if groups is None else np.unique(groups[used], return_inverse=True)[1]
    frame = frame[used]
    inputs = _inputs(frame, study, added, notes, versions or {})
    wanted = dict.fromkeys((*extra_columns, *columns.protected))
    extra = {name: _extra(frame[name]) for name in wanted if name != "__time__"}
    if time is not None:
        extra["__time__"] = time
    record["parts"] = {
        f.name: {"train": _size(y[f.train], task), "score": _size(y[f.score], task)} for f in folds
    }
    seen = extra if groups is None else {**extra, "__groups__": groups}
    return Dataset(
        inputs=inputs,
        y=y,
        task=task,
        classes=classes,
        groups=groups,
        columns=extra,
        folds=folds,
        hash=_hash(inputs, y, classes, folds),
        parts={name: _digest([values]).hex() for name, values in seen.items()},
        split=record,
        notes=tuple(notes),
    )


def _known(study: Study, names: Sequence[str] | None, extra: Iterable[str]) -> None:
    if names is None:
        return
    columns = study.columns
    asked = [(columns.target, "target")]
    for role in ("features", "never", "protected", "types"):
        asked += [(name, role) for name in getattr(columns, role) or ()]
    for role in ("entity", "time", "id"):
        if (name := getattr(columns, role)) is not None:
            asked.append((name, role))
    asked += [(n, "qualities") for n in extra if n != "__time__"]
    for name, role in asked:
        if name not in names:
            message, remedy = unknown_name("column", name, names)
            raise DataError(message, place=column_place(study, role, name), remedy=remedy)
    if columns.features and columns.target in columns.features:
        msg = f"The target {columns.target!r} is among the features."
        place = column_place(study, "features", columns.target)
        raise DataError(msg, place=place, remedy="Remove it.")


def _filtered(frame: pl.DataFrame, spec: ExcludeSpec) -> pl.DataFrame:
    """Return the rows that do not meet the condition of a filter; unknown does not meet it."""
    try:
        return frame.filter(~pl.sql_expr(spec.where or "false").fill_null(value=False))
    except pl.exceptions.PolarsError as error:
        detail = str(error).splitlines()[0]
        msg = f"The condition {spec.where!r} of the filter {spec.name!r} is wrong: {detail}."
        raise DataError(
            msg, place=spec.place, remedy="Write an SQL condition on columns."
        ) from error


def _times(frame: pl.DataFrame, study: Study) -> npt.NDArray[np.float64] | None:
    name = study.columns.time
    if name is None:
        return None
    times = kinds.as_times(frame[name])
    if times is None:
        series = frame[name]
        msg = (
            f"The time column {name!r} holds {series.dtype}, not dates, "
            f"for instance {series.drop_nulls().head(3).to_list()}."
        )
        raise DataError(
            msg, place=column_place(study, "time"), remedy="Give dates such as 2018-07-25."
        )
    return times


def _group_codes(series: pl.Series) -> Rows:
    """Return codes in order of the values; a row without an entity is one of its own."""
    codes = series.rank("dense").cast(pl.Int64) - 1
    found = np.array(codes.fill_null(-1).to_numpy(), dtype=np.int64)
    lost = np.flatnonzero(found < 0)
    found[lost] = found.max() + 1 + np.arange(len(lost))
    return found


def _excluded(
    folds: tuple[Fold, ...],
    frame: pl.DataFrame,
    study: Study,
    y: npt.NDArray[Any],
    time: npt.NDArray[np.float64] | None,
    starts: dict[str, float],
    notes: list[str],
) -> tuple[Fold, ...]:
    for spec in study.exclude:
        if spec.rule is None and set(spec.parts) >= _PARTS:
            continue
        changed = []
        for fold in folds:
            part = fold.name.partition(":")[0]
            train, score = fold.train, fold.score
            if spec.rule is None:
                kept = np.zeros(frame.height, bool)
                kept[_filtered(frame.with_row_index("__row__"), spec)["__row__"].to_numpy()] = True
                train = train[kept[train]] if "train" in spec.parts else train
                score = score[kept[score]] if part in spec.parts else score
            elif part in spec.parts:
                if time is None or fold.name not in starts:
                    msg = f"The filter {spec.name!r} needs a dated split."
                    raise DataError(
                        msg, place=spec.place, remedy="Name the time column and the lengths."
                    )
                entity = str(spec.settings.get("entity") or study.columns.entity)
                if entity not in frame.columns:
                    message, remedy = unknown_name("column", entity, frame.columns)
                    raise DataError(message, place=spec.place, remedy=remedy)
                drop = exclude.known_positive_entities(
                    entity=_group_codes(frame[entity]),
                    positive=y == 1,
                    time=time,
                    train_start_s=starts[fold.name],
                    rows=score,
                    delay_s=parse_quantity(
                        spec.settings.get("delay", 0.0),
                        unit="s",
                        what=f"'delay' of {spec.name}",
                        bare=True,
                        error=DataError,
                    ),
                )
                score = score[~drop]
            if len(score) < len(fold.score) or len(train) < len(fold.train):
                lost = len(fold.score) - len(score) + len(fold.train) - len(train)
                notes.append(f"Filter {spec.name!r} dropped {lost:,} rows of {fold.name}.")
            changed.append(Fold(fold.name, train, score))
        folds = tuple(changed)
    return folds


def _check_folds(
    folds: tuple[Fold, ...],
    y: npt.NDArray[Any],
    task: Task,
    classes: tuple[str, ...],
    study: Study,
) -> None:
    place = study.place("split")
    for fold in folds:
        for part, rows in (("train", fold.train), ("score", fold.score)):
            what = f"The {part} part of the fold {fold.name!r}"
            if len(rows) == 0:
                msg = f"{what} is empty."
                raise DataError(msg, place=place, remedy="Change the lengths or the filters.")
            if task is not Task.REGRESSION and len(np.unique(y[rows])) == 1:
                msg = (
                    f"{what} holds one class only, {classes[int(y[rows][0])]!r} ({len(rows)} rows)."
                )
                raise DataError(msg, place=place, remedy="Make the part longer.")


def _inputs(
    frame: pl.DataFrame,
    study: Study,
    added: list[str],
    notes: list[str],
    versions: Mapping[str, str],
) -> Inputs:
    columns = study.columns
    named = {columns.target, *columns.never, columns.entity, columns.time, columns.id}
    named |= set(columns.protected)
    if columns.features is None:
        names = [name for name in frame.columns if name not in named]
    else:
        listed = set(columns.features)
        more = [] if listed & set(added) else added
        names = [*columns.features, *(name for name in more if name not in named)]
    fields: list[InputColumn] = []
    numbers: list[npt.NDArray[np.float64]] = []
    strings: list[StringColumn] = []
    seen: dict[bytes, str] = {}
    for name in names:
        try:
            kind, values = kinds.convert(frame[name], columns.types.get(name))
        except DataError as error:
            role = "types" if name in columns.types else "features"
            raise error.at(column_place(study, role, name)) from None
        explicit = columns.features is not None or name in columns.types
        array = values.codes if isinstance(values, StringColumn) else values
        why = ""
        if not explicit:
            key = _digest([array, *([values.levels] if isinstance(values, StringColumn) else [])])
            if (array[:1] == array).all() or bool(
                array.dtype.kind == "f" and np.isnan(array).all()
            ):
                why = "it is constant"
            elif key in seen:
                why = f"it repeats {seen[key]!r}"
            elif kind == "category" and _like_an_id(values):
                why = "it is different in nearly every row, like an id"
            seen.setdefault(key, name)
        if why:
            notes.append(f"Column {name!r} is not used: {why}.")
            continue
        fields.append(InputColumn(name, kind, versions.get(name, "")))
        if isinstance(values, StringColumn):
            strings.append(values)
        else:
            numbers.append(values)
    if not fields:
        msg = "No column is left as a feature."
        raise DataError(msg, place=study.place("columns"), remedy="Name some under features.")
    matrix = np.empty((frame.height, len(numbers)))
    for i, array in enumerate(numbers):
        matrix[:, i] = array
    return Inputs(InputSchema(tuple(fields)), matrix, tuple(strings))


def _like_an_id(values: npt.NDArray[np.float64] | StringColumn) -> bool:
    """Whether nearly every row has its own string, in more than a handful of rows."""
    if not isinstance(values, StringColumn):
        return False
    return len(values.codes) > _FEW_ROWS and len(values.levels) > _ID_SHARE * len(values.codes)


def _extra(series: pl.Series) -> npt.NDArray[Any]:
    if series.dtype.is_integer() and series.null_count() == 0:
        return np.asarray(series.to_numpy())
    values = kinds.convert(series)[1]
    return values.codes if isinstance(values, StringColumn) else values


def _size(y: npt.NDArray[Any], task: Task) -> dict[str, int]:
    size = {"rows": len(y)}
    if task is Task.BINARY:
        size["positives"] = int(y.sum())
    return size


def _digest(parts: Iterable[Any]) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        if isinstance(part, np.ndarray) and part.dtype != object:
            if part.dtype.kind == "f":
                part = np.where(np.isnan(part), np.nan, part + 0.0)
            digest.update(f"{part.dtype}{part.shape}".encode())
            digest.update(np.ascontiguousarray(part).tobytes())
        else:
            digest.update(repr(list(part)).encode())
    return digest.digest()


def _hash(
    inputs: Inputs,
    y: npt.NDArray[Any],
    classes: tuple[str, ...],
    folds: tuple[Fold, ...],
) -> str:
    parts: list[Any] = [[str(inputs.schema.to_dict()), *classes], y]
    parts += [inputs.numbers[:, i] for i in range(inputs.numbers.shape[1])]
    for column in inputs.strings:
        parts += [column.codes, column.levels]
    for fold in folds:
        parts += [[fold.name], fold.train, fold.score]
    return _digest(parts).hex()
