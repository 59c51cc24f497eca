"""Printed figures of published runs, read with their rounding and set beside ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tradespace.core.plain import plain_fields
from tradespace.cost.price.arithmetic import GRAMS_PER_LB, JOULES_PER_KWH
from tradespace.cost.price.tables import TrainingRun

_NUMBER = r"[0-9.]+(?:e[0-9]+)?"
_PRINTED = re.compile(rf"({_NUMBER})(?: to ({_NUMBER}))?(?: (kWh|MWh|lbs|kg|t|USD))?")
#: Printed unit -> base unit of our figures (J, g, USD, operations).
_BASE = {
    "": 1.0,
    "USD": 1.0,
    "kWh": JOULES_PER_KWH,
    "MWh": 1e3 * JOULES_PER_KWH,
    "lbs": GRAMS_PER_LB,
    "kg": 1e3,
    "t": 1e6,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A printed figure beside ours.

    Parameters
    ----------
    quantity : str
        ``"flop"``, ``"energy"``, ``"carbon"`` or ``"rent"``.
    printed : str
        As the source prints it.
    unit : str
        Of both.
    ours : tuple of float, optional
        Low and high in the printed unit; None if it cannot be computed.
    ratio : float, optional
        Ours over the printed one, at the low end.
    equal : bool
        Whether ours rounds to every printed digit.
    source : str
        Where it is printed.

    """

    quantity: str
    printed: str
    unit: str
    ours: tuple[float, float] | None
    ratio: float | None
    equal: bool
    source: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return plain_fields(self)


def half_a_digit(text: str) -> float:
    """Return half a unit of the last printed digit.

    Examples
    --------
    >>> half_a_digit("552.1"), half_a_digit("3.14e23"), half_a_digit("192")
    (0.05, 5e+20, 0.5)

    """
    exponent = Decimal(text).as_tuple().exponent
    assert isinstance(exponent, int)  # noqa: S101 - printed figures are finite
    return float(Decimal(5).scaleb(exponent - 1))


def compare_with_published(
    run: TrainingRun, ours: Mapping[str, tuple[float, float] | None]
) -> tuple[Published, ...]:
    """Return every printed figure of a run beside ours (J, g, USD, operations).

    Examples
    --------
    >>> from tradespace.cost.price.tables import training_runs
    >>> run = training_runs()["transformer-big"]
    >>> row = compare_with_published(run, {"energy": (201.128 * 3.6e6,) * 2})[0]
    >>> row.printed, row.equal
    ('201 kWh', True)

    """
    rows = []
    for quantity, text in run.published.items():
        found = _PRINTED.fullmatch(text)
        assert found, (run.id, text)  # noqa: S101 - a test reads every row of the table
        unit = found[3] or ""
        ends = (found[1], found[2] or found[1])
        values = ours.get(quantity)
        scaled = None
        if values is not None:
            scaled = (values[0] / _BASE[unit], values[1] / _BASE[unit])
        rows.append(
            Published(
                quantity=quantity,
                printed=text,
                unit=unit or "FLOP",
                ours=scaled,
                ratio=None if scaled is None else scaled[0] / float(ends[0]),
                equal=scaled is not None
                and all(
                    abs(a - float(b)) <= half_a_digit(b) * (1 + 1e-9)
                    for a, b in zip(scaled, ends, strict=True)
                ),
                source=run.source,
            )
        )
    return tuple(rows)
