"""Where a study speaks of a column, so that what the data show can be said at its line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tradespace.core.errors import Place
from tradespace.core.studies import Study

#: Other keys that mean the same.
_ALSO = {"entity": ("group",)}


def column_place(study: Study, role: str, name: str | None = None) -> Place | None:
    r"""Return the place of a column's name under a role, or the nearest place around it.

    Parameters
    ----------
    study : Study
        Read from a file, or made in Python (then there may be no place).
    role : str
        A key of ``columns:`` or of the file: target, features, never, entity, types, ...
    name : str, optional
        The column, where the role holds several.

    Examples
    --------
    >>> from tradespace.study.load import parse_study
    >>> study = parse_study("purpose: P\ndata: sklearn:iris\ntarget: kind\n", file="s.yaml")
    >>> print(column_place(study, "target"))
    s.yaml:3:9

    """
    for path in _paths(study, role, name):
        if path in study.marks:
            return study.marks[path]
    return study.place("columns") if "columns" in study.marks else study.place("data")


def _paths(study: Study, role: str, name: str | None) -> Iterator[str]:
    """Yield where the name may stand, the closest first."""
    for key in (role, *_ALSO.get(role, ())):
        for holder in (("columns", key), (key,)):
            value: Any = study.source
            for step in holder:
                value = value.get(step) if isinstance(value, Mapping) else None
            if isinstance(value, Mapping) and name in value:
                yield ".".join((*holder, str(name)))
            elif isinstance(value, list) and name in value:
                yield ".".join((*holder, str(value.index(name))))
            if value is not None:
                yield ".".join(holder)
