"""Times that a busy machine left unsettled: which they are, what they become, and words on them.

A finished trial is never done again, with this exception: of a time that others disturbed only
bounds are known, and every evaluation takes it anew on the stored artifact, training nothing.
"""

from __future__ import annotations

from dataclasses import replace

from tradespace.core.decisions import Decision, Standing
from tradespace.core.readings import Reading
from tradespace.core.requirements import Verdict
from tradespace.core.trials import Trial, TrialStatus


def is_unsettled(reading: Reading | None) -> bool:
    """Return whether the machine was too busy when the reading was taken.

    Examples
    --------
    >>> is_unsettled(Reading("q", 2.0, 1.0, 3.0, "s", context={"unsettled": True}))
    True

    """
    return reading is not None and bool(reading.context.get("unsettled"))


def unsettled(trial: Trial | None) -> tuple[str, ...]:
    """Return the names of the readings that are to be taken again."""
    readings = trial.readings if trial is not None else ()
    return tuple(reading.quality for reading in readings if is_unsettled(reading))


def retimed(old: Trial, new: Trial) -> Trial:
    """Return a trial with some readings taken anew; the old one if that failed."""
    if new.status is not TrialStatus.DONE:
        return old
    taken = {reading.quality: reading for reading in new.readings}
    readings = tuple(taken.get(reading.quality, reading) for reading in old.readings)
    work = {key: old.work.get(key, 0) + value for key, value in new.work.items()}
    return replace(old, readings=readings, work={**old.work, **work})


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
            if is_unsettled(readings.get(quality)):
                names.setdefault(quality, []).append(assessment.candidate.name)
    if not names:
        return []
    told = "; ".join(f"{quality} of {', '.join(who)}" for quality, who in names.items())
    return [
        f"The machine {'is still' if again else 'was'} busy: only bounds are known of {told}. "
        "Evaluate again when it is quieter; only unsettled times are taken again.",
        *_held_back(decision),
    ]


def _held_back(decision: Decision) -> list[str]:
    """Return who is worth more than what is recommended and out only for an unsettled time."""
    best = decision.best
    if best is None or best.utility is None or best.standing is not Standing.FEASIBLE:
        return []
    least = best.utility
    held = [
        f"{a.candidate.name} (utility {a.utility:.3f})"
        for a in decision.assessments
        if a.standing is Standing.UNDECIDED
        and a.utility is not None
        and a.utility > least
        and all(is_unsettled(c.reading) for c in a.checks if c.verdict is Verdict.UNKNOWN)
    ]
    if not held:
        return []
    return [
        f"Only an unsettled time keeps {', '.join(held)} from being weighed against "
        f"{best.candidate.name} (utility {least:.3f})."
    ]
