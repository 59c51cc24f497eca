"""Numbers and dates: filled, scaled and cast once; dates become their parts.

Arithmetic is in float64 in the order of the exported graph and ends with one cast to float32,
so that both give the same bits. Not-a-number and infinities count as missing. Numbers beyond 1e18
in magnitude, before or after scaling, are clipped to it: its square still is a float32.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tradespace.components.export.builder import FLOAT, GraphBuilder

if TYPE_CHECKING:
    import numpy.typing as npt

    from tradespace.data.inputs import Inputs

    Doubles = npt.NDArray[np.float64]

#: Largest magnitude that leaves the encoder.
LIMIT = 1e18
_DAY_S = 86400.0


#: ONNX Runtime looks at a constant that is subtracted as fp32 and leaves out what is zero there.
_LEAST_CENTER = 1.2e-38


@dataclass(frozen=True, slots=True)
class NumberPlan:
    """What became of the numbers and dates of the training rows.

    Parameters
    ----------
    names : tuple of str
        Of the columns that come out: numbers, then parts of dates, then indicators.
    plain : tuple of int
        Columns of the matrix of numbers that go in as they are.
    dates : tuple of (int, str, float)
        Column, part, and the second from which "elapsed" counts.
    fill, center, scale : tuple of float
        Per plain number and date part.
    flags : tuple of int
        Columns of the matrix of numbers that get a 0/1 column for missing.

    """

    names: tuple[str, ...]
    plain: tuple[int, ...]
    dates: tuple[tuple[int, str, float], ...]
    fill: tuple[float, ...]
    center: tuple[float, ...]
    scale: tuple[float, ...]
    flags: tuple[int, ...]

    @property
    def width(self) -> int:
        """Number of columns that come out."""
        return len(self.fill) + len(self.flags)

    def write(self, numbers: Doubles, out: npt.NDArray[np.float32]) -> None:
        """Write the encoded rows into `out`, float32 of shape (n_rows, width)."""
        k = len(self.fill)
        with np.errstate(over="ignore", invalid="ignore"):
            if k:
                columns = [numbers[:, list(self.plain)]] if self.plain else []
                columns += [
                    date_part(numbers[:, i], part, start)[:, None] for i, part, start in self.dates
                ]
                block = columns[0] if len(columns) == 1 else np.concatenate(columns, axis=1)
                np.copyto(block, np.array(self.fill), where=~np.isfinite(block))
                np.clip(block, -LIMIT, LIMIT, out=block)
                if self.scaled:
                    block -= np.array(self.center)
                    block /= np.array(self.scale)
                    np.clip(block, -LIMIT, LIMIT, out=block)
                out[:, :k] = block
            if self.flags:
                out[:, k:] = ~np.isfinite(numbers[:, list(self.flags)])

    @property
    def scaled(self) -> bool:
        """Whether anything is shifted or divided."""
        return any(self.center) or any(scale != 1.0 for scale in self.scale)

    def emit(self, graph: GraphBuilder, numbers: str, *, n_numbers: int) -> list[str]:
        """Add the same work to a graph; return the float32 blocks [N, ...] in order."""
        blocks: list[str] = []
        if self.fill:
            parts: list[str] = []
            if self.plain == tuple(range(n_numbers)):
                parts.append(numbers)
            elif self.plain:
                parts.append(_columns(graph, numbers, self.plain))
            seconds: dict[int, str] = {}
            for index, part, start in self.dates:
                if index not in seconds:
                    seconds[index] = _columns(graph, numbers, (index,))
                parts.append(emit_date_part(graph, seconds[index], part, start))
            block = parts[0] if len(parts) == 1 else graph.add("Concat", *parts, axis=1)
            missing = graph.add("IsNaN", graph.add("Sub", block, block))
            block = graph.add("Where", missing, graph.constant(np.array(self.fill)), block)
            low, high = graph.constant(np.float64(-LIMIT)), graph.constant(np.float64(LIMIT))
            block = graph.add("Clip", block, low, high)
            if self.scaled:
                block = graph.add("Sub", block, graph.constant(np.array(self.center)))
                block = graph.add("Div", block, graph.constant(np.array(self.scale)))
                block = graph.add("Clip", block, low, high)
            blocks.append(graph.add("Cast", block, to=FLOAT))
        if self.flags:
            flagged = _columns(graph, numbers, self.flags)
            missing = graph.add("IsNaN", graph.add("Sub", flagged, flagged))
            blocks.append(graph.add("Cast", missing, to=FLOAT))
        return blocks


def _columns(graph: GraphBuilder, numbers: str, columns: Sequence[int]) -> str:
    return graph.add("Gather", numbers, graph.constant(np.array(columns, dtype=np.int64)), axis=1)


def fit_numbers(inputs: Inputs, settings: Mapping[str, Any]) -> NumberPlan:
    """Return the plan for the numbers and dates of the training rows.

    Parameters
    ----------
    inputs : Inputs
        Training rows.
    settings : Mapping
        Complete preprocessing settings.

    """
    names: list[str] = []
    plain: list[int] = []
    dates: list[tuple[int, str, float]] = []
    statistics: list[tuple[float, float, float]] = []
    date_statistics: list[tuple[float, float, float]] = []
    date_names: list[str] = []
    flags: list[int] = []
    drop = bool(settings["drop_constant"])
    with np.errstate(over="ignore", invalid="ignore"):
        for index, column in enumerate(inputs.schema.numbers):
            values = inputs.numbers[:, index]
            present = values[np.isfinite(values)]
            n_missing = len(values) - len(present)
            if column.kind == "date":
                start = float(present.min()) if len(present) else 0.0
                for part in settings["date_parts"]:
                    found = _statistics(date_part(present, part, start), n_missing, settings)
                    if found[1] or not drop:
                        dates.append((index, part, start))
                        date_names.append(f"{column.name} {part}")
                        date_statistics.append(found[0])
            else:
                found = _statistics(present, n_missing, settings)
                if found[1] or not drop:
                    plain.append(index)
                    names.append(column.name)
                    statistics.append(found[0])
            mixed = 0 < n_missing < len(values)
            if settings["missing_indicators"] and (mixed or (n_missing and not drop)):
                flags.append(index)
    triples = statistics + date_statistics
    flag_names = [f"{inputs.schema.numbers[i].name} is missing" for i in flags]
    return NumberPlan(
        names=(*names, *date_names, *flag_names),
        plain=tuple(plain),
        dates=tuple(dates),
        fill=tuple(t[0] for t in triples),
        center=tuple(t[1] for t in triples),
        scale=tuple(t[2] for t in triples),
        flags=tuple(flags),
    )


def _statistics(
    present: Doubles, n_missing: int, settings: Mapping[str, Any]
) -> tuple[tuple[float, float, float], bool]:
    """Return (fill, center, scale), and whether the filled column varies."""
    present = np.clip(present[np.isfinite(present)], -LIMIT, LIMIT)
    if settings["impute"] == "constant":
        fill = float(settings["impute_value"])
    elif not len(present):
        fill = 0.0
    elif settings["impute"] == "mean":
        fill = float(present.mean())
    else:
        fill = float(np.median(present))
    if not len(present):
        return (fill, 0.0, 1.0), False
    varies = bool(present.min() != present.max()) or (n_missing > 0 and fill != present[0])
    if settings["scale"] != "standard":
        return (fill, 0.0, 1.0), varies
    n = len(present) + n_missing
    center = float((present.sum() + n_missing * fill) / n) if n_missing else float(present.mean())
    squares = float(np.square(present - center).sum()) + n_missing * (fill - center) ** 2
    scale = float(np.sqrt(squares / n))
    if abs(center) < _LEAST_CENTER:
        center = 0.0
    return (fill, center, scale if varies and scale > 0 else 1.0), varies


def date_part(seconds: Doubles, part: str, start: float) -> Doubles:
    """Return one part of dates given as seconds since 1970-01-01 UTC, as float64.

    Years, months and days are of the proleptic Gregorian calendar, found from the number of
    days by whole-number arithmetic; Monday is weekday 0. Missing stays missing.

    References
    ----------
    H. Hinnant, chrono-compatible low-level date algorithms, 2021 (civil_from_days)

    Examples
    --------
    >>> day = np.array([951_782_400.0])  # 2000-02-29
    >>> [float(date_part(day, part, 0.0)[0]) for part in ("year", "month", "day", "weekday")]
    [2000.0, 2.0, 29.0, 1.0]

    """
    if part == "elapsed":
        return (seconds - start) / _DAY_S
    days = np.floor(seconds / _DAY_S)
    if part == "hour":
        return np.floor((seconds - days * _DAY_S) / 3600.0)
    if part == "weekday":
        shifted = days + 3.0
        return shifted - np.floor(shifted / 7.0) * 7.0
    z = days + 719468.0
    era = np.floor(z / 146097.0)
    doe = z - era * 146097.0
    yoe = np.floor(
        (doe - np.floor(doe / 1460.0) + np.floor(doe / 36524.0) - np.floor(doe / 146096.0)) / 365.0
    )
    doy = doe - ((yoe * 365.0 + np.floor(yoe / 4.0)) - np.floor(yoe / 100.0))
    mp = np.floor((doy * 5.0 + 2.0) / 153.0)
    if part == "day":
        return (doy - np.floor((mp * 153.0 + 2.0) / 5.0)) + 1.0
    month = mp + 3.0 - np.floor(mp / 10.0) * 12.0
    if part == "month":
        return month
    return (yoe + era * 400.0) + np.floor((14.0 - month) / 12.0)


class _Expression:
    """Doubles in a graph that add, subtract, multiply and divide as arrays do."""

    def __init__(self, graph: GraphBuilder, name: str) -> None:
        self.graph, self.name = graph, name

    def _with(self, op: str, other: float | _Expression, *, swap: bool = False) -> _Expression:
        right = (
            other.name if isinstance(other, _Expression) else self.graph.constant(np.float64(other))
        )
        pair = (right, self.name) if swap else (self.name, right)
        return _Expression(self.graph, self.graph.add(op, *pair))

    def __add__(self, other: float | _Expression) -> _Expression:
        return self._with("Add", other)

    def __sub__(self, other: float | _Expression) -> _Expression:
        return self._with("Sub", other)

    def __rsub__(self, other: float) -> _Expression:
        return self._with("Sub", other, swap=True)

    def __mul__(self, other: float | _Expression) -> _Expression:
        return self._with("Mul", other)

    def __truediv__(self, other: float | _Expression) -> _Expression:
        return self._with("Div", other)

    def __floor__(self) -> _Expression:  # what np.floor of an object calls
        return _Expression(self.graph, self.graph.add("Floor", self.name))


def emit_date_part(graph: GraphBuilder, seconds: str, part: str, start: float) -> str:
    """Add to a graph what :func:`date_part` computes; float64 in, float64 out."""
    traced: Any = _Expression(graph, seconds)
    result: Any = date_part(traced, part, start)
    return str(result.name)
