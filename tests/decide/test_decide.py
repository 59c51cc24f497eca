"""Verdicts, recommendations, ties, relaxations: what a decision promises."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.decide.conftest import evidence, reading, spread, study_of
from tradespace.core.decisions import Decision, Evidence, Outcome, Standing
from tradespace.core.quantities import Direction
from tradespace.core.requirements import Constraint, Sense, Verdict
from tradespace.decide.checks import probability_met, what_would_settle
from tradespace.decide.decide import decide
from tradespace.decide.dominance import dominates, dominators, hypervolume
from tradespace.decide.record import decision_from_dict, decision_to_dict

AP = "constraints: [average_precision >= 0.60]\nobjectives: [{maximize: average_precision}]"


def week() -> list[Evidence]:
    """Return readings as published for the card-fraud week."""
    return [
        evidence("forest", reading("average_precision", 0.658, 0.604, 0.718)),
        evidence("xgboost", reading("average_precision", 0.639, 0.584, 0.698)),
        evidence("logistic", reading("average_precision", 0.606, 0.540, 0.676)),
        evidence("stump", reading("average_precision", 0.496, 0.43, 0.56)),
    ]


def test_the_whole_interval_must_keep_the_bound() -> None:
    decision = decide(study_of(AP), week())
    found = {a.candidate.name: a.standing for a in decision.assessments}

    assert found == {
        "forest": Standing.FEASIBLE,
        "xgboost": Standing.UNDECIDED,
        "logistic": Standing.UNDECIDED,
        "stump": Standing.INFEASIBLE,
    }
    assert decision.outcome is Outcome.RECOMMENDED
    assert decision.best is not None
    assert decision.best.candidate.name == "forest"


def test_an_unknown_never_counts_as_met() -> None:
    decision = decide(study_of(AP), week()[1:3])

    assert decision.outcome is Outcome.PROVISIONAL
    assert any("probability" in reason for reason in decision.reasons)
    assert not decision.by_standing(Standing.FEASIBLE)


def test_a_study_may_refuse_while_undecided() -> None:
    decision = decide(study_of(AP + "\non_undecided: refuse"), week()[1:3])

    assert decision.outcome is Outcome.REFUSED


def test_if_nobody_is_feasible_the_nearest_and_the_constraint_to_relax_are_named() -> None:
    items = [
        evidence("near", reading("average_precision", 0.5, 0.49, 0.51)),
        evidence("far", reading("average_precision", 0.2, 0.19, 0.21)),
    ]
    decision = decide(study_of(AP), items)

    assert decision.outcome is Outcome.NONE_FEASIBLE
    assert decision.best is not None
    assert decision.best.candidate.name == "near"
    assert decision.relaxations[0].bound == pytest.approx(0.49)
    assert any("would admit near" in reason for reason in decision.reasons)


def test_the_reported_relaxation_changes_the_answer_and_a_smaller_one_does_not() -> None:
    text = "constraints: [model_size <= 1 MB]\nobjectives: [{maximize: roc_auc, from: 0, to: 1}]"
    items = [
        evidence("small", reading("model_size", 5e5), reading("roc_auc", 0.8)),
        evidence("big", reading("model_size", 2.34e6), reading("roc_auc", 0.9)),
    ]
    decision = decide(study_of(text), items)
    (relaxation,) = decision.relaxations

    assert relaxation.bound == pytest.approx(2.34e6)
    relaxed = text.replace("1 MB", f"{relaxation.bound} B")
    assert decide(study_of(relaxed), items).best.candidate.name == "big"
    almost = text.replace("1 MB", f"{relaxation.bound * 0.999} B")
    assert decide(study_of(almost), items).best.candidate.name == "small"


def test_paired_differences_see_what_overlapping_intervals_hide() -> None:
    text = "objectives: [{maximize: average_precision}]"
    items = [
        evidence("a", spread("average_precision", 0.65, 0.05, 1, common=0.99)),
        evidence("b", spread("average_precision", 0.60, 0.05, 2, common=0.99)),
    ]
    (tie,) = decide(study_of(text), items).ties

    assert tie.paired
    assert not tie.tied
    assert tie.low > 0


def test_ties_are_broken_by_the_next_objective_and_said() -> None:
    text = (
        "objectives: [{maximize: average_precision, weight: 3}, "
        "{minimize: model_size, from: 1 GB, to: 0 B}]"
    )
    items = [
        evidence("big", spread("average_precision", 0.65, 0.05, 1), reading("model_size", 9e6)),
        evidence("small", spread("average_precision", 0.649, 0.05, 2), reading("model_size", 1e3)),
    ]
    decision = decide(study_of(text), items)

    assert decision.best.candidate.name == "small"
    assert any("tied" in reason for reason in decision.reasons)
    assert any("model_size" in reason for reason in decision.reasons)


def test_a_tie_that_nothing_breaks_goes_to_the_readable_one() -> None:
    text = "objectives: [{maximize: average_precision}]"
    items = [
        evidence("black", spread("average_precision", 0.65, 0.05, 1)),
        evidence("clear", spread("average_precision", 0.64, 0.05, 2), interpretable=True),
    ]
    decision = decide(study_of(text), items)

    assert decision.best.candidate.name == "clear"
    assert any("read the whole model" in reason for reason in decision.reasons)


def test_a_winner_no_better_than_the_constant_is_warned_about() -> None:
    text = "objectives: [{maximize: average_precision}]"
    items = [
        evidence("tree", spread("average_precision", 0.50, 0.1, 1)),
        evidence("base", spread("average_precision", 0.49, 0.1, 2), family="constant"),
    ]
    decision = decide(study_of(text), items)

    assert any("constant baseline" in warning for warning in decision.warnings)


def test_the_probability_of_an_unknown_is_the_share_of_draws_and_never_certain() -> None:
    bound = Constraint("average_precision", Sense.AT_LEAST, 0.6, "1")
    found = probability_met(bound, spread("average_precision", 0.6, 0.05, 1))
    edge = reading("average_precision", 0.65, 0.59, 0.7, draws=[0.65] * 997 + [0.59])

    assert found == pytest.approx(0.5, abs=0.06)
    assert probability_met(bound, edge) == 0.99


def test_what_would_settle_scales_with_the_square_of_the_distance() -> None:
    bound = Constraint("average_precision", Sense.AT_LEAST, 0.60, "1")
    text = what_would_settle(bound, reading("average_precision", 0.62, 0.58, 0.66))

    assert "4 times" in text
    assert "400 groups instead of 100" in text


VALUES = st.lists(
    st.tuples(
        st.integers(0, 6).map(float), st.integers(0, 6).map(float), st.integers(0, 6).map(float)
    ),
    min_size=1,
    max_size=14,
)
DIRECTIONS = (Direction.MAXIMIZE, Direction.MINIMIZE, Direction.MAXIMIZE)


@given(VALUES)
def test_the_front_is_what_brute_force_finds(values: list[tuple[float, float, float]]) -> None:
    found = dominators(np.array(values), DIRECTIONS) < 0
    expected = [
        not any(dominates(other, value, DIRECTIONS) for other in values) for value in values
    ]

    assert found.tolist() == expected


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=8))
def test_the_hypervolume_is_the_number_of_dominated_cells(points: list[tuple[int, int]]) -> None:
    values = np.array(points, dtype=float)
    cells = {(x, y) for px, py in points for x in range(px) for y in range(py)}
    both = (Direction.MAXIMIZE, Direction.MAXIMIZE)

    assert hypervolume(values, (0.0, 0.0), both) == pytest.approx(len(cells))


SPACE = st.lists(
    st.tuples(st.floats(0.3, 0.95), st.floats(0.0, 0.1), st.floats(1e2, 1e8)),
    min_size=1,
    max_size=8,
)
TWO = (
    "constraints: [average_precision >= 0.6, model_size <= 1 MB]\n"
    "objectives: [{maximize: average_precision, from: 0, to: 1, weight: 2}, "
    "{minimize: model_size, from: 1 GB, to: 0 B}]"
)


def space(points: list[tuple[float, float, float]]) -> list[Evidence]:
    return [
        evidence(
            f"c{index}",
            spread("average_precision", value, half, index)
            if half > 1e-6
            else reading("average_precision", value),
            reading("model_size", size),
        )
        for index, (value, half, size) in enumerate(points)
    ]


def summary(decision: Decision) -> tuple[object, ...]:
    standings = {a.candidate.id: (a.standing, a.pareto) for a in decision.assessments}
    return decision.outcome, decision.recommended, standings


@settings(deadline=None)
@given(SPACE, st.randoms())
def test_the_order_of_candidates_changes_nothing(points, random) -> None:  # type: ignore[no-untyped-def]  # Hypothesis
    items = space(points)
    mixed = list(items)
    random.shuffle(mixed)

    assert summary(decide(study_of(TWO), items)) == summary(decide(study_of(TWO), mixed))


@settings(deadline=None)
@given(SPACE, st.floats(0.0, 0.3))
def test_relaxing_a_constraint_never_makes_a_feasible_candidate_infeasible(
    points: list[tuple[float, float, float]], slack: float
) -> None:
    study = study_of(TWO)
    strict = decide(study, space(points))
    looser = dataclasses.replace(
        study,
        constraints=(
            dataclasses.replace(study.constraints[0], bound=0.6 - slack),
            study.constraints[1],
        ),
    )
    relaxed = decide(looser, space(points))

    for assessment in strict.by_standing(Standing.FEASIBLE):
        assert relaxed[assessment.candidate.id].standing is Standing.FEASIBLE


@settings(deadline=None)
@given(SPACE, st.floats(0.01, 100.0))
def test_scaling_all_weights_changes_nothing(
    points: list[tuple[float, float, float]], factor: float
) -> None:
    study = study_of(TWO)
    scaled = dataclasses.replace(
        study,
        objectives=tuple(
            dataclasses.replace(o, weight=o.weight * factor) for o in study.objectives
        ),
    )

    assert decide(study, space(points)).recommended == decide(scaled, space(points)).recommended


@settings(deadline=None)
@given(SPACE)
def test_only_met_constraints_make_a_candidate_feasible(
    points: list[tuple[float, float, float]],
) -> None:
    decision = decide(study_of(TWO), space(points))

    for assessment in decision.assessments:
        met = all(check.verdict is Verdict.MET for check in assessment.checks)
        assert (assessment.standing is Standing.FEASIBLE) == met
    if decision.outcome is Outcome.RECOMMENDED:
        assert decision.best.standing is Standing.FEASIBLE


@settings(deadline=None)
@given(SPACE)
def test_a_decision_comes_back_from_its_record_as_it_was(
    points: list[tuple[float, float, float]],
) -> None:
    decision = decide(study_of(TWO), space(points), context={"seeds": [0]})
    text = json.dumps(decision_to_dict(decision))
    again = decision_from_dict(json.loads(text))

    assert decision_to_dict(again) == json.loads(text)
    assert again.recommended == decision.recommended
