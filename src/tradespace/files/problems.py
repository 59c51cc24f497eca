"""All problems of one file, collected so that a person can correct them in one go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tradespace.core.errors import FeatureError, InputError, Place, ProcessorError, StudyError

#: A file with more problems than this is told the first ones and the number of the others.
MOST_SHOWN = 25


class ProblemsError(InputError):
    """One or more problems of a file; the text holds one per line.

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

    def at(self, place: Place | None) -> ProblemsError:
        """Return these problems, each with a place."""
        return type(self)([problem.at(place) for problem in self.problems])


class StudyProblemsError(ProblemsError, StudyError):
    """The problems of a study file."""


class ProcessorProblemsError(ProblemsError, ProcessorError):
    """The problems of a file that describes hardware."""


class FeatureProblemsError(ProblemsError, FeatureError):
    """The problems of a file of features."""


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of file that people write: its words in messages, its limit and its errors.

    Attributes
    ----------
    noun : str
        "study file": what one is.
    start : str
        How one begins, as a remedy: "Start with 'sources:' at the left margin."
    missing : str
        What to do if there is no such file.
    problems : type of ProblemsError
        What all problems of one file are raised as.
    largest_bytes : int
        A larger file is refused unread; the parser takes seconds for more.

    """

    noun: str
    start: str
    missing: str
    problems: type[ProblemsError]
    largest_bytes: int = 100_000

    def error(self, message: str, *, place: Place | None, remedy: str = "") -> ProblemsError:
        """Return one problem as an error."""
        return self.problems([InputError(message, place=place, remedy=remedy)])


STUDY = FileKind(
    "study file",
    "Start with 'purpose:', 'data:' and 'target:' at the left margin.",
    "Write one with 'tradespace init DATA --target COLUMN'.",
    StudyProblemsError,
)


class Collector:
    """Gathers problems while a file is checked."""

    def __init__(self, kind: FileKind = STUDY) -> None:
        self.kind = kind
        self._problems: list[InputError] = []

    def add(self, message: str, *, place: Place | None, remedy: str = "") -> None:
        """Note one problem."""
        self.take(InputError(message, place=place, remedy=remedy))

    def take(self, error: InputError, *, place: Place | None = None) -> None:
        """Note an error that was raised, at `place` if it has none of its own."""
        located = error.at(place)
        if str(located) not in {str(other) for other in self._problems}:
            self._problems.append(located)

    def __len__(self) -> int:
        return len(self._problems)

    def raise_if_any(self) -> None:
        """Raise the error of this kind of file if anything was noted."""
        if self._problems:
            raise self.kind.problems(sorted(self._problems, key=_order))


def _order(error: InputError) -> tuple[int, int]:
    place = error.place
    if place is None:
        return (0, 0)
    return (place.line or 0, place.column or 0)
