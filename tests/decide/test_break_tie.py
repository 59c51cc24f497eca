"""Ties are broken by what is worth something, and the reason is the rule that decided."""

from __future__ import annotations

from tests.decide.conftest import evidence, reading, spread, study_of
from tradespace.core.decisions import Decision, Evidence
from tradespace.decide.decide import decide

COST = "cost_per_million_predictions"
TWO = (
    "objectives: [{maximize: average_precision, from: 0, to: 1, weight: 3}, "
    "{minimize: cost_per_million_predictions, from: 1 USD, to: 0.01 USD}]"
)


def candidate(
    name: str, value: float, seed: int, *, cost: float = 1e-5, size: float = 1e6, **facts: bool
) -> Evidence:
    return evidence(
        name,
        spread("average_precision", value, 0.1, seed),
        reading(COST, cost),
        reading("model_size", size),
        **facts,
    )


def why(decision: Decision) -> tuple[str, str]:
    assert decision.best is not None
    return decision.best.candidate.name, decision.reasons[-1]


def test_a_difference_that_is_worth_nothing_breaks_no_tie() -> None:
    items = [
        candidate("boosting", 0.405, 1, cost=2e-5, size=3e5),
        candidate("cheap", 0.39, 2, cost=1.41e-5, size=9e5),
        candidate("neighbors", 0.38, 3, cost=5.15e-5, size=8e5),
    ]
    name, reason = why(decide(study_of(TWO), items))

    assert name == "boosting"
    assert "cost" not in reason
    assert "smallest of them (300 kB, against 900 kB of cheap)" in reason


def test_a_difference_that_is_worth_something_breaks_it_against_the_best_rival() -> None:
    items = [
        candidate("leader", 0.46, 1, cost=0.2),
        candidate("cheap", 0.40, 2, cost=0.05),
        candidate("dear", 0.41, 3, cost=0.3),
    ]
    name, reason = why(decide(study_of(TWO), items))

    assert name == "cheap"
    assert f"{COST} tells them apart: 0.05 USD against 0.2 USD of leader" in reason


def test_two_readable_models_are_told_apart_by_what_tells_them_apart() -> None:
    items = [
        candidate("black box", 0.42, 1, size=5e2),
        candidate("C=0.2154", 0.41, 2, size=3e3, interpretable=True),
        candidate("C=0.01", 0.40, 3, size=1e3, interpretable=True),
    ]
    name, reason = why(decide(study_of(TWO), items))

    assert name == "C=0.01"
    assert "as of C=0.2154; it is the smallest of them (1 kB, against 3 kB of C=0.2154)" in reason


def test_readable_models_of_about_one_size_are_told_apart_by_utility() -> None:
    items = [
        candidate("black box", 0.43, 1),
        candidate("C=0.2154", 0.41, 2, size=1.9e3, interpretable=True),
        candidate("C=0.01", 0.40, 3, size=1e3, interpretable=True),
    ]
    name, reason = why(decide(study_of(TWO), items))

    assert name == "C=0.2154"
    assert "of these it has the highest utility" in reason


def test_the_only_readable_one_is_taken_for_that() -> None:
    items = [
        candidate("black box", 0.43, 1, size=10),
        candidate("line", 0.41, 2, interpretable=True),
    ]
    name, reason = why(decide(study_of(TWO), items))

    assert name == "line"
    assert reason.endswith("a person can read the whole model.")


def test_a_tie_within_the_stated_indifference_does_not_claim_to_contain_zero() -> None:
    text = "objectives: [{minimize: model_size, from: 1 GB, to: 0 B, indifference: 1 kB}]"
    items = [
        evidence("a", reading("model_size", 1e4)),
        evidence("b", reading("model_size", 1.05e4)),
    ]
    reasons = " ".join(decide(study_of(text), items).reasons)

    assert "tied" in reasons
    assert "contains zero" not in reasons


def test_a_leader_on_something_to_minimize_is_lower() -> None:
    text = "objectives: [{minimize: model_size, from: 1 GB, to: 0 B}]"
    items = [evidence(n, reading("model_size", b)) for n, b in (("a", 1e4), ("b", 5e8))]
    reasons = " ".join(decide(study_of(text), items).reasons)

    assert "model size is lower than that of every other" in reasons
