"""Parts of pages that are written from code stand between two comments that name them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping


def filled(text: str, tables: Mapping[str, Callable[[], str]]) -> str:
    """Return a page with its named parts brought up to date.

    Parameters
    ----------
    text : str
        The page, with ``<!-- table: NAME -->`` and ``<!-- end: NAME -->`` once for each part.
    tables : Mapping of str to callable
        What writes each part.

    Raises
    ------
    ValueError
        If the page has no place for a part, or several.

    """
    for name, table in tables.items():
        begin, end = f"<!-- table: {name} -->", f"<!-- end: {name} -->"
        written = f"{begin}\n\n{table().strip()}\n\n{end}"
        pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        text, count = pattern.subn(lambda _, written=written: written, text)
        if count != 1:
            msg = f"A page needs exactly one place for the table {name!r}; found {count}."
            raise ValueError(msg)
    return text
