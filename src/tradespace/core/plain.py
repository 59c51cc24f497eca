"""Records as plain data: one way from dataclasses to what JSON and YAML hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any


def plain(value: Any) -> Any:
    """Return a value as plain data: records and mappings as dicts, sequences as lists.

    A record with a ``to_dict`` of its own is asked for it.

    Examples
    --------
    >>> plain({"sizes": (1, 2)})
    {'sizes': [1, 2]}

    """
    if is_dataclass(value) and not isinstance(value, type):
        own = getattr(value, "to_dict", None)
        return plain_fields(value) if own is None else own()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def plain_fields(
    record: Any, *, but: Iterable[str] = (), also: Iterable[str] = (), **keys: str
) -> dict[str, Any]:
    """Return the fields of a dataclass as plain data, in their order.

    Parameters
    ----------
    record : dataclass
        The record.
    but : iterable of str, optional
        Fields that are left out.
    also : iterable of str, optional
        Properties that follow the fields.
    **keys : str
        For a field or property, the key that it stands under if that is not its name.

    """
    names = [field.name for field in fields(record) if field.name not in set(but)]
    return {keys.get(name, name): plain(getattr(record, name)) for name in (*names, *also)}
