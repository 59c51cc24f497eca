"""Features defined once: computed in batch for training and event by event in service.

Names are resolved when they are used, so that importing the package loads nothing heavy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tradespace.features.aggregates import count as count
    from tradespace.features.aggregates import decayed_mean as decayed_mean
    from tradespace.features.aggregates import distinct as distinct
    from tradespace.features.aggregates import last as last
    from tradespace.features.aggregates import last_k as last_k
    from tradespace.features.aggregates import max_ as max_
    from tradespace.features.aggregates import mean as mean
    from tradespace.features.aggregates import min_ as min_
    from tradespace.features.aggregates import rate as rate
    from tradespace.features.aggregates import ratio as ratio
    from tradespace.features.aggregates import since_last as since_last
    from tradespace.features.aggregates import std as std
    from tradespace.features.aggregates import sum_ as sum_
    from tradespace.features.contracts import ColumnRule as ColumnRule
    from tradespace.features.contracts import Contract as Contract
    from tradespace.features.contracts import OnBreach as OnBreach
    from tradespace.features.definitions import EventSource as EventSource
    from tradespace.features.definitions import Feature as Feature
    from tradespace.features.definitions import FeatureView as FeatureView
    from tradespace.features.definitions import RowFeatures as RowFeatures
    from tradespace.features.expressions import Expression as Expression
    from tradespace.features.expressions import clock_part as clock_part
    from tradespace.features.expressions import column as column
    from tradespace.features.expressions import hour as hour
    from tradespace.features.expressions import weekday as weekday

_MODULES = {
    "aggregates": (
        "count", "decayed_mean", "distinct", "last", "last_k", "max_", "mean", "min_", "rate",
        "ratio", "since_last", "std", "sum_",
    ),
    "contracts": ("ColumnRule", "Contract", "OnBreach"),
    "definitions": ("EventSource", "Feature", "FeatureView", "RowFeatures"),
    "expressions": ("Expression", "clock_part", "column", "hour", "weekday"),
}  # fmt: skip
_WHERE = {name: module for module, names in _MODULES.items() for name in names}

__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        import importlib

        return getattr(importlib.import_module(f"tradespace.features.{_WHERE[name]}"), name)
    msg = f"module 'tradespace.features' has no attribute {name!r}"
    raise AttributeError(msg)
