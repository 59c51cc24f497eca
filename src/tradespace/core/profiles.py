"""What a first look at a table found: the record from which `init` writes a study.

The data floor fills it from a file, the study floor turns it into text. Nothing here reads a
file.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tradespace.core.studies import Task

#: What the values of a column are; the first five are the kinds of raw inputs. "other" is what
#: no family can take (lists, bytes, all null).
ColumnKind = Literal["number", "boolean", "date", "category", "text", "other"]


class ColumnRole(enum.Enum):
    """What a column seems to be for."""

    TARGET = "target"
    FEATURE = "feature"
    TEXT = "text"
    ENTITY = "entity"
    TIME = "time"
    ID = "id"
    LEAK = "leak"
    CONSTANT = "constant"
    DUPLICATE = "duplicate"
    UNUSABLE = "unusable"

    @property
    def used(self) -> bool:
        """Whether a component may see the column as an input."""
        return self in (ColumnRole.FEATURE, ColumnRole.TEXT, ColumnRole.ENTITY, ColumnRole.TIME)


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column.

    Parameters
    ----------
    name : str
        As in the file.
    kind : str
        What the values are.
    role : ColumnRole
        What the column seems to be for; a suggestion that the user may overrule.
    missing : float
        Share of rows without a value, 0 to 1.
    distinct : int
        Number of different values, null not counted.
    examples : tuple of str
        A few values as text, for the comments.
    reason : str
        Why this role: "different in every row", "predicts the target alone (AUC 0.998)".
    copy_of : str, optional
        The column that a duplicate repeats.

    Examples
    --------
    >>> ColumnProfile("is_fraud", "boolean", ColumnRole.TARGET).role.used
    False

    """

    name: str
    kind: ColumnKind
    role: ColumnRole = ColumnRole.FEATURE
    missing: float = 0.0
    distinct: int = 0
    examples: tuple[str, ...] = ()
    reason: str = ""
    copy_of: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableProfile:
    """A table and what can be learned from it.

    Parameters
    ----------
    path : str
        The file as the study should name it: relative to the study if it lies below it.
    rows : int
        Number of rows.
    columns : tuple of ColumnProfile
        In the order of the file; at most one is the target, one the entity, one the time.
    task : Task
        What the target's values suggest.
    class_counts : Mapping
        Rows per label, as text, most frequent first; empty for regression.
    positive : object, optional
        The label that seems to be the positive one of a binary task, as it stands in the data
        (True, 1 or "yes").
    missing_target : int
        Rows whose target is null.
    sampled_rows : int, optional
        How many rows the findings rest on, if not all.
    first, last : str, optional
        ISO dates of the earliest and latest row, if there is a time column.
    notes : tuple of str
        What a person should know of the whole table.

    Examples
    --------
    >>> profile = TableProfile(
    ...     path="cells.csv",
    ...     rows=569,
    ...     columns=(ColumnProfile("malignant", "boolean", ColumnRole.TARGET),),
    ...     task=Task.BINARY,
    ...     class_counts={"false": 357, "true": 212},
    ...     positive=True,
    ... )
    >>> profile.target.name, profile.of_role(ColumnRole.ID)
    ('malignant', ())

    """

    path: str
    rows: int
    columns: tuple[ColumnProfile, ...]
    task: Task
    class_counts: Mapping[str, int] = field(default_factory=dict)
    positive: bool | int | float | str | None = None
    missing_target: int = 0
    sampled_rows: int | None = None
    first: str | None = None
    last: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def target(self) -> ColumnProfile:
        """The column to predict."""
        return next(column for column in self.columns if column.role is ColumnRole.TARGET)

    def of_role(self, *roles: ColumnRole) -> tuple[ColumnProfile, ...]:
        """Return the columns of these roles, in the order of the file."""
        return tuple(column for column in self.columns if column.role in roles)
