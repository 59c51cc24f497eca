"""Plain data as JSON text that every reader takes: what JSON lacks becomes null."""

from __future__ import annotations

import json
import math
from typing import Any


def json_text(value: Any) -> str:
    """Return plain data as indented JSON with a line end.

    Examples
    --------
    >>> print(json_text({"p": float("nan")}), end="")
    {
      "p": null
    }

    """
    return json.dumps(_finite(value), indent=2, ensure_ascii=False, default=str) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
