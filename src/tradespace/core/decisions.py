"""What was decided, and why: the records that reports show and reviewers check."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tradespace.core.candidates import Candidate
from tradespace.core.readings import Reading
from tradespace.core.requirements import Constraint, Objective, Verdict


class Standing(enum.Enum):
    """Where a candidate stands when all constraints are checked."""

    FEASIBLE = "feasible"
    UNDECIDED = "undecided"
    INFEASIBLE = "infeasible"
    FAILED = "failed"
    EXCLUDED = "excluded"


class Outcome(enum.Enum):
    """What the decision says."""

    RECOMMENDED = "recommended"
    PROVISIONAL = "provisional"
    NONE_FEASIBLE = "none feasible"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Check:
    """One constraint held against one candidate's reading.

    `probability` is the probability that the constraint is met; `settle` says what would
    settle an unknown; `excess` is by how much the value misses the bound (negative inside).
    """

    constraint: Constraint
    reading: Reading | None
    verdict: Verdict
    probability: float | None = None
    excess: float | None = None
    settle: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known of one candidate: what `decide` sees.

    `cause` says why a candidate failed or was excluded; `facts` carries what is no reading
    (runtime, versions, curves) for the record.
    """

    candidate: Candidate
    readings: Mapping[str, Reading]
    cause: str = ""
    failed: bool = False
    excluded: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Assessment:
    """One candidate, assessed: its standing, checks, utility and place among the others."""

    evidence: Evidence
    standing: Standing
    checks: tuple[Check, ...] = ()
    utility: float | None = None
    utility_low: float | None = None
    utility_high: float | None = None
    worth: Mapping[str, float] = field(default_factory=dict)
    pareto: bool = False
    dominated_by: str | None = None
    rank: int | None = None

    @property
    def candidate(self) -> Candidate:
        """The candidate."""
        return self.evidence.candidate

    @property
    def probability_feasible(self) -> float | None:
        """Least probability over the checks; 0 if one is missed, None if one is not known."""
        if any(check.verdict is Verdict.MISSED for check in self.checks):
            return 0.0
        known = [check.probability for check in self.checks]
        return None if None in known else min((p for p in known if p is not None), default=1.0)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The paired difference of two candidates in one quality; `a` minus `b`.

    Tied if the interval contains zero or lies within the stated indifference.
    """

    a: str
    b: str
    quality: str
    difference: float
    low: float
    high: float
    tied: bool
    paired: bool
    unit: str = "1"


@dataclass(frozen=True, slots=True)
class Relaxation:
    """A single constraint, relaxed by this much, would change the answer to `candidate`."""

    constraint: Constraint
    bound: float
    amount: float
    candidate: str
    gain: str = ""

    @property
    def relaxed(self) -> Constraint:
        """The constraint with the bound that would admit the candidate."""
        return replace(self.constraint, bound=self.bound)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer to a study.

    Attributes
    ----------
    outcome : Outcome
        Recommended, provisional (the best is undecided), none feasible, or refused.
    recommended : str or None
        Id of the recommended (or provisional, or nearest) candidate.
    reasons : tuple of str
        Why, in sentences that a person can repeat.
    assessments : tuple of Assessment
        Every candidate, best first.
    front : tuple of str
        Ids on the Pareto front of the feasible.
    ties : tuple of Comparison
        Every pair of interest with its paired difference, tied or not.
    relaxations : tuple of Relaxation
        Which single constraint, relaxed by how much, would change the answer.
    objectives : tuple of Objective
        As resolved: with both ends stated.
    context : Mapping
        Study name, hash, data hash, rows, split, seeds, confidence, versions, machine, looks at
        the test split, work done.

    """

    study: str
    purpose: str
    outcome: Outcome
    recommended: str | None
    reasons: tuple[str, ...]
    assessments: tuple[Assessment, ...]
    constraints: tuple[Constraint, ...] = ()
    objectives: tuple[Objective, ...] = ()
    front: tuple[str, ...] = ()
    ties: tuple[Comparison, ...] = ()
    relaxations: tuple[Relaxation, ...] = ()
    warnings: tuple[str, ...] = ()
    context: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, candidate: str) -> Assessment:
        """Return the assessment of a candidate by id or label."""
        for assessment in self.assessments:
            if candidate in (assessment.candidate.id, assessment.candidate.name):
                return assessment
        msg = f"No candidate {candidate!r} in this decision."
        raise KeyError(msg)

    @property
    def best(self) -> Assessment | None:
        """The recommended, provisional or nearest candidate."""
        return None if self.recommended is None else self[self.recommended]

    def by_standing(self, standing: Standing) -> tuple[Assessment, ...]:
        """Return the candidates of one standing, best first."""
        return tuple(a for a in self.assessments if a.standing is standing)

    def _repr_html_(self) -> str:
        from tradespace.core.rendering import render_html

        return render_html(self)
