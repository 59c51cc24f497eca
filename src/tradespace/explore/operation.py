"""Times that a busy machine left unsettled: which they are, what they become, and words on them.

A finished trial is never done again, with this exception: of a time that others disturbed only
bounds are known, and every evaluation takes it anew on the stored artifact, training nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tradespace.core.decisions import Evidence
from tradespace.core.readings import Reading
from tradespace.core.requirements import Verdict
from tradespace.core.studies import Study
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


def busy_warnings(study: Study, evidence: Iterable[Evidence], *, again: bool) -> list[str]:
    """Return, for people, which unsettled times the decision still rests on.

    A constraint that the bounds of a time already meet or miss needs no more. `again` says that
    some of the times were taken for another time in this evaluation.
    """
    names: dict[str, list[str]] = {}
    for item in evidence:
        wanted = dict.fromkeys(
            [
                *(
                    c.quality
                    for c in study.constraints
                    if c.check(item.readings.get(c.quality)) is Verdict.UNKNOWN
                ),
                *(o.quality for o in study.objectives),
            ]
        )
        for quality in wanted:
            if is_unsettled(item.readings.get(quality)):
                names.setdefault(quality, []).append(item.candidate.name)
    if not names:
        return []
    told = "; ".join(f"{quality} of {', '.join(who)}" for quality, who in names.items())
    return [
        f"The machine {'is still' if again else 'was'} busy: only bounds are known of {told}. "
        "Evaluate again when it is quieter; only unsettled times are taken again."
    ]
