"""Disagreement after retraining, against a loop, and in a study, where it is measured last."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tradespace import evaluate
from tradespace.core.decisions import Decision
from tradespace.core.studies import EnvironmentSpec, Task
from tradespace.qualities._base import Context, Resampling
from tradespace.qualities.measure import measure
from tradespace.testing.qualities import FakeRefits, fake_predictions, fake_subject, use_of


def test_it_is_the_mean_share_of_rows_that_are_decided_otherwise() -> None:
    use = use_of("retraining_disagreement", trainings=3, threshold=0.4)
    context = Context(Task.BINARY, EnvironmentSpec(), resampling=Resampling(n=50))
    (reading,) = measure([use], fake_subject(use, context), context)
    rng = np.random.default_rng(0)
    first, n = fake_predictions(Task.BINARY).y_score >= 0.4, FakeRefits(Task.BINARY).n_rows
    shares = []
    for seed in (1, 2, 3):
        positions = np.sort(rng.integers(0, n, n))
        again = FakeRefits(Task.BINARY)(seed=seed, positions=positions).y_score >= 0.4
        shares.append(sum(a != b for a, b in zip(first, again, strict=True)) / len(first))

    assert reading.value == pytest.approx(np.mean(shares), rel=1e-12)
    assert reading.context["shares"] == pytest.approx(shares, rel=1e-12)
    assert reading.low < reading.value < reading.high


def test_trainings_that_always_agree_are_not_certain_to() -> None:
    use = use_of("retraining_disagreement")
    context = Context(Task.MULTICLASS, EnvironmentSpec(), resampling=Resampling(n=20))
    subject = fake_subject(use, context)
    same = fake_predictions(Task.MULTICLASS)
    subject._made["refits"] = type("Same", (), {"n_rows": 5, "__call__": lambda *_, **__: same})()
    (reading,) = measure([use], subject, context)

    assert (reading.value, reading.low) == (0.0, 0.0)
    assert reading.high == pytest.approx(1 - 0.025 ** (1 / 30))  # of 30 entities


def test_only_finalists_are_trained_again_and_their_trainings_count(
    finished_cancer: tuple[Path, Decision],
) -> None:
    place, first = finished_cancer
    place.write_text(
        place.read_text().replace(
            "budget:", "qualities: {churn: {retraining_disagreement: {trainings: 2}}}\nbudget:"
        )
    )
    decision = evaluate(place)
    churned = [a for a in decision.assessments if "churn" in a.evidence.readings]
    more = decision.context["work"]["fits"] - first.context["work"]["fits"]

    assert churned
    assert more == 2 * len(churned)
    assert decision.context["work"]["new_trials"] == 0
