"""The nearest valid name, for error messages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TypeVar

from tradespace.core.errors import InputError, Place

_Error = TypeVar("_Error", bound=InputError)


def nearest(name: str, allowed: Iterable[str]) -> str | None:
    """Return the allowed name most like `name`, or None if nothing is near.

    Examples
    --------
    >>> nearest("random_forrest", ["random_forest", "decision_tree"])
    'random_forest'

    """
    pool = {option.lower().replace("-", "_"): option for option in allowed}
    wanted = name.lower().replace("-", "_")
    found = difflib.get_close_matches(wanted, pool, n=1, cutoff=0.6)
    if not found and len(wanted) > 3:
        found = [option for option in pool if option.startswith(wanted)][:1]
    return pool[found[0]] if found else None


def allowed_text(allowed: Iterable[str], *, most: int = 12) -> str:
    """Return the allowed names as a phrase, cut where it would get too long.

    Examples
    --------
    >>> allowed_text(["a", "b"])
    'a, b'
    >>> allowed_text("abcd", most=2)
    'a, b and 2 more'

    """
    names = list(allowed)
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"


def unknown_name(what: str, name: str, allowed: Iterable[str]) -> tuple[str, str]:
    """Return message and remedy for a name that is not known.

    Examples
    --------
    >>> unknown_name("family", "treee", ["tree", "forest"])
    ("Unknown family 'treee'; allowed are: tree, forest.", "Did you mean 'tree'?")

    """
    names = list(dict.fromkeys(allowed))
    guess = nearest(name, names)
    remedy = f"Did you mean {guess!r}?" if guess else "Choose one of these names."
    return f"Unknown {what} {name!r}; allowed are: {allowed_text(names)}.", remedy


def unknown(
    error: type[_Error], what: str, name: str, allowed: Iterable[str], *, place: Place | None = None
) -> _Error:
    """Return the error, to be raised, for a name that is not known.

    Examples
    --------
    >>> unknown(InputError, "family", "treee", ["tree", "forest"]).remedy
    "Did you mean 'tree'?"

    """
    message, remedy = unknown_name(what, name, allowed)
    return error(message, place=place, remedy=remedy)
