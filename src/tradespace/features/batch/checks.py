"""Data at the door: events against the contract of their source."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import polars as pl

from tradespace.core.errors import FeatureError
from tradespace.features.define.contracts import Breach, ColumnRule, OnBreach
from tradespace.features.define.sources import EventSource

_EXAMPLES = 3


def check_contract(source: EventSource, frame: pl.DataFrame) -> tuple[Breach, ...]:
    """Return the rules of a source's contract that rows break, with counts and examples.

    Raises
    ------
    FeatureError
        If a rule is broken and the contract says to refuse.

    Examples
    --------
    >>> from tradespace.features import ColumnRule, Contract
    >>> rules = Contract(columns={"eur": ColumnRule(low=0)}, on_breach=OnBreach.REPORT)
    >>> frame = pl.DataFrame({"at": [dt.datetime(2024, 1, 1)] * 2, "eur": [-1.0, 2.0]})
    >>> [str(b) for b in check_contract(EventSource("s", time="at", contract=rules), frame)]
    ['eur: below 0: 1 rows (for example -1.0)']

    """
    contract = source.contract
    if contract is None:
        return ()
    found: list[Breach] = []
    for name, rule in contract.columns.items():
        if name not in frame.columns:
            found.append(Breach("missing column", name, frame.height))
        else:
            found.extend(_column(rule, frame[name]))
    for name in contract.unique:
        if name in frame.columns:
            found.extend(_breach("repeated", frame[name], ~frame[name].is_first_distinct()))
        else:
            found.append(Breach("missing column", name, frame.height))
    times = frame[source.time]
    instants = times.dt.replace_time_zone(None) if times.dtype != pl.Date else times
    for wrong, rule_name in (
        (instants < dt.datetime.fromisoformat(contract.since), f"before {contract.since}"),
        (
            None
            if contract.until is None
            else instants > dt.datetime.fromisoformat(contract.until),
            f"after {contract.until}",
        ),
        (times.diff() < dt.timedelta(0) if contract.ordered else None, "time going backwards"),
    ):
        if wrong is not None:
            found.extend(_breach(rule_name, times, wrong))
    if found and contract.on_breach is OnBreach.REFUSE:
        msg = f"Source {source.name!r} breaks its contract: {'; '.join(str(b) for b in found)}."
        raise FeatureError(msg, remedy="Correct the data, or loosen the rule.")
    return tuple(found)


def merge(breaches: Iterable[Breach]) -> tuple[Breach, ...]:
    """Return breaches of several parts of a source, one for each rule of a column."""
    found: dict[tuple[str, str], Breach] = {}
    for breach in breaches:
        key = (breach.rule, breach.column)
        before = found.get(key, Breach(breach.rule, breach.column, 0))
        found[key] = replace(
            before,
            count=before.count + breach.count,
            examples=(before.examples + breach.examples)[:_EXAMPLES],
        )
    return tuple(found.values())


def _breach(rule: str, series: pl.Series, wrong: pl.Series) -> list[Breach]:
    rows = np.flatnonzero(wrong.fill_null(value=False).to_numpy())
    if not len(rows):
        return []
    examples = tuple(str(series[int(row)]) for row in rows[:_EXAMPLES])
    return [Breach(rule, series.name, len(rows), examples)]


def _column(rule: ColumnRule, series: pl.Series) -> list[Breach]:
    found: list[Breach] = []
    fits = {
        "number": series.dtype.is_numeric(),
        "integer": series.dtype.is_integer(),
        "boolean": series.dtype == pl.Boolean,
        "string": series.dtype in (pl.String, pl.Categorical),
        "time": series.dtype.is_temporal(),
    }
    if rule.type is not None and not fits[rule.type]:
        return [Breach(f"{series.dtype} instead of {rule.type}", series.name, len(series))]
    if series.null_count() > rule.nulls * len(series):
        found.append(
            Breach(f"more than {rule.nulls:.0%} missing", series.name, series.null_count())
        )
    if rule.low is not None:
        found += _breach(f"below {rule.low:g}", series, series < rule.low)
    if rule.high is not None:
        found += _breach(f"above {rule.high:g}", series, series > rule.high)
    if rule.levels is not None:
        levels = pl.Series(list(rule.levels))
        found += _breach("unseen category", series, series.is_not_null() & ~series.is_in(levels))
    return found
