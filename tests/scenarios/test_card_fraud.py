"""The card-fraud study on the handbook's files reproduces the published table and verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from ruamel.yaml import YAML

from tradespace import evaluate, load_study
from tradespace.scenarios.card_fraud import write

if TYPE_CHECKING:
    from tradespace.core.decisions import Decision

GOLDEN = YAML(typ="safe").load(Path(__file__).parents[1] / "golden" / "fraud_baseline.yaml")

pytestmark = [pytest.mark.data, pytest.mark.slow]


@dataclass
class Week:
    study: Path
    out: Path
    decision: Decision

    def with_requirements(self, text: str) -> Decision:
        """Decide the same measurements under other requirements; nothing is trained again."""
        lines = self.study.read_text().splitlines()
        start = next(i for i, line in enumerate(lines) if line.startswith("constraints:"))
        stop = next(i for i, line in enumerate(lines) if line.startswith("candidates:"))
        edited = self.study.with_name("edited.yaml")
        edited.write_text("\n".join([*lines[:start], text, *lines[stop:]]))
        decision = evaluate(load_study(edited), out=self.out)
        assert decision.context["work"]["fits"] == self.decision.context["work"]["fits"]
        return decision


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> Week:
    folder = tmp_path_factory.mktemp("fraud")
    study = write(folder, data=str(real_data / "fraud" / "transactions.parquet"))
    out = folder / "out"
    return Week(study, out, evaluate(load_study(study), out=out))


def standing(decision: Decision, family: str) -> str:
    found = [a for a in decision.assessments if a.candidate.name == family]
    assert len(found) == 1, [a.candidate.name for a in decision.assessments]
    return found[0].standing.value


def names(decision: Decision) -> list[str]:
    return [a.candidate.name for a in decision.assessments]


def label(decision: Decision, wanted: str) -> str:
    """Return the candidate that the golden row names, by family and depth."""
    depth = 2 if "depth 2" in wanted else None
    family = "decision_tree" if "tree" in wanted else wanted
    found = [
        a.candidate.name
        for a in decision.assessments
        if a.candidate.family == family
        and (family != "decision_tree" or a.candidate.settings["max_depth"] == depth)
    ]
    assert len(found) == 1, names(decision)
    return found[0]


@pytest.mark.parametrize("model", sorted(GOLDEN))
def test_the_published_figures_are_reproduced(week: Week, model: str) -> None:
    readings = week.decision[label(week.decision, model)].evidence.readings
    for quality in ("roc_auc", "average_precision", "card_precision_at_100"):
        found = readings[quality].value

        assert found == pytest.approx(GOLDEN[model][quality], abs=GOLDEN[model]["tolerance"])


def test_at_an_average_precision_of_60_percent_two_models_stay_undecided(week: Week) -> None:
    decision = week.with_requirements(
        "constraints: [average_precision >= 0.60, model_size <= 5 MB, latency_p99 <= 10 ms]\n"
        "objectives: [{maximize: average_precision}]"
    )

    assert standing(decision, label(decision, "decision_tree")) == "infeasible"
    assert standing(decision, label(decision, "decision tree of depth 2")) == "infeasible"
    for family in ("logistic_regression", "xgboost"):
        assessment = decision[label(decision, family)]
        check = next(c for c in assessment.checks if c.constraint.quality == "average_precision")

        assert assessment.standing.value == "undecided"
        assert check.probability is not None
        assert 0.1 < check.probability < 0.99
        assert "times the test data" in check.settle or "move the bound" in check.settle


def test_at_55_percent_the_random_forest_meets_every_constraint(week: Week) -> None:
    decision = week.with_requirements(
        "constraints: [average_precision >= 0.55, model_size <= 5 MB, latency_p99 <= 10 ms]\n"
        "objectives: [{maximize: average_precision}]"
    )

    verdicts = {
        check.constraint.quality: check.verdict.value
        for check in decision[label(decision, "random_forest")].checks
    }

    assert verdicts["average_precision"] == "met"
    assert verdicts["model_size"] == "met"
    # On a machine that others use too, a time may come out unknown; it is never missed here.
    assert verdicts["latency_p99"] != "missed"


def test_without_constraints_forest_and_xgboost_tie_and_forest_beats_logistic(week: Week) -> None:
    decision = week.with_requirements("objectives: [{maximize: average_precision}]")
    ids = {
        family: decision[label(decision, family)].candidate.id
        for family in ("random_forest", "xgboost", "logistic_regression")
    }
    tied = {
        frozenset((c.a, c.b)): c.tied for c in decision.ties if c.quality == "average_precision"
    }

    assert tied[frozenset((ids["random_forest"], ids["xgboost"]))]
    assert not tied[frozenset((ids["random_forest"], ids["logistic_regression"]))]


def test_the_second_look_at_the_test_week_is_told(week: Week) -> None:
    decision = week.with_requirements("objectives: [{maximize: roc_auc}]")

    assert decision.context["test_looks"] > 1
    assert any("looked at" in warning for warning in decision.warnings)
