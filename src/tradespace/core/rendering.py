"""Records hold no HTML: the report floor renders them, found by name when it is needed."""

from __future__ import annotations

import html
import importlib
from collections.abc import Callable
from typing import Any

#: type of a record -> "module:function" that returns an HTML fragment.
HTML_RENDERERS: dict[str, str] = {
    "Decision": "tradespace.report.notebook:decision_html",
    "Inspection": "tradespace.report.network_notebook:inspection_html",
    "Study": "tradespace.report.notebook:study_html",
    "Trial": "tradespace.report.notebook:trial_html",
}


def load_object(path: str) -> Any:
    """Return the object at ``module:name``."""
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


def render_html(record: object) -> str:
    """Return a record as an HTML fragment; a record without a renderer shows its text."""
    path = HTML_RENDERERS.get(type(record).__name__)
    if path is None:
        return f"<pre>{html.escape(repr(record))}</pre>"
    renderer: Callable[[object], str] = load_object(path)
    return renderer(record)
