"""The data sets that come with scikit-learn, as frames with a column "target"."""

from __future__ import annotations

import importlib

import polars as pl

from tradespace.core.errors import DataError
from tradespace.core.studies import BUNDLED
from tradespace.core.suggest import unknown


def load_bundled(name: str) -> pl.DataFrame:
    """Return a bundled set: one column per input and "target".

    The target of a classification set holds the names of the classes ("malignant", "benign"),
    that of the digits "0" to "9".

    Raises
    ------
    DataError
        If there is no such set.

    Examples
    --------
    >>> load_bundled("iris")["target"].unique().sort().to_list()
    ['setosa', 'versicolor', 'virginica']

    """
    if name not in BUNDLED:
        raise unknown(DataError, "scikit-learn set", name, BUNDLED)
    datasets = importlib.import_module("sklearn.datasets")
    bunch = getattr(datasets, f"load_{name}")()
    frame = pl.DataFrame(
        {str(label): bunch.data[:, i] for i, label in enumerate(bunch.feature_names)}
    )
    target = bunch.target
    if "target_names" in bunch:
        target = [str(bunch.target_names[code]) for code in bunch.target]
    return frame.with_columns(pl.Series("target", target))
