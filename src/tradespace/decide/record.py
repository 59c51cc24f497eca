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
from tradespace.core.plain import plain_fields
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
        **plain_fields(decision, but=("assessments",)),
        "assessments": [_assessment(a, draws=draws) for a in decision.assessments],
    }


def _reading(reading: Reading, *, draws: bool) -> dict[str, Any]:
    data = reading.to_dict()
    if not draws:
        data["draws"] = []
    return data


def _assessment(assessment: Assessment, *, draws: bool) -> dict[str, Any]:
    evidence = assessment.evidence
    return {
        **plain_fields(evidence, but=("readings",)),
        **plain_fields(assessment, but=("evidence", "checks")),
        "readings": {
            name: _reading(reading, draws=draws) for name, reading in evidence.readings.items()
        },
        "checks": [
            {**plain_fields(check, but=("reading",)), "measured": check.reading is not None}
            for check in assessment.checks
        ],
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
    given = {name: item for name, item in data.items() if name != "format"}
    for name in ("reasons", "front", "warnings"):
        given[name] = tuple(data[name])
    return Decision(
        **{
            **given,
            "outcome": Outcome(data["outcome"]),
            "assessments": tuple(_assessment_from(item) for item in data["assessments"]),
            "constraints": tuple(Constraint.from_dict(item) for item in data["constraints"]),
            "objectives": tuple(Objective.from_dict(item) for item in data["objectives"]),
            "ties": tuple(Comparison(**item) for item in data["ties"]),
            "relaxations": tuple(
                Relaxation(**{**item, "constraint": Constraint.from_dict(item["constraint"])})
                for item in data["relaxations"]
            ),
        }
    )


def _assessment_from(data: Mapping[str, Any]) -> Assessment:
    readings = {name: Reading.from_dict(item) for name, item in data["readings"].items()}
    of_evidence = {name: data[name] for name in ("cause", "failed", "excluded", "facts")}
    evidence = Evidence(Candidate.from_dict(data["candidate"]), readings, **of_evidence)
    named = (*of_evidence, "candidate", "readings")
    rest = {name: item for name, item in data.items() if name not in named}
    checks = tuple(_check_from(item, readings) for item in data["checks"])
    standing = Standing(data["standing"])
    return Assessment(evidence, **{**rest, "standing": standing, "checks": checks})


def _check_from(data: Mapping[str, Any], readings: Mapping[str, Reading]) -> Check:
    constraint = Constraint.from_dict(data["constraint"])
    rest = {name: item for name, item in data.items() if name != "measured"}
    reading = readings.get(constraint.quality) if data["measured"] else None
    rest |= {"constraint": constraint, "reading": reading, "verdict": Verdict(data["verdict"])}
    return Check(**rest)
