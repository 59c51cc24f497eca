"""Content hashes: the same content has the same id on every machine."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any


def canonical(value: Any) -> Any:
    """Return `value` as plain JSON types in one form only.

    Whole floats stay floats (``1.0`` is not ``1``): a changed type is a changed setting.
    Infinities and nan become strings, because JSON has no word for them.
    """
    if isinstance(value, Mapping):
        return {str(key): canonical(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if isinstance(value, str | bool | int | float) or value is None:
        return value
    if isinstance(value, Sequence | set | frozenset):
        items = [canonical(item) for item in value]
        return sorted(items, key=repr) if isinstance(value, set | frozenset) else items
    return str(value)


def content_hash(value: Any, *, length: int = 16) -> str:
    """Return the hash of plain data as `length` hexadecimal digits.

    Examples
    --------
    >>> content_hash({"a": 1, "b": 2}) == content_hash({"b": 2, "a": 1})
    True
    >>> content_hash({"a": 1}) == content_hash({"a": 1.0})
    False

    """
    text = json.dumps(canonical(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:length]
