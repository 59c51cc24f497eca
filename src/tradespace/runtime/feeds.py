"""Raw columns for somebody else's ONNX file: which column goes into which of its inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tradespace.core.errors import DataError
from tradespace.runtime.rows import packed, strings_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from tradespace.data.inputs import Inputs, InputSchema

_TYPES: Mapping[str, Any] = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
    "tensor(string)": object,
}


def plan_feeds(session: Any, schema: InputSchema) -> dict[str, Any]:
    """Return for each input of a model the columns that go into it, as plain data.

    Tried in this order: inputs named "numbers" and "strings" take ours, packed; inputs named
    like columns take one column each; a single float input as wide as there are numbers takes
    all of them, in order.

    Raises
    ------
    DataError
        If an input of the model cannot be filled; names what was found and wanted.

    """
    wanted = {value.name: value for value in session.get_inputs()}
    numbers = [column.name for column in schema.numbers]
    names = {column.name: column for column in schema.columns}
    for name, value in wanted.items():
        if value.type not in _TYPES:
            msg = f"Input {name!r} of the ONNX file has type {value.type}, which cannot be fed."
            raise DataError(msg, remedy=f"Use one of {', '.join(_TYPES)}.")
    if set(wanted) <= {"numbers", "strings"}:
        widths = {"numbers": len(numbers), "strings": len(schema.strings)}
        for name, value in wanted.items():
            width = value.shape[-1] if value.shape else None
            if isinstance(width, int) and width != widths[name]:
                msg = (
                    f"Input {name!r} of the ONNX file takes {width} columns; the study has "
                    f"{widths[name]}: {[c.name for c in schema.columns]}."
                )
                raise DataError(msg, remedy="Name the features of the study in their order.")
        return {name: {"packed": name, "type": value.type} for name, value in wanted.items()}
    if set(wanted) <= set(names):
        plan = {}
        for name, value in wanted.items():
            if (value.type == "tensor(string)") == names[name].numeric:
                msg = (
                    f"Input {name!r} of the ONNX file is {value.type}, but the column of that "
                    f"name is of kind {names[name].kind}."
                )
                raise DataError(msg, remedy="Set the column's type in the study: columns.types.")
            plan[name] = {"column": name, "type": value.type, "rank": len(value.shape or [0])}
        return plan
    if len(wanted) == 1:
        ((name, value),) = wanted.items()
        width = value.shape[-1] if value.shape else None
        if value.type in ("tensor(float)", "tensor(double)") and width in (len(numbers), None):
            return {name: {"packed": "numbers", "type": value.type}}
    msg = (
        f"The ONNX file wants the inputs {sorted(wanted)}, of shapes "
        f"{[value.shape for value in wanted.values()]}; the study has the columns "
        f"{[column.name for column in schema.columns]} ({len(numbers)} of them numbers)."
    )
    remedy = "Name its inputs like the columns, or 'numbers' and 'strings', or list its features."
    raise DataError(msg, remedy=remedy)


def feed_columns(inputs: Inputs, plan: Mapping[str, Any]) -> dict[str, npt.NDArray[Any]]:
    """Return rows as the plan of `plan_feeds` says; missing whole numbers become 0."""
    ours = packed(inputs) if any("packed" in part for part in plan.values()) else {}
    feeds: dict[str, npt.NDArray[Any]] = {}
    for name, part in plan.items():
        kind = _TYPES[part["type"]]
        if "packed" in part:
            feeds[name] = ours[part["packed"]].astype(kind)
            continue
        values = _column(inputs, part["column"])
        if kind is not object and kind not in (np.float32, np.float64):
            values = np.nan_to_num(values)
        values = values.astype(kind)
        feeds[name] = values[:, None] if part["rank"] == 2 else values
    return feeds


def _column(inputs: Inputs, name: str) -> npt.NDArray[Any]:
    for index, column in enumerate(inputs.schema.numbers):
        if column.name == name:
            return inputs.numbers[:, index]
    names = [column.name for column in inputs.schema.strings]
    return strings_of(inputs, names.index(name))


def find_output(session: Any, *, n_classes: int) -> str:
    """Return the name of the output that holds the scores.

    Raises
    ------
    DataError
        If no output can be told to be the scores.

    """
    floats = [o for o in session.get_outputs() if o.type in ("tensor(float)", "tensor(double)")]
    by_name = {output.name: output for output in floats}
    for name in ("score", "probabilities", "output_probability", "probability_tensor", "variable"):
        if name in by_name:
            return name
    if len(floats) == 1:
        return str(floats[0].name)
    found = [f"{output.name} ({output.type})" for output in session.get_outputs()]
    msg = f"The ONNX file gives {found}; wanted one output of numbers, for {n_classes} classes."
    raise DataError(msg, remedy="Name the scores 'score' and give them as a tensor (no ZipMap).")
