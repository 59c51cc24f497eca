"""Evidence made by hand, and studies around it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tradespace.core.candidates import Candidate
from tradespace.core.decisions import Evidence
from tradespace.core.readings import Reading
from tradespace.core.studies import Study
from tradespace.study.load import parse_study

UNITS = {
    "average_precision": "1",
    "roc_auc": "1",
    "model_size": "B",
    "latency_p99": "s",
    "cost_per_million_predictions": "USD",
}
ROWS = {"n_rows": 1000, "n_units": 100, "unit": "group"}


def study_of(text: str) -> Study:
    return parse_study(f"purpose: Decide\ndata: sklearn:breast_cancer\ntarget: target\n{text}")


def reading(
    name: str, value: float, low: float | None = None, high: float | None = None, *, draws: Any = ()
) -> Reading:
    return Reading(
        name,
        value,
        value if low is None else low,
        value if high is None else high,
        UNITS[name],
        context=ROWS,
        draws=tuple(float(d) for d in draws),
    )


def spread(name: str, value: float, half: float, seed: int, *, common: float = 0.0) -> Reading:
    """Return a reading with draws; `common` is the share of its noise that all share."""
    shared = np.random.default_rng(99).normal(0, 1, 400)
    own = np.random.default_rng(seed).normal(0, 1, 400)
    noise = common * shared + np.sqrt(1 - common**2) * own
    draws = value + half / 1.96 * noise
    return reading(name, value, value - half, value + half, draws=draws)


def evidence(
    name: str, *readings: Reading, family: str = "decision_tree", **facts: Any
) -> Evidence:
    settings: Mapping[str, Any] = {"name": name}
    found = {r.quality: r for r in readings}
    return Evidence(Candidate(family, settings, label=name), found, facts=facts)
