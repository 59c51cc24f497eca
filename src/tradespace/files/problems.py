"""All problems of one study file, collected so that a person can mend them in one go."""

from __future__ import annotations

from collections.abc import Sequence

from tradespace.core.errors import InputError, Place, StudyError

#: A file with more problems than this is told the first ones and the number of the others.
MOST_SHOWN = 25


class StudyProblemsError(StudyError):
    """One or more problems of a study file; the text holds one per line.

    Attributes
    ----------
    problems : tuple of InputError
        In the order of the file.

    Examples
    --------
    >>> print(StudyProblemsError([StudyError("No purpose.", place=Place("s.yaml", 1, 1))]))
    s.yaml:1:1: No purpose.

    """

    def __init__(self, problems: Sequence[InputError]) -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        super().__init__(first.message, place=first.place, remedy=first.remedy)

    def __str__(self) -> str:
        lines = [str(problem) for problem in self.problems[:MOST_SHOWN]]
        if (more := len(self.problems) - MOST_SHOWN) > 0:
            lines.append(f"... and {more} more problems.")
        return "\n".join(lines)

    def at(self, place: Place | None) -> StudyProblemsError:
        """Return these problems, each with a place."""
        return StudyProblemsError([problem.at(place) for problem in self.problems])


class Collector:
    """Gathers problems while a file is checked."""

    def __init__(self) -> None:
        self._found: list[InputError] = []

    def add(self, message: str, *, place: Place | None, remedy: str = "") -> None:
        """Note one problem."""
        self.take(StudyError(message, place=place, remedy=remedy))

    def take(self, error: InputError, *, place: Place | None = None) -> None:
        """Note an error that was raised, at `place` if it has none of its own."""
        located = error.at(place)
        if str(located) not in {str(other) for other in self._found}:
            self._found.append(located)

    def __len__(self) -> int:
        return len(self._found)

    def raise_if_any(self) -> None:
        """Raise StudyProblemsError if anything was noted."""
        if self._found:
            raise StudyProblemsError(sorted(self._found, key=_order))


def _order(error: InputError) -> tuple[int, int]:
    place = error.place
    if place is None:
        return (0, 0)
    return (place.line or 0, place.column or 0)
