"""Views that are used together agree on their sources and names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from tradespace.core.errors import FeatureError

if TYPE_CHECKING:
    from tradespace.features.define.sources import EventSource
    from tradespace.features.define.views import View
from tradespace.features.define.sources import source_content


def refuse_two_sources(views: Iterable[View]) -> None:
    """Raise FeatureError if views read sources that share a name but are not the same.

    Examples
    --------
    >>> from tradespace.features import EventSource, FeatureView, count
    >>> a, b = EventSource("log", path="a.parquet"), EventSource("log", path="b.parquet")
    >>> views = [FeatureView(s.path[0], s, "card", [count("1d")]) for s in (a, b)]
    >>> refuse_two_sources(views)
    Traceback (most recent call last):
    ...
    tradespace.core.errors.FeatureError: Two sources are named 'log': for view 'a' path is
    'a.parquet', for view 'b' 'b.parquet'. Give each source a name of its own, or share one.

    """
    seen: dict[str, View] = {}
    for view in views:
        other = seen.setdefault(view.source.name, view)
        if view.source == other.source:
            continue
        name, one, two = next(_differences(other.source, view.source))
        msg = f"Two sources are named {view.source.name!r}: for view {other.name!r} {name} is "
        msg += f"{one!r}, for view {view.name!r} {two!r}."
        raise FeatureError(
            msg, place=view.place, remedy="Give each source a name of its own, or share one."
        )


def refuse_two_features(views: Iterable[View]) -> None:
    """Raise FeatureError if two views make features of one name."""
    seen: dict[str, View] = {}
    for view in views:
        for name in view.names:
            other = seen.setdefault(name, view)
            if other is not view:
                msg = f"Views {other.name!r} and {view.name!r} both have a feature {name!r}."
                raise FeatureError(
                    msg, place=view.place, remedy="Give one of them another name: name='...'."
                )


def _differences(one: EventSource, two: EventSource) -> Iterator[Any]:
    first, second = source_content(one), source_content(two)
    return iter([(n, first[n], second[n]) for n in first if first[n] != second[n]])
