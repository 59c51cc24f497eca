"""Certain bounds on the size of an artifact, stated before any training."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tradespace.core.readings import Reading, ReadingKind

if TYPE_CHECKING:
    from tradespace.components._base import Shape
    from tradespace.data.inputs import Inputs

#: Bytes of the graph around a model: names, versions, settings, facts in the metadata.
_FRAME_BYTES = 8_000


def size_reading(*, shape: Shape, low: float = 0.0, high: float = math.inf) -> Reading:
    """Return the predicted reading of model_size.

    Parameters
    ----------
    shape : Shape
        Of the training data.
    low : float
        The model takes at least this many bytes.
    high : float
        The model alone takes at most this many bytes; encoder and frame are added.

    """
    return Reading(
        quality="model_size",
        value=math.nan,
        low=low,
        high=high + shape.encoder_bytes + _FRAME_BYTES,
        unit="B",
        kind=ReadingKind.PREDICTED,
        method="bound from the settings and the number of rows, inputs and classes",
    )


def shape_of(inputs: Inputs, *, n_classes: int, whole: Inputs | None = None) -> Shape:
    """Return what the bounds need to know, found without fitting anything.

    The bounds hold for every setting of the preprocessing, so they are wide where there are
    texts or many levels.

    Parameters
    ----------
    inputs : Inputs
        Training rows.
    n_classes : int
        Classes; 2 for regression too.
    whole : Inputs, optional
        All rows, of every fold, where bounds are to hold for trainings on others of them; a
        column without gaps in any of them gets no indicator. The training rows alone if None.

    """
    import numpy as np

    from tradespace.components._base import Shape

    gaps = ~np.isfinite((whole or inputs).numbers)
    flags = [not len(gaps) or bool(column.any()) for column in gaps.T]
    varying, columns, encoder_bytes = 0, 0, 4_000.0
    for index, column in enumerate(inputs.schema.numbers):
        values = inputs.numbers[:, index]
        present = np.clip(values[np.isfinite(values)], -1e18, 1e18)
        if column.kind != "date" and len(present) and present.min() != present.max():
            varying += 1
        columns += (6 if column.kind == "date" else 1) + int(flags[index])
        encoder_bytes += 6_000 if column.kind == "date" else 200
        encoder_bytes += 16.0 * len(column.name)
    for column, strings in zip(inputs.schema.strings, inputs.strings, strict=True):
        sizes = [len(str(level).encode()) for level in strings.levels]
        # A word and the gap after it are two characters at least.
        most = (sum(sizes) + len(sizes)) // 2 if column.kind == "text" else len(sizes)
        columns += most + 2
        encoder_bytes += sum(sizes) + (most + 2) * (40 + 2 * len(column.name.encode())) + 2_000
    return Shape(
        n_rows=len(inputs),
        n_inputs=len(inputs.schema.columns),
        n_classes=n_classes,
        n_varying=varying,
        n_columns=max(1, columns),
        encoder_bytes=encoder_bytes,
    )
