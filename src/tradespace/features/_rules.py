"""What definitions may say: their names, numbers and columns, and what goes together."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tradespace.core.errors import FeatureError
from tradespace.core.suggest import unknown_name
from tradespace.features.durations import format_duration, parse_duration_us
from tradespace.features.expressions import Expression

if TYPE_CHECKING:
    from tradespace.features.definitions import EventSource, Feature, View

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


def check_feature(feature: Feature, kinds: Mapping[str, bool]) -> None:
    """Raise FeatureError for a feature that cannot be computed."""
    kind = feature.kind
    if kind not in kinds:
        message, remedy = unknown_name("kind of feature", str(kind), kinds)
        raise FeatureError(message, remedy=remedy)
    if (feature.parts is not None) != (kind == "ratio"):
        msg = f"A ratio, and nothing else, has two parts; got a {kind}."
        raise FeatureError(msg, remedy="Make features with count, mean, ratio and the like.")
    if feature.name != "":
        check_name(feature.name, what="a feature")
    empty: Any = feature.empty
    if empty is not None and not isinstance(empty, int | float):
        msg = f"empty of {kind} is the number that stands for nothing; got {empty!r}."
        raise FeatureError(msg, remedy="Write it like empty=0.0, or leave it out for missing.")
    where: Any = feature.where
    if where is not None and not isinstance(where, Expression):
        msg = f"where of {kind} is a condition; got {shown(where)}."
        raise FeatureError(msg, remedy="Write it like where=column('eur') > 1.")
    if feature.parts is not None:
        return
    if feature.column is None and (kinds[kind] or kind == "distinct"):
        msg = f"A feature of kind {kind!r} reads a column; none is named."
        raise FeatureError(msg, remedy=f"Name it, like {kind}('amount', '7d').")
    if feature.column is not None:
        check_column(feature.column, what=f"The column of {kind}")
    lengths: dict[str, Any] = {"window_us": feature.window_us, "half_life_us": feature.half_life_us}
    for name, length in lengths.items():
        if length is not None and (not is_whole(length) or length < 1):
            msg = f"{name} of {kind} is a whole number of microseconds above 0; got {length!r}."
            raise FeatureError(msg, remedy="Make features with count, mean and the like: '7d'.")
    if not is_whole(feature.delay_us) or feature.delay_us < 0:
        msg = f"delay_us of {kind} is a whole number of microseconds; got {feature.delay_us!r}."
        raise FeatureError(msg, remedy="Make features with count, mean and the like: '7d'.")
    if kind == "decayed_mean" and feature.half_life_us is None:
        msg = "A decayed mean needs a half-life."
        raise FeatureError(msg, remedy="Write it like decayed_mean('amount', '3d').")
    check_k(feature.k)


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


def check_names(names: Sequence[str], taken: Iterable[str], *, owner: str) -> None:
    """Raise FeatureError if two features of a view, or one and a column it reads, share a name."""
    twins = sorted(name for name, number in Counter(names).items() if number > 1)
    if twins:
        msg = f"View {owner!r} has two features named {twins[0]!r}."
        raise FeatureError(msg, remedy="Give one of them a name of its own: name='...'.")
    both = sorted(set(names) & set(taken))
    if both:
        msg = f"View {owner!r} names a feature {both[0]!r}, like a column of its source."
        raise FeatureError(msg, remedy="Give it a name of its own: name='...'.")


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


def source_content(source: EventSource) -> dict[str, Any]:
    """Return all that tells sources of one name apart."""
    content = {"path": source.path, **source.to_dict(), "contract": source.contract}
    return {**content, "where": None if source.where is None else source.where.text}


def _differences(one: EventSource, two: EventSource) -> Iterator[Any]:
    first, second = source_content(one), source_content(two)
    return iter([(n, first[n], second[n]) for n in first if first[n] != second[n]])


def check_finite(value: object, *, what: str) -> None:
    """Raise FeatureError for what is no finite number."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        msg = f"{what} is a number; got {value!r}."
        raise FeatureError(msg, remedy="Write it like 0 or 99.5, or leave it out.")


def slug_of(feature: Feature) -> str:
    """Return the name that a feature has within its view if it was given none."""
    if feature.name:
        return feature.name
    if feature.parts is not None:
        return f"{feature.parts[0].slug}_per_{feature.parts[1].slug}"
    words = [feature.kind, feature.column or ""]
    words.append("all" if feature.window_us is None else format_duration(feature.window_us))
    if feature.half_life_us is not None:
        words.append(f"half_{format_duration(feature.half_life_us)}")
    if feature.delay_us:
        words.append(f"after_{format_duration(feature.delay_us)}")
    if feature.k > 1:
        words.append(str(feature.k))
    if feature.where is not None:
        words.append(f"where_{feature.where.slug}")
    return "_".join(word for word in words if word)
