"""Choose machine-learning components like an architect: from requirements to a decision.

Names are resolved when they are used, so that ``import tradespace`` loads nothing heavy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tradespace.core.decisions import Decision as Decision
    from tradespace.core.errors import InputError as InputError
    from tradespace.core.errors import TradespaceError as TradespaceError
    from tradespace.core.readings import Reading as Reading
    from tradespace.core.requirements import Constraint as Constraint
    from tradespace.core.requirements import Objective as Objective
    from tradespace.core.requirements import Verdict as Verdict
    from tradespace.core.studies import Study as Study
    from tradespace.core.trials import Trial as Trial
    from tradespace.cost.inspection import Inspection as Inspection
    from tradespace.cost.inspection import inspect as inspect
    from tradespace.cost.price.price import TrainingPrice as TrainingPrice
    from tradespace.cost.price.price import price as price
    from tradespace.explore.evaluate import evaluate as evaluate
    from tradespace.study.load import load_study as load_study

__version__ = "0.1.0"

_WHERE = {
    "Constraint": "tradespace.core.requirements",
    "Decision": "tradespace.core.decisions",
    "InputError": "tradespace.core.errors",
    "Objective": "tradespace.core.requirements",
    "Reading": "tradespace.core.readings",
    "Study": "tradespace.core.studies",
    "TradespaceError": "tradespace.core.errors",
    "TrainingPrice": "tradespace.cost.price.price",
    "Trial": "tradespace.core.trials",
    "Verdict": "tradespace.core.requirements",
    "Inspection": "tradespace.cost.inspection",
    "evaluate": "tradespace.explore.evaluate",
    "inspect": "tradespace.cost.inspection",
    "load_study": "tradespace.study.load",
    "price": "tradespace.cost.price.price",
}

__all__ = ["__version__", *_WHERE]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        import importlib

        return getattr(importlib.import_module(_WHERE[name]), name)
    msg = f"module 'tradespace' has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return sorted(__all__)
