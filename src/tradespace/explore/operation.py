"""Words on times that a busy machine left unsettled.

A finished reading is never taken again, with this exception: of a time that others disturbed
only bounds are known, and every evaluation takes it anew on the stored artifact, training nothing.
"""

from __future__ import annotations

from tradespace.core.decisions import Decision
from tradespace.core.requirements import Verdict


def busy_warnings(decision: Decision, *, again: bool) -> list[str]:
    """Return, for people, which unsettled times a decision still rests on.

    A constraint that the bounds of a time already meet or miss needs no more. `again` says that
    times were taken for another time in this evaluation.
    """
    names: dict[str, list[str]] = {}
    for assessment in decision.assessments:
        readings = assessment.evidence.readings
        unknown = [c.constraint.quality for c in assessment.checks if c.verdict is Verdict.UNKNOWN]
        wished = [objective.quality for objective in decision.objectives]
        for quality in dict.fromkeys((*unknown, *wished)):
            reading = readings.get(quality)
            if reading is not None and reading.unsettled:
                names.setdefault(quality, []).append(assessment.candidate.name)
    if not names:
        return []
    told = "; ".join(f"{quality} of {', '.join(who)}" for quality, who in names.items())
    return [
        f"The machine {'is still' if again else 'was'} busy: only bounds are known of {told}. "
        "Evaluate again when it is quieter; only unsettled times are taken again.",
    ]
