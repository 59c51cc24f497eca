"""Features defined once: computed in batch for training and event by event in service.

Names are resolved when they are used, so that importing the package loads nothing heavy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tradespace.features.define.aggregates import count as count
    from tradespace.features.define.aggregates import decayed_mean as decayed_mean
    from tradespace.features.define.aggregates import distinct as distinct
    from tradespace.features.define.aggregates import last as last
    from tradespace.features.define.aggregates import last_k as last_k
    from tradespace.features.define.aggregates import max_ as max_
    from tradespace.features.define.aggregates import mean as mean
    from tradespace.features.define.aggregates import min_ as min_
    from tradespace.features.define.aggregates import rate as rate
    from tradespace.features.define.aggregates import ratio as ratio
    from tradespace.features.define.aggregates import since_last as since_last
    from tradespace.features.define.aggregates import std as std
    from tradespace.features.define.aggregates import sum_ as sum_
    from tradespace.features.define.contracts import ColumnRule as ColumnRule
    from tradespace.features.define.contracts import Contract as Contract
    from tradespace.features.define.contracts import OnBreach as OnBreach
    from tradespace.features.define.expressions import Expression as Expression
    from tradespace.features.define.expressions import clock_part as clock_part
    from tradespace.features.define.expressions import column as column
    from tradespace.features.define.expressions import hour as hour
    from tradespace.features.define.expressions import weekday as weekday
    from tradespace.features.define.features import Feature as Feature
    from tradespace.features.define.sources import EventSource as EventSource
    from tradespace.features.define.views import FeatureView as FeatureView
    from tradespace.features.define.views import RowFeatures as RowFeatures

_MODULES = {
    "aggregates": (
        "count", "decayed_mean", "distinct", "last", "last_k", "max_", "mean", "min_", "rate",
        "ratio", "since_last", "std", "sum_",
    ),
    "contracts": ("ColumnRule", "Contract", "OnBreach"),
    "features": ("Feature",),
    "sources": ("EventSource",),
    "views": ("FeatureView", "RowFeatures"),
    "expressions": ("Expression", "clock_part", "column", "hour", "weekday"),
}  # fmt: skip
_WHERE = {name: module for module, names in _MODULES.items() for name in names}

__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        import importlib

        return getattr(importlib.import_module(f"tradespace.features.define.{_WHERE[name]}"), name)
    msg = f"module 'tradespace.features' has no attribute {name!r}"
    raise AttributeError(msg)
