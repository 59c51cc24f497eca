"""A decision as plain data and back, so that it can be kept, read and decided again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tradespace.core.candidates import Candidate
from tradespace.core.decisions import (
    Assessment,
    Check,
    Comparison,
    Decision,
    Evidence,
    Outcome,
    Relaxation,
    Standing,
)
from tradespace.core.errors import InputError
from tradespace.core.readings import Reading
from tradespace.core.requirements import Constraint, Objective, Verdict

FORMAT = 1


def decision_to_dict(decision: Decision, *, draws: bool = True) -> dict[str, Any]:
    """Return a decision as plain data for JSON.

    Parameters
    ----------
    decision : Decision
        Any decision.
    draws : bool
        Keep bootstrap draws; without them the record is small and cannot be paired again.

    """
    return {
        "format": FORMAT,
        "study": decision.study,
        "purpose": decision.purpose,
        "outcome": decision.outcome.value,
        "recommended": decision.recommended,
        "reasons": list(decision.reasons),
        "constraints": [constraint.to_dict() for constraint in decision.constraints],
        "objectives": [objective.to_dict() for objective in decision.objectives],
        "front": list(decision.front),
        "assessments": [_assessment(a, draws=draws) for a in decision.assessments],
        "ties": [_fields(comparison) for comparison in decision.ties],
        "relaxations": [
            {**_fields(relaxation), "constraint": relaxation.constraint.to_dict()}
            for relaxation in decision.relaxations
        ],
        "warnings": list(decision.warnings),
        "context": dict(decision.context),
    }


def _fields(record: Comparison | Relaxation) -> dict[str, Any]:
    return {name: getattr(record, name) for name in type(record).__dataclass_fields__}


def _reading(reading: Reading, *, draws: bool) -> dict[str, Any]:
    data = reading.to_dict()
    if not draws:
        data["draws"] = []
    return data


def _assessment(assessment: Assessment, *, draws: bool) -> dict[str, Any]:
    evidence = assessment.evidence
    return {
        "candidate": evidence.candidate.to_dict(),
        "standing": assessment.standing.value,
        "cause": evidence.cause,
        "failed": evidence.failed,
        "excluded": evidence.excluded,
        "readings": {
            name: _reading(reading, draws=draws) for name, reading in evidence.readings.items()
        },
        "facts": dict(evidence.facts),
        "checks": [
            {
                "constraint": check.constraint.to_dict(),
                "measured": check.reading is not None,
                "verdict": check.verdict.value,
                "probability": check.probability,
                "excess": check.excess,
                "settle": check.settle,
            }
            for check in assessment.checks
        ],
        "utility": assessment.utility,
        "utility_low": assessment.utility_low,
        "utility_high": assessment.utility_high,
        "worth": dict(assessment.worth),
        "pareto": assessment.pareto,
        "dominated_by": assessment.dominated_by,
        "rank": assessment.rank,
    }


def decision_from_dict(data: Mapping[str, Any]) -> Decision:
    """Return the decision that `decision_to_dict` described.

    Raises
    ------
    InputError
        If the record has another format.

    """
    if data.get("format") != FORMAT:
        msg = f"A decision record of format {FORMAT} was expected; got {data.get('format')!r}."
        raise InputError(msg, remedy="Run 'tradespace evaluate' again with this version.")
    return Decision(
        study=data["study"],
        purpose=data["purpose"],
        outcome=Outcome(data["outcome"]),
        recommended=data["recommended"],
        reasons=tuple(data["reasons"]),
        assessments=tuple(_assessment_from(item) for item in data["assessments"]),
        constraints=tuple(Constraint.from_dict(item) for item in data["constraints"]),
        objectives=tuple(Objective.from_dict(item) for item in data["objectives"]),
        front=tuple(data["front"]),
        ties=tuple(Comparison(**item) for item in data["ties"]),
        relaxations=tuple(
            Relaxation(**{**item, "constraint": Constraint.from_dict(item["constraint"])})
            for item in data["relaxations"]
        ),
        warnings=tuple(data["warnings"]),
        context=dict(data["context"]),
    )


def _assessment_from(data: Mapping[str, Any]) -> Assessment:
    readings = {name: Reading.from_dict(item) for name, item in data["readings"].items()}
    evidence = Evidence(
        Candidate.from_dict(data["candidate"]),
        readings,
        cause=data["cause"],
        failed=data["failed"],
        excluded=data["excluded"],
        facts=dict(data["facts"]),
    )
    checks = tuple(
        Check(
            constraint := Constraint.from_dict(item["constraint"]),
            readings.get(constraint.quality) if item["measured"] else None,
            Verdict(item["verdict"]),
            item["probability"],
            item["excess"],
            item["settle"],
        )
        for item in data["checks"]
    )
    return Assessment(
        evidence,
        Standing(data["standing"]),
        checks,
        data["utility"],
        data["utility_low"],
        data["utility_high"],
        dict(data["worth"]),
        bool(data["pareto"]),
        data["dominated_by"],
        data["rank"],
    )
