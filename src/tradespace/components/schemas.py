"""Whether rows have the columns that a component knows; light, because serving needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tradespace.core.errors import DataError

if TYPE_CHECKING:
    from tradespace.data.inputs import InputSchema


def check_schema(wanted: InputSchema, got: InputSchema) -> None:
    """Raise DataError unless both hold the same columns in the same order."""
    if wanted == got:
        return
    wanted_names = [(c.name, c.kind) for c in wanted.columns]
    got_names = [(c.name, c.kind) for c in got.columns]
    missing = [f"{n} ({k})" for n, k in wanted_names if (n, k) not in got_names]
    extra = [f"{n} ({k})" for n, k in got_names if (n, k) not in wanted_names]
    msg = (
        f"The rows do not have the columns that the component was trained on: "
        f"missing {missing or 'none'}, unexpected {extra or 'none'}."
    )
    raise DataError(msg, remedy="Give the same columns, of the same kinds, in the same order.")
