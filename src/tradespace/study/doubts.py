"""What is allowed in a study but can hardly be meant, and what only the data show to be wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from tradespace.core import registry
from tradespace.core.quantities import format_quantity
from tradespace.core.requirements import Constraint, Sense
from tradespace.core.studies import Study, Task
from tradespace.files.problems import Collector

_UPPER = (Sense.AT_MOST, Sense.BELOW)


def refuse_other_tasks(study: Study, task: Task) -> None:
    """Refuse qualities that do not fit the task that was found in the data.

    A study that states its task is refused while it is read; one that leaves it out can be
    held against it only here.

    Raises
    ------
    StudyProblemsError
        If a constraint, an objective or the list of qualities names one of another task.

    """
    rows = registry.qualities()
    fits = [name for name, row in rows.items() if task in row.tasks]
    problems = Collector()
    for use in study.qualities.values():
        if task not in rows[use.quality].tasks:
            problems.add(
                f"Quality {use.quality!r} does not fit the task {task.value!r}, which was found "
                f"from the target {study.columns.target!r}.",
                place=use.place,
                remedy=f"Choose one of: {', '.join(fits)}.",
            )
    problems.raise_if_any()


def doubts(study: Study, *, today: date) -> tuple[str, ...]:
    """Return what a person should look at again, in sentences.

    Parameters
    ----------
    study : Study
        The question.
    today : date
        A deadline before it is past.

    Examples
    --------
    >>> from tradespace.study.load import parse_study
    >>> study = parse_study('''
    ... purpose: Rank cells
    ... data: sklearn:breast_cancer
    ... target: target
    ... constraints: [recall >= 0.9, recall >= 0.5]
    ... ''')
    >>> doubts(study, today=date(2026, 1, 1))
    ("Line 5: 'recall >= 0.5' asks nothing beyond 'recall >= 0.9'. Remove one of them.",)

    """
    found = [_end_of_range(study, constraint) for constraint in study.constraints]
    found += _contained(study.constraints)
    found += _twice(study)
    found.append(_deadline(study, today))
    return tuple(text for text in found if text)


def _line(constraint: Constraint) -> str:
    place = constraint.place
    return f"Line {place.line}: " if place is not None and place.line is not None else ""


def _end_of_range(study: Study, constraint: Constraint) -> str:
    """Return what is odd about a bound at an end of its quality's range, or nothing."""
    use = study.qualities.get(constraint.quality)
    row = registry.quality(use.quality if use else constraint.quality)
    low, high = (format_quantity(end, constraint.unit) for end in (row.low, row.high))
    span = f"the range of {constraint.quality} is {low} to {high}"
    upper = constraint.sense in _UPPER
    if constraint.satisfied_by(row.low) and constraint.satisfied_by(row.high):
        return f"{_line(constraint)}'{constraint}' holds for every value: {span}."
    if constraint.bound == (row.low if upper else row.high):
        return (
            f"{_line(constraint)}'{constraint}' can hardly be met: {span}, and only its end "
            "keeps the bound, while the whole interval of a reading must."
        )
    return ""


def _contained(constraints: Sequence[Constraint]) -> Iterator[str]:
    """Yield pairs of bounds of which one says all that the other says."""
    for index, one in enumerate(constraints):
        for other in constraints[:index]:
            same_side = (one.sense in _UPPER) == (other.sense in _UPPER)
            if one.quality != other.quality or not same_side:
                continue
            looser, tighter = (one, other) if _implies(other, one) else (other, one)
            yield (
                f"{_line(looser)}'{looser}' asks nothing beyond '{tighter}'. Remove one of them."
            )


def _implies(tighter: Constraint, looser: Constraint) -> bool:
    """Return whether whatever keeps one bound keeps the other."""
    if tighter.bound == looser.bound:
        return tighter.sense in (Sense.BELOW, Sense.ABOVE) or tighter.sense is looser.sense
    return (tighter.bound < looser.bound) == (tighter.sense in _UPPER)


def _twice(study: Study) -> Iterator[str]:
    """Yield entries of the candidates that repeat one above."""
    seen: dict[str, int | None] = {}
    for spec in study.candidates:
        key = repr((spec.family, sorted(spec.settings.items()), sorted(spec.preprocessing.items())))
        line = spec.place.line if spec.place is not None else None
        if key in seen:
            first = f" (line {seen[key]})" if seen[key] is not None else ""
            start = f"Line {line}: " if line is not None else ""
            yield (
                f"{start}the candidate {spec.family} stands twice with the same settings{first}; "
                "it takes part once."
            )
        seen.setdefault(key, line)


def _deadline(study: Study, today: date) -> str:
    text = study.project.deadline
    if text is None:
        return ""
    end = datetime.fromisoformat(text).date()
    if end >= today:
        return ""
    place = study.place("project", "deadline")
    start = f"Line {place.line}: " if place is not None and place.line is not None else ""
    return f"{start}the deadline {end.isoformat()} is past (today is {today.isoformat()})."
