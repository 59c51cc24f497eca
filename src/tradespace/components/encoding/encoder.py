"""The fitted preprocessing: raw columns to a float32 matrix without gaps.

The encoder is fitted on training rows only and travels inside the artifact. Its work exists
twice, for arrays (`transform`) and as ONNX nodes (`emit`), in the same order of operations.
Columns come out in this order: numbers, parts of dates, indicators of missing numbers,
categories, texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tradespace.components.encoding.categories import CategoryPlan, fit_category
from tradespace.components.encoding.numbers import NumberPlan, fit_numbers
from tradespace.components.encoding.text import TextPlan, fit_text
from tradespace.core.errors import DataError
from tradespace.core.registry.preprocessing import resolve_preprocessing
from tradespace.data.inputs import InputSchema
from tradespace.runtime.schemas import check_schema

if TYPE_CHECKING:
    import numpy.typing as npt

    from tradespace.components.export.builder import GraphBuilder
    from tradespace.data.inputs import Inputs

__all__ = ["Encoder", "check_schema", "fit_encoder", "resolve_preprocessing"]

#: Rows encoded at a time: what is in between stays small.
_CHUNK_ROWS = 32_768


@dataclass(frozen=True, slots=True)
class Encoder:
    """Fitted preprocessing; made by :func:`fit_encoder`."""

    schema: InputSchema
    numbers: NumberPlan
    strings: tuple[CategoryPlan | TextPlan, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns that come out."""
        names = self.numbers.names + tuple(n for plan in self.strings for n in plan.names)
        return names or ("nothing",)

    @property
    def width(self) -> int:
        """Number of columns that come out; at least 1, a column of zeros if nothing varies."""
        return len(self.names)

    def transform(self, inputs: Inputs) -> npt.NDArray[np.float32]:
        """Return the encoded rows, float32 of shape (n_rows, width), without nan.

        Raises
        ------
        DataError
            If the columns are not those that the encoder was fitted on.

        """
        check_schema(self.schema, inputs.schema)
        X = np.zeros((len(inputs), self.width), dtype=np.float32)
        tables = [plan.prepare(inputs.strings[plan.index].levels) for plan in self.strings]
        for start in range(0, len(inputs), _CHUNK_ROWS):
            rows = slice(start, start + _CHUNK_ROWS)
            at = self.numbers.width
            if at:
                self.numbers.write(inputs.numbers[rows], X[rows, :at])
            for plan, table in zip(self.strings, tables, strict=True):
                block = np.empty((len(X[rows]), plan.width), dtype=np.float32)
                plan.write(inputs.strings[plan.index].codes[rows], table, block)
                X[rows, at : at + plan.width] = block
                at += plan.width
        return X

    def emit(self, graph: GraphBuilder) -> str:
        """Add the work to a graph with inputs "numbers" and "strings"; return the matrix.

        The matrix is float32 of shape [N, width].
        """
        blocks = self.numbers.emit(graph, "numbers", n_numbers=len(self.schema.numbers))
        blocks += [plan.emit(graph, "strings") for plan in self.strings]
        if not blocks:
            source = "numbers" if self.schema.numbers else "strings"
            rows = graph.add("Shape", source, start=0, end=1)
            shape = graph.add("Concat", rows, graph.constant(np.array([1])), axis=0)
            return graph.add("ConstantOfShape", shape)
        return blocks[0] if len(blocks) == 1 else graph.add("Concat", *blocks, axis=1)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "schema": self.schema.to_dict(),
            "numbers": asdict(self.numbers),
            "strings": [
                {"text": isinstance(plan, TextPlan), **asdict(plan)} for plan in self.strings
            ],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Encoder:
        """Return the encoder that `to_dict` described."""
        plans: list[CategoryPlan | TextPlan] = []
        for row in data["strings"]:
            kind = TextPlan if row["text"] else CategoryPlan
            plans.append(kind(**_tuples({k: v for k, v in row.items() if k != "text"})))
        numbers = NumberPlan(**_tuples(data["numbers"]))
        return cls(InputSchema.from_dict(data["schema"]), numbers, tuple(plans))


def _tuples(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields with JSON's lists as tuples again."""
    return {key: _frozen(value) for key, value in data.items()}


def _frozen(value: Any) -> Any:
    return tuple(_frozen(v) for v in value) if isinstance(value, list | tuple) else value


def fit_encoder(inputs: Inputs, settings: Mapping[str, Any]) -> Encoder:
    """Return preprocessing fitted on these rows.

    Parameters
    ----------
    inputs : Inputs
        Training rows.
    settings : Mapping
        Complete settings, from
        :func:`tradespace.core.registry.preprocessing.resolve_preprocessing`.

    Raises
    ------
    DataError
        If there are no rows or no columns.

    Examples
    --------
    >>> from tradespace.core.registry.preprocessing import resolve_preprocessing
    >>> from tradespace.data.inputs import InputColumn, Inputs, StringColumn
    >>> schema = InputSchema((InputColumn("age", "number"), InputColumn("job", "category")))
    >>> jobs = StringColumn(np.array([0, 1, 0], np.int32), np.array(["cook", "smith"], object))
    >>> rows = Inputs(schema, np.array([[20.0], [np.nan], [40.0]]), (jobs,))
    >>> encoder = fit_encoder(rows, resolve_preprocessing({}))
    >>> encoder.names
    ('age', 'age is missing', 'job = cook', 'job = smith')
    >>> encoder.transform(rows)[1].tolist()
    [30.0, 1.0, 0.0, 1.0]

    """
    if not len(inputs) or not inputs.schema.columns:
        msg = (
            f"Preprocessing needs rows and columns to learn from; got {len(inputs)} rows "
            f"of {len(inputs.schema.columns)} columns."
        )
        raise DataError(msg)
    strings: list[CategoryPlan | TextPlan] = []
    for index, column in enumerate(inputs.schema.strings):
        fit = fit_text if column.kind == "text" else fit_category
        plan = fit(column.name, index, inputs.strings[index], settings)
        if plan is not None:
            strings.append(plan)
    return Encoder(inputs.schema, fit_numbers(inputs, settings), tuple(strings))
