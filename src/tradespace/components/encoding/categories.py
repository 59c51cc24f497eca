"""Categories: their levels become 0/1 columns or ranks; rare and new levels become "other".

Levels are ranked by how many training rows have them, ties by name. Work is done once per
level and spread over the rows by their codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tradespace.components.export.builder import FLOAT, GraphBuilder

if TYPE_CHECKING:
    import numpy.typing as npt

    from tradespace.data.inputs import StringColumn

#: Rank of a missing value; level k of n kept ones has rank k, every other level rank n.
MISSING_RANK = -1


@dataclass(frozen=True, slots=True)
class CategoryPlan:
    """What became of one category in the training rows.

    Parameters
    ----------
    index : int
        Which column of strings.
    names : tuple of str
        Of the columns that come out.
    kept : tuple of str
        Levels with a rank of their own, most frequent first.
    columns : tuple of int
        One-hot: the rank of each column that comes out (-1: missing). Empty: the rank itself
        is the one column.

    """

    index: int
    names: tuple[str, ...]
    kept: tuple[str, ...]
    columns: tuple[int, ...]

    @property
    def width(self) -> int:
        """Number of columns that come out."""
        return len(self.names)

    def prepare(self, levels: npt.NDArray[np.object_]) -> npt.NDArray[np.float32]:
        """Return the encoded row of every level, missing last: (n_levels + 1, width)."""
        ranks = self._ranks(levels)
        if not self.columns:
            return ranks.astype(np.float32)[:, None]
        marks: npt.NDArray[np.bool_] = ranks[:, None] == np.array(self.columns)[None, :]
        return marks.astype(np.float32)

    def _ranks(self, levels: npt.NDArray[np.object_]) -> npt.NDArray[np.int64]:
        rank = {level: position for position, level in enumerate(self.kept)}
        rank[""] = MISSING_RANK
        n = len(self.kept)
        ranks = [rank.get(str(level), n) for level in levels]
        return np.array([*ranks, MISSING_RANK], dtype=np.int64)

    def write(self, codes: npt.NDArray[np.int32], table: Any, out: npt.NDArray[np.float32]) -> None:
        """Write the rows of these codes, from what `prepare` gave, into `out`."""
        np.take(table, codes, axis=0, out=out, mode="wrap")

    def emit(self, graph: GraphBuilder, strings: str) -> str:
        """Add the same work to a graph; return the float32 block [N, width]."""
        keys = [*self.kept, ""]
        ranks = [*range(len(self.kept)), MISSING_RANK]
        one = graph.constant(np.int64(self.index) if self.columns else np.array([self.index]))
        column = graph.add("Gather", strings, one, axis=1)
        encoded = graph.add(
            "LabelEncoder",
            column,
            domain="ai.onnx.ml",
            keys_strings=keys,
            values_int64s=ranks,
            default_int64=len(self.kept),
        )
        if not self.columns:
            return graph.add("Cast", encoded, to=FLOAT)
        return graph.add(
            "OneHotEncoder", encoded, domain="ai.onnx.ml", cats_int64s=list(self.columns), zeros=1
        )


def fit_category(
    name: str, index: int, column: StringColumn, settings: Mapping[str, Any]
) -> CategoryPlan | None:
    """Return the plan for one category, or None if nothing of it varies.

    Parameters
    ----------
    name : str
        Of the column.
    index : int
        Which column of strings it is.
    column : StringColumn
        Training rows.
    settings : Mapping
        Complete preprocessing settings.

    """
    present = column.codes[column.codes >= 0]
    counts = np.bincount(present, minlength=len(column.levels))
    used = [(-int(counts[i]), str(column.levels[i])) for i in np.flatnonzero(counts)]
    n_missing = len(column.codes) - len(present)
    n_missing += sum(-count for count, level in used if level == "")
    ranked = sorted(
        (count, level) for count, level in used if level and -count >= settings["min_frequency"]
    )
    kept = tuple(level for _, level in ranked[: settings["max_levels"]])
    n_kept = sum(-count for count, _ in ranked[: len(kept)])
    n_other = len(column.codes) - n_missing - n_kept
    groups = [-count for count, _ in ranked[: len(kept)]] + [n_other, n_missing]
    if settings["drop_constant"] and sum(size > 0 for size in groups) < 2:
        return None
    if settings["categories"] == "ordinal":
        return CategoryPlan(index, (name,), kept, ())
    columns = [*range(len(kept))]
    names = [f"{name} = {level}" for level in kept]
    if n_other:
        columns.append(len(kept))
        names.append(f"{name} is another")
    if n_missing and (settings["missing_indicators"] or not columns):
        columns.append(MISSING_RANK)
        names.append(f"{name} is missing")
    return CategoryPlan(index, tuple(names), kept, tuple(columns)) if columns else None
