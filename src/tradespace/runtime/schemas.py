"""Whether rows have the columns that a component knows; light, because serving needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tradespace.core.errors import DataError

if TYPE_CHECKING:
    from tradespace.data.inputs import InputSchema


def check_schema(wanted: InputSchema, got: InputSchema) -> None:
    """Raise DataError unless both hold the same columns in the same order.

    Features of another version than the component was trained on are refused; a column that
    says no version is taken as it is.
    """
    if wanted == got:
        return
    wanted_names = [(c.name, c.kind) for c in wanted.columns]
    got_names = [(c.name, c.kind) for c in got.columns]
    if wanted_names == got_names:
        for old, new in zip(wanted.columns, got.columns, strict=True):
            if old.version and new.version and old.version != new.version:
                msg = (
                    f"Feature {new.name!r} is of version {new.version}; the component was "
                    f"trained on version {old.version}."
                )
                raise DataError(
                    msg, remedy="Serve the definition it was trained on, or train it again."
                )
        return
    missing = [f"{n} ({k})" for n, k in wanted_names if (n, k) not in got_names]
    extra = [f"{n} ({k})" for n, k in got_names if (n, k) not in wanted_names]
    msg = (
        f"The rows do not have the columns that the component was trained on: "
        f"missing {missing or 'none'}, unexpected {extra or 'none'}."
    )
    raise DataError(msg, remedy="Give the same columns, of the same kinds, in the same order.")
