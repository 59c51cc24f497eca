"""Hypothesis strategies and seeded examples of raw inputs, for tests of plug-ins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tradespace.core.studies import Task
from tradespace.data.inputs import InputColumn, Inputs, InputSchema, StringColumn

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

_WORDS = ("Hello", "wörld", "É", "foo-bar", "...", "7 up", "ÄÖ 日本", "hello", "x")


def mixed_inputs(n_rows: int, *, seed: int, unseen: bool = False) -> Inputs:
    """Return a table of every kind of column, a tenth of it missing.

    Two informative numbers, a boolean, a date, a constant, an empty, a duplicate and a huge
    column, a category and a text.

    Parameters
    ----------
    n_rows : int
        Number of rows.
    seed : int
        Of the generator.
    unseen : bool
        Whether the category has a level that tables without it never have.

    Examples
    --------
    >>> len(mixed_inputs(5, seed=0).schema.columns)
    10

    """
    rng = np.random.default_rng(seed)
    kinds = {
        "a": "number",
        "b": "number",
        "flag": "boolean",
        "day": "date",
        "constant": "number",
        "empty": "number",
        "copy of a": "number",
        "huge": "number",
        "kind": "category",
        "note": "text",
    }
    schema = InputSchema(tuple(InputColumn(n, k) for n, k in kinds.items()))  # type: ignore[arg-type]  # literals in a dict are str
    a = rng.normal(size=n_rows)
    numbers = np.stack(
        [
            a,
            rng.exponential(size=n_rows) * 100.0,
            rng.integers(0, 2, n_rows).astype(float),
            rng.uniform(-1e9, 1.7e9, n_rows),
            np.ones(n_rows),
            np.full(n_rows, np.nan),
            a,
            10.0 ** rng.uniform(-300, 300, n_rows),
        ],
        axis=1,
    )
    numbers[rng.random(numbers.shape) < 0.1] = np.nan
    if n_rows:
        numbers[0, 0] = np.inf
    levels = np.array(["x", "y", "z é", "never before"], dtype=object)
    codes = rng.integers(-1, 4 if unseen else 3, n_rows).astype(np.int32)
    texts = np.array([" ".join(rng.choice(_WORDS, 3)) for _ in range(40)], dtype=object)
    notes = rng.integers(-1, 40, n_rows).astype(np.int32)
    return Inputs(schema, numbers, (StringColumn(codes, levels), StringColumn(notes, texts)))


def labels_for(inputs: Inputs, task: Task, *, seed: int) -> Any:
    """Return labels that depend on the inputs of `mixed_inputs`, with noise."""
    rng = np.random.default_rng(seed)
    signal = np.nan_to_num(inputs.numbers[:, 0], posinf=0.0, neginf=0.0)
    signal = signal + (inputs.strings[0].codes == 1) + 0.3 * rng.normal(size=len(inputs))
    if task is Task.REGRESSION:
        return 1000.0 * signal
    if task is Task.MULTICLASS:
        return np.digitize(signal, [-0.5, 0.7]).astype(np.int64)
    return (signal > 0.5).astype(np.int64)


def tables(*, max_rows: int = 30) -> SearchStrategy[Inputs]:
    """Return a strategy of tables: any numbers, any strings, anything missing."""
    from hypothesis import strategies as st

    @st.composite
    def table(draw: Any) -> Inputs:
        kinds = draw(
            st.lists(
                st.sampled_from(["number", "boolean", "date", "category", "text"]),
                min_size=1,
                max_size=5,
            )
        )
        n_rows = draw(st.integers(1, max_rows))
        schema = InputSchema(tuple(InputColumn(f"c{i}", kind) for i, kind in enumerate(kinds)))
        numbers = np.empty((n_rows, len(schema.numbers)))
        for index, column in enumerate(schema.numbers):
            values = st.one_of(
                st.just(float("nan")),
                st.sampled_from([0.0, 1.0])
                if column.kind == "boolean"
                else st.floats(allow_nan=True, allow_infinity=True),
                st.integers(-5, 5).map(float),
            )
            numbers[:, index] = draw(st.lists(values, min_size=n_rows, max_size=n_rows))
        strings = []
        for _ in schema.strings:
            text = st.text(st.characters(codec="utf-8"), max_size=8)
            levels = draw(st.lists(text, min_size=1, max_size=4, unique=True))
            codes = st.lists(st.integers(-1, len(levels) - 1), min_size=n_rows, max_size=n_rows)
            made = np.array(draw(codes), dtype=np.int32)
            strings.append(StringColumn(made, np.array(levels, dtype=object)))
        return Inputs(schema, numbers, tuple(strings))

    return table()
