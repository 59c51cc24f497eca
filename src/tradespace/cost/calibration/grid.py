"""A grid of measured times over sizes, interpolated so that more work never takes less time."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tradespace.core.plain import plain_fields

Point = tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Times of one class of operators.

    Parameters
    ----------
    family : str
        Class of operators.
    axes : tuple of str
        What the sizes are.
    ticks : tuple of tuple of float
        Sizes at which it was measured, rising, by axis.
    times_s : tuple of float
        Times at all combinations of ticks, the last axis fastest; no size up takes less.
    amounts : tuple of float
        Work there: multiply-accumulates or elements.
    counts_macs : bool
        Which of them.
    measured : int
        Points that were measured; the others follow from their neighbors.

    """

    family: str
    axes: tuple[str, ...]
    ticks: tuple[tuple[float, ...], ...]
    times_s: tuple[float, ...]
    amounts: tuple[float, ...]
    counts_macs: bool
    measured: int

    @property
    def best_ops_per_s(self) -> float:
        """Best rate that was reached, a multiply-accumulate counting two."""
        each = 2.0 if self.counts_macs else 1.0
        return max(each * a / t for a, t in zip(self.amounts, self.times_s, strict=True))

    def covers(self, sizes: Sequence[float], *, slack: float = 1.0) -> bool:
        """Return whether sizes lie within the measured ones, give or take a factor."""
        return all(
            low / slack <= size <= high * slack
            for size, low, high in zip(
                sizes, (t[0] for t in self.ticks), (t[-1] for t in self.ticks), strict=True
            )
        )

    def time_s(self, sizes: Sequence[float], amount: float) -> float:
        """Return the time at some sizes.

        Inside, the logarithm of time over work is interpolated along the logarithms of the
        sizes; outside, the rate of the nearest edge is kept.

        Examples
        --------
        >>> grid = build_grid("x", ("elements",), [(10, 1000)], {(10,): 2.0, (1000,): 200.0},
        ...                   amount=lambda p: p[0], counts_macs=False)
        >>> round(grid.time_s((100,), 100), 6), round(grid.time_s((2000,), 2000), 6)
        (20.0, 400.0)

        """
        ends = []
        for size, ticks in zip(sizes, self.ticks, strict=True):
            ends.append(_bracket(size, ticks))
        strides = [math.prod(len(t) for t in self.ticks[i + 1 :]) for i in range(len(self.ticks))]
        total = 0.0
        for corner in itertools.product((0, 1), repeat=len(ends)):
            weight, index = 1.0, 0
            for side, (low, share), stride, ticks in zip(
                corner, ends, strides, self.ticks, strict=True
            ):
                weight *= share if side else 1 - share
                index += min(low + side, len(ticks) - 1) * stride
            if weight:
                total += weight * math.log(self.times_s[index] / self.amounts[index])
        return amount * math.exp(total)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return plain_fields(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Grid:
        """Return the grid of plain data."""
        ticks = tuple(tuple(float(x) for x in t) for t in data["ticks"])
        times = tuple(float(x) for x in data["times_s"])
        amounts = tuple(float(x) for x in data["amounts"])
        if not len(times) == len(amounts) == math.prod(len(t) for t in ticks):
            msg = f"grid {data['family']!r} has {len(times)} times"
            raise ValueError(msg)
        if not all(0 < x < math.inf for x in (*times, *amounts)):
            msg = f"grid {data['family']!r} has times that are not positive"
            raise ValueError(msg)
        return cls(
            family=str(data["family"]),
            axes=tuple(str(a) for a in data["axes"]),
            ticks=ticks,
            times_s=times,
            amounts=amounts,
            counts_macs=bool(data["counts_macs"]),
            measured=int(data["measured"]),
        )


def _bracket(size: float, ticks: Sequence[float]) -> tuple[int, float]:
    """Return the tick below a size and how far it is to the next, in logarithms."""
    if size <= ticks[0] or len(ticks) == 1:
        return 0, 0.0
    if size >= ticks[-1]:
        return len(ticks) - 1, 0.0
    low = max(i for i, t in enumerate(ticks) if t <= size)
    return low, math.log(size / ticks[low]) / math.log(ticks[low + 1] / ticks[low])


def build_grid(
    family: str,
    axes: Sequence[str],
    ticks: Sequence[Sequence[float]],
    times_s: Mapping[Point, float],
    *,
    amount: Any,
    counts_macs: bool,
) -> Grid:
    """Return a grid from measured points; points that were left out get a neighbor's rate.

    Parameters
    ----------
    family, axes, ticks, counts_macs
        As in `Grid`.
    times_s : Mapping
        Sizes -> seconds; some combinations of ticks may be missing.
    amount : callable
        Sizes -> work.

    """
    points = list(itertools.product(*ticks))
    places = list(itertools.product(*(range(len(t)) for t in ticks)))
    found: dict[tuple[int, ...], float] = {
        place: times_s[point]
        for place, point in zip(places, points, strict=True)
        if point in times_s
    }
    amounts = {place: float(amount(p)) for place, p in zip(places, points, strict=True)}
    measured = len(found)
    while len(found) < len(places):
        # Spread outwards from what is known, one step at a time.
        fresh = {}
        for place in places:
            if place in found:
                continue
            near = [other for other in _neighbors(place) if other in found]
            if near:
                rates = [math.log(found[o] / amounts[o]) for o in near]
                fresh[place] = amounts[place] * math.exp(sum(rates) / len(rates))
        if not fresh:
            msg = f"nothing was measured for {family!r}"
            raise ValueError(msg)
        found.update(fresh)
    for place in places:  # in rising order: no size up takes less time
        below = [
            found[(*place[:i], place[i] - 1, *place[i + 1 :])]
            for i in range(len(place))
            if place[i]
        ]
        found[place] = max([found[place], *below])
    return Grid(
        family=family,
        axes=tuple(axes),
        ticks=tuple(tuple(float(x) for x in t) for t in ticks),
        times_s=tuple(found[p] for p in places),
        amounts=tuple(amounts[p] for p in places),
        counts_macs=counts_macs,
        measured=measured,
    )


def _neighbors(place: tuple[int, ...]) -> list[tuple[int, ...]]:
    return [
        (*place[:i], place[i] + step, *place[i + 1 :])
        for i in range(len(place))
        for step in (-1, 1)
    ]
