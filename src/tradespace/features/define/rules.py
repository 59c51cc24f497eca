"""What definitions may say: their names, numbers and columns, and what goes together."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping

from tradespace.core.errors import FeatureError
from tradespace.files.durations import parse_duration_us

#: The last values that one feature can reach back for.
MOST_LAST = 1000
_LONGEST_NAME = 200


def is_whole(value: object) -> bool:
    """Return whether a value is an integer and not a boolean."""
    return isinstance(value, int) and not isinstance(value, bool)


def shown(value: object) -> str:
    """Return a value as messages show it: features by their names, long ones cut."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(shown(item) for item in value[:3])}{', ...' * (len(value) > 3)}]"
    slug = getattr(value, "slug", None)
    text = f"the feature {slug}" if isinstance(slug, str) else repr(value)
    return text if len(text) < 80 else f"{text[:77]}..."


def check_name(name: object, *, what: str, of_files: bool = False) -> None:
    """Raise FeatureError for a name that is no text or that no column or file can have."""
    if not isinstance(name, str):
        msg = f"The name of {what} must be a text; got {shown(name)}."
        raise FeatureError(msg, remedy="Write it in quotes.")
    bad = [sign for sign in name if not sign.isprintable() or sign in '"`']
    if of_files:
        bad += [sign for sign in name if sign in "/\\:*?<>|"]
    if not name or name != name.strip() or bad or len(name) > _LONGEST_NAME or name in (".", ".."):
        msg = f"{name!r} cannot be the name of {what}, because it names columns"
        msg += " and files." if of_files else "."
        raise FeatureError(
            msg, remedy="Use letters, digits, '_', '-' and '.', like 'customer' or 'card_7d'."
        )


def check_column(name: object, *, what: str) -> None:
    """Raise FeatureError for what is no name of one column."""
    if isinstance(name, list | tuple | set):
        joined = f"pl.concat_str({list(name)!r}, separator='|')"
        msg = f"{what} is one column; got {shown(list(name))}."
        raise FeatureError(
            msg,
            remedy="A key of several columns has to be a column of its own: store one with "
            f"frame.with_columns(key={joined}) and name it.",
        )
    if not isinstance(name, str) or not name:
        msg = f"{what} is the name of a column; got {shown(name)}."
        raise FeatureError(msg, remedy="Write it in quotes.")


def check_k(k: object) -> None:
    """Raise FeatureError unless k says which of the last events."""
    if not isinstance(k, int) or not is_whole(k) or k < 1:
        msg = f"k of last must be 1 or more; got {k!r}."
        raise FeatureError(msg, remedy="1 is the most recent event.")
    if k > MOST_LAST:
        msg = f"k of last is at most {MOST_LAST:,}; got {k:,}."
        raise FeatureError(msg, remedy="Aggregate instead: a mean or a decayed mean sees further.")


def check_decimals(given: object, *, owner: str) -> None:
    """Raise FeatureError for decimals that are not a mapping of columns to digits."""
    if not isinstance(given, Mapping):
        msg = f"Decimals of source {owner!r} say how many each column has; got {shown(given)}."
        raise FeatureError(msg, remedy="Write them like decimals={'amount': 2}.")
    for column, digits in given.items():
        if not is_whole(digits) or not 0 <= digits <= 9:
            msg = f"Decimals of {column!r} in source {owner!r} must be 0 to 9; got {digits!r}."
            raise FeatureError(msg, remedy="Cents have 2 decimals.")


def text_of_path(path: object, *, owner: str) -> str | None:
    """Return the path of a source as text."""
    if path is None or (isinstance(path, str) and path):
        return path
    if isinstance(path, os.PathLike):
        return str(os.fspath(path))
    msg = f"The path of source {owner!r} is one file or glob; got {shown(path)}."
    raise FeatureError(
        msg,
        remedy="Write several files as a glob: path='events/*.parquet'; None: the study's rows.",
    )


def freshness_of(freshness: object, freshness_us: object, *, owner: str) -> int | None:
    """Return a limit of freshness in microseconds, from a text or a number of them."""
    if freshness is not None:
        if freshness_us is not None:
            msg = f"View {owner!r} has both freshness and freshness_us."
            raise FeatureError(msg, remedy="Keep freshness, like freshness='5 min'.")
        freshness_us = parse_duration_us(freshness, what="freshness")  # type: ignore[arg-type]  # checked there
    if freshness_us is None:
        return None
    if not isinstance(freshness_us, int) or not is_whole(freshness_us) or freshness_us < 1:
        msg = f"freshness_us of view {owner!r} is a number of microseconds above 0; "
        msg += f"got {freshness_us!r}."
        raise FeatureError(msg, remedy="Write freshness='5 min' instead.")
    return freshness_us


def check_finite(value: object, *, what: str) -> None:
    """Raise FeatureError for what is no finite number."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        msg = f"{what} is a number; got {value!r}."
        raise FeatureError(msg, remedy="Write it like 0 or 99.5, or leave it out.")
