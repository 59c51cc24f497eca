"""Rows as artifacts take them: numbers and strings, without loading anything that trains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from tradespace.data.inputs import Inputs


def repeated(sample: Inputs, start: int, stop: int) -> Inputs:
    """Return rows start..stop of a sample that begins again wherever it ends.

    Examples
    --------
    >>> import numpy as np
    >>> from tradespace.data.inputs import InputColumn, Inputs, InputSchema
    >>> schema = InputSchema((InputColumn("age", "number"),))
    >>> repeated(Inputs(schema, np.array([[20.0], [30.0]]), ()), 1, 4).numbers.ravel()
    array([30., 20., 30.])

    """
    if stop <= len(sample):
        return sample.take(slice(start, stop))
    return sample.take(np.arange(start, stop) % len(sample))


def packed(inputs: Inputs) -> dict[str, npt.NDArray[Any]]:
    """Return rows as our artifacts take them: "numbers" and "strings".

    Examples
    --------
    >>> import numpy as np
    >>> from tradespace.data.inputs import InputColumn, Inputs, InputSchema
    >>> schema = InputSchema((InputColumn("age", "number"),))
    >>> packed(Inputs(schema, np.array([[20.0]]), ()))
    {'numbers': array([[20.]])}

    """
    feeds: dict[str, npt.NDArray[Any]] = {}
    if inputs.schema.numbers:
        feeds["numbers"] = np.ascontiguousarray(inputs.numbers)
    if inputs.strings:
        strings = np.empty((len(inputs), len(inputs.strings)), dtype=object)
        for index in range(len(inputs.strings)):
            strings[:, index] = strings_of(inputs, index)
        feeds["strings"] = strings
    return feeds


def strings_of(inputs: Inputs, index: int) -> npt.NDArray[np.object_]:
    """Return one column of strings, "" for missing, without touching unused levels."""
    column = inputs.strings[index]
    if not len(column.levels):
        return np.full(len(inputs), "", dtype=object)
    values = column.levels[np.maximum(column.codes, 0)].astype(object)
    values[column.codes < 0] = ""
    return values
