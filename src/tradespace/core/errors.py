"""The errors of tradespace, one tree under :class:`TradespaceError`.

An error says what is wrong, whose it is, what was wanted, what was found and what to do
next. Errors about something a person wrote carry its place as a :class:`Place`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file something stands; lines and columns count from 1.

    Examples
    --------
    >>> str(Place("study.yaml", 3, 5))
    'study.yaml:3:5'

    """

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        parts = [self.file]
        if self.line is not None:
            parts.append(str(self.line))
            if self.column is not None:
                parts.append(str(self.column))
        return ":".join(parts)


class TradespaceError(Exception):
    """Base of all errors that tradespace raises on purpose; they cross processes whole."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.args, self.__dict__)


def _restored(
    kind: type[TradespaceError], arguments: tuple[Any, ...], state: dict[str, Any]
) -> TradespaceError:
    error = kind.__new__(kind)
    error.args = arguments
    error.__dict__.update(state)
    return error


class InputError(TradespaceError, ValueError):
    """Something a person gave is wrong; the command line exits with 2.

    Parameters
    ----------
    message : str
        One sentence: what is wrong, what was found, what is allowed.
    place : Place, optional
        Where it stands.
    remedy : str, optional
        One sentence: what to do.

    Examples
    --------
    >>> error = InputError("Unknown key 'purpse'.", place=Place("study.yaml", 1, 1),
    ...                    remedy="Did you mean 'purpose'?")
    >>> print(error)
    study.yaml:1:1: Unknown key 'purpse'. Did you mean 'purpose'?

    """

    def __init__(self, message: str, *, place: Place | None = None, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.remedy = remedy

    def __str__(self) -> str:
        start = f"{self.place}: " if self.place is not None else ""
        end = f" {self.remedy}" if self.remedy else ""
        return f"{start}{self.message}{end}"

    def at(self, place: Place | None) -> InputError:
        """Return this error with a place, keeping one it already has."""
        return type(self)(self.message, place=self.place or place, remedy=self.remedy)


class StudyError(InputError):
    """A study file is wrong."""


class DataError(InputError):
    """Data do not fit the study."""


class RequirementError(InputError):
    """A constraint or an objective makes no sense."""


class SettingError(InputError):
    """A setting of a plug-in has an impossible value."""


class RegistryError(InputError):
    """A plug-in is not known or cannot be loaded."""


class FeatureError(InputError):
    """A feature definition is wrong."""


class GraphError(InputError):
    """A network cannot be read or makes no sense."""


class ProcessorError(InputError):
    """A processor, or a program for it, makes no sense."""


class ExportError(TradespaceError):
    """A fitted component cannot be exported faithfully."""


class TrialError(TradespaceError):
    """One trial failed; recorded on the trial, and the others go on."""


class UnreachableError(TrialError):
    """A service did not answer; that may pass, so the next run asks it again."""


class MeasureError(TradespaceError):
    """A quality cannot be measured; its reading is unknown and says why."""


class StoreError(TradespaceError):
    """The run store is damaged, locked or of another version."""


class MissingExtraError(InputError):
    """An optional library is not installed.

    Parameters
    ----------
    library : str
        What is missing.
    extra : str
        The extra of tradespace that brings it.
    needed_for : str
        What asked for it.

    """

    def __init__(self, library: str, *, extra: str, needed_for: str) -> None:
        super().__init__(
            f"{needed_for} needs the library {library!r}, which is not installed.",
            remedy=f"Install it with: pip install 'tradespace[{extra}]'.",
        )
        self.library, self.extra, self.needed_for = library, extra, needed_for

    def at(self, place: Place | None) -> InputError:
        """Return this error with a place."""
        error = MissingExtraError(self.library, extra=self.extra, needed_for=self.needed_for)
        error.place = self.place or place
        return error
