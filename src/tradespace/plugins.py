"""What plug-ins are made of: the bases to derive from, and the records that they exchange.

A family, a quality or a rule that lives outside this package imports from here. Nothing is
loaded before it is asked for. How to: docs/howto/add-a-family.md, docs/howto/add-a-quality.md.

Examples
--------
>>> from tradespace.plugins import AbstractQuality, QualityRow, Reading

"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tradespace.components._base import AbstractFamily as AbstractFamily
    from tradespace.components._base import AbstractRawFamily as AbstractRawFamily
    from tradespace.components._base import Facts as Facts
    from tradespace.components._base import Shape as Shape
    from tradespace.components.networks import TrainingRun as TrainingRun
    from tradespace.core.candidates import Candidate as Candidate
    from tradespace.core.errors import ExportError as ExportError
    from tradespace.core.errors import MeasureError as MeasureError
    from tradespace.core.errors import SettingError as SettingError
    from tradespace.core.errors import TrialError as TrialError
    from tradespace.core.quantities import Direction as Direction
    from tradespace.core.readings import Reading as Reading
    from tradespace.core.readings import ReadingKind as ReadingKind
    from tradespace.core.registry import ExcludeRuleRow as ExcludeRuleRow
    from tradespace.core.registry import FamilyRow as FamilyRow
    from tradespace.core.registry import QualityRow as QualityRow
    from tradespace.core.registry import ScenarioRow as ScenarioRow
    from tradespace.core.settings import SettingSpec as SettingSpec
    from tradespace.core.studies import EnvironmentSpec as EnvironmentSpec
    from tradespace.core.studies import MistakeSpec as MistakeSpec
    from tradespace.core.studies import QualityUse as QualityUse
    from tradespace.core.studies import Task as Task
    from tradespace.data.inputs import InputColumn as InputColumn
    from tradespace.data.inputs import Inputs as Inputs
    from tradespace.data.inputs import InputSchema as InputSchema
    from tradespace.qualities._base import AbstractQuality as AbstractQuality
    from tradespace.qualities._base import Context as Context
    from tradespace.qualities._base import FitRecord as FitRecord
    from tradespace.qualities._base import Predictions as Predictions
    from tradespace.qualities._base import Resampling as Resampling
    from tradespace.qualities._base import Subject as Subject
    from tradespace.qualities._predictive import (
        AbstractPredictiveQuality as AbstractPredictiveQuality,
    )
    from tradespace.qualities._predictive import Statistic as Statistic
    from tradespace.qualities._predictive import mean_over_rows as mean_over_rows
    from tradespace.qualities._predictive import ratio_or as ratio_or
    from tradespace.qualities._predictive import unit_sums as unit_sums
    from tradespace.qualities.foreseen import ForeseenNetwork as ForeseenNetwork
    from tradespace.qualities.foreseen import at_least as at_least

_MODULES = {
    "components._base": ("AbstractFamily", "AbstractRawFamily", "Facts", "Shape"),
    "components.networks": ("TrainingRun",),
    "core.candidates": ("Candidate",),
    "core.errors": ("ExportError", "MeasureError", "SettingError", "TrialError"),
    "core.quantities": ("Direction",),
    "core.readings": ("Reading", "ReadingKind"),
    "core.registry": ("ExcludeRuleRow", "FamilyRow", "QualityRow", "ScenarioRow"),
    "core.settings": ("SettingSpec",),
    "core.studies": ("EnvironmentSpec", "MistakeSpec", "QualityUse", "Task"),
    "data.inputs": ("InputColumn", "InputSchema", "Inputs"),
    "qualities._base": (
        "AbstractQuality", "Context", "FitRecord", "Predictions", "Resampling", "Subject",
    ),
    "qualities._predictive": (
        "AbstractPredictiveQuality", "Statistic", "mean_over_rows", "ratio_or", "unit_sums",
    ),
    "qualities.foreseen": ("ForeseenNetwork", "at_least"),
}  # fmt: skip
_WHERE = {name: module for module, names in _MODULES.items() for name in names}

__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        import importlib

        return getattr(importlib.import_module(f"tradespace.{_WHERE[name]}"), name)
    msg = f"module 'tradespace.plugins' has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return __all__
