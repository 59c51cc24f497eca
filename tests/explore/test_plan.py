"""What is certainly out before any fit, and which fits serve which candidates."""

from __future__ import annotations

from pathlib import Path

from tradespace.components._base import Shape
from tradespace.core.studies import Task
from tradespace.explore.enumerate import enumerate_candidates
from tradespace.explore.plan import plan_candidates, sharing_groups
from tradespace.study.load import parse_study

BASE = """
purpose: Try
data: sklearn:breast_cancer
target: target
"""


def planned(text: str, tmp_path: Path, rows: int = 1000):
    study = parse_study(BASE + text, folder=str(tmp_path))
    candidates = enumerate_candidates(study, Task.BINARY)
    shape = Shape(rows, 30)
    return plan_candidates(study, candidates, task=Task.BINARY, shape=shape)


def test_a_candidate_whose_certain_size_misses_the_bound_is_never_fitted(tmp_path: Path) -> None:
    plans = planned(
        "constraints: [model_size <= 10 kB]\ncandidates: [k_nearest_neighbors, constant]",
        tmp_path,
        rows=1_000_000,
    )

    assert "certainly missed" in plans[0].excluded
    assert not plans[1].excluded


def test_a_family_that_the_team_cannot_maintain_is_out(tmp_path: Path) -> None:
    plans = planned(
        "project: {families: [logistic_regression]}\n"
        "candidates: [logistic_regression, decision_tree]",
        tmp_path,
    )

    assert [bool(plan.excluded) for plan in plans] == [False, True]


def test_forests_that_differ_in_the_number_of_trees_share_the_biggest_fit(tmp_path: Path) -> None:
    plans = planned(
        "candidates:\n"
        "  - random_forest: {n_estimators: [25, 100, 50]}\n"
        "  - random_forest: {n_estimators: [25], max_depth: 3}\n"
        "  - decision_tree: {max_depth: [2, 4]}\n",
        tmp_path,
    )
    sizes = [
        [plan.candidate.settings.get("n_estimators") for plan in group]
        for group in sharing_groups(plans)
    ]

    assert [100, 50, 25] in sizes
    assert sorted(len(group) for group in sizes) == [1, 1, 1, 3]


def test_a_deterministic_family_is_trained_with_one_seed(tmp_path: Path) -> None:
    plans = planned("candidates: [logistic_regression, random_forest]", tmp_path)

    assert [len(plan.seeds) for plan in plans] == [1, 3]
