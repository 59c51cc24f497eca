"""Raw inputs at the component boundary: typed columns as arrays, strings as codes.

Numbers, booleans and dates (seconds since 1970-01-01 UTC) are float64 with nan for missing.
Categories and texts are codes into their levels with -1 for missing, so that millions of rows
stay small; a component sees the strings. An empty string counts as missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

InputKind = Literal["number", "boolean", "date", "category", "text"]

#: Kinds that stand in the matrix of numbers; the others are strings.
NUMERIC_KINDS = ("number", "boolean", "date")


@dataclass(frozen=True, slots=True)
class InputColumn:
    """One raw input; `version` is that of the feature's definition, if it is one."""

    name: str
    kind: InputKind
    version: str = ""

    @property
    def numeric(self) -> bool:
        """Whether it stands in the matrix of numbers."""
        return self.kind in NUMERIC_KINDS


@dataclass(frozen=True, slots=True)
class InputSchema:
    """The raw inputs of a component, in order."""

    columns: tuple[InputColumn, ...]

    @property
    def numbers(self) -> tuple[InputColumn, ...]:
        """Columns of the matrix of numbers, in order."""
        return tuple(column for column in self.columns if column.numeric)

    @property
    def strings(self) -> tuple[InputColumn, ...]:
        """Columns of strings, in order."""
        return tuple(column for column in self.columns if not column.numeric)

    def to_dict(self) -> list[dict[str, str]]:
        """Return plain data."""
        return [
            {"name": column.name, "kind": column.kind}
            | ({"version": column.version} if column.version else {})
            for column in self.columns
        ]

    @classmethod
    def from_dict(cls, data: Sequence[Mapping[str, Any]]) -> InputSchema:
        """Return the schema that `to_dict` described."""
        return cls(
            tuple(
                InputColumn(column["name"], column["kind"], column.get("version", ""))
                for column in data
            )
        )


@dataclass(frozen=True, slots=True)
class StringColumn:
    """Strings as codes: `codes` int32 of shape (n_rows,), -1 for missing; `levels` str."""

    codes: npt.NDArray[np.int32]
    levels: npt.NDArray[np.object_]

    def take(self, rows: npt.NDArray[np.int64] | slice) -> StringColumn:
        """Return some rows; the levels are shared."""
        return StringColumn(self.codes[rows], self.levels)

    def values(self) -> npt.NDArray[np.object_]:
        """Return the strings themselves, "" for missing."""
        padded = np.append(self.levels, "").astype(object)
        return padded[self.codes]


@dataclass(frozen=True, slots=True)
class Inputs:
    """Rows of raw inputs.

    `numbers` is float64 of shape (n_rows, n_numbers), `strings` one :class:`StringColumn` per
    string input, both in the order of the schema.
    """

    schema: InputSchema
    numbers: npt.NDArray[np.float64]
    strings: tuple[StringColumn, ...]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.numbers)

    def take(self, rows: npt.NDArray[np.int64] | slice) -> Inputs:
        """Return some rows, in the order given."""
        strings = tuple(column.take(rows) for column in self.strings)
        return Inputs(self.schema, self.numbers[rows], strings)

    def feeds(self) -> dict[str, npt.NDArray[Any]]:
        """Return the rows as an exported component takes them.

        "numbers": float64 [N, n_numbers] and "strings": str [N, n_strings], each only if there
        are such columns.
        """
        feeds: dict[str, npt.NDArray[Any]] = {}
        if self.schema.numbers:
            feeds["numbers"] = np.ascontiguousarray(self.numbers)
        if self.strings:
            feeds["strings"] = np.stack([column.values() for column in self.strings], axis=1)
        return feeds
