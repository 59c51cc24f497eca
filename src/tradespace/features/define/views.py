"""Definitions of features: by entity and time, over a source of events, and of a row.

Definitions are records that say what is wanted; the engines compute it. The content of a
definition has a hash: a changed definition is another version.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import InitVar, dataclass, field, replace
from typing import Any

from tradespace.core.errors import FeatureError, Place
from tradespace.core.hashing import content_hash
from tradespace.core.suggest import unknown_name
from tradespace.features.define.expression_text import parse_expression
from tradespace.features.define.expressions import Expression
from tradespace.features.define.rules import (
    check_column,
    check_k,
    check_name,
    freshness_of,
    is_whole,
    shown,
)
from tradespace.features.define.sources import EventSource
from tradespace.files.durations import format_duration

__all__ = [
    "KINDS", "EventSource", "Feature", "FeatureView", "RowFeatures", "View", "is_whole", "leaves",
    "located",
]  # fmt: skip

#: What a feature can be, and whether it needs a column of numbers.
KINDS = {
    "count": False,
    "sum": True,
    "mean": True,
    "min": True,
    "max": True,
    "std": True,
    "distinct": False,
    "last": True,
    "since_last": False,
    "decayed_mean": True,
    "ratio": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One feature of a view; made by :func:`~tradespace.features.count` and the like.

    Durations are microseconds; `window_us` None reaches back to the first event. `k` is which
    of the last events (1 the most recent). `parts` are the two features of a ratio. `share`
    says that the column must hold true and false, or 1 and 0.
    """

    kind: str
    column: str | None = None
    window_us: int | None = None
    delay_us: int = 0
    where: Expression | None = None
    empty: float | None = None
    k: int = 1
    half_life_us: int | None = None
    parts: tuple[Feature, Feature] | None = None
    name: str = ""
    unit: str = "1"
    description: str = ""
    share: bool = False
    _key: str = field(default="", init=False, repr=False)

    def __post_init__(self) -> None:
        check_feature(self, KINDS)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Feature) and self.key == other.key

    @property
    def key(self) -> str:
        """Hash of what is computed; name, unit and description do not change it."""
        if not self._key:
            # Engines look features up by it again and again.
            object.__setattr__(self, "_key", content_hash(self.to_dict()))
        return self._key

    @property
    def slug(self) -> str:
        """The name it has within its view if it was given none."""
        return slug_of(self)

    def to_dict(self) -> dict[str, Any]:
        """Return what is computed, as plain data."""
        return {
            "kind": self.kind,
            "column": self.column,
            "window_us": self.window_us,
            "delay_us": self.delay_us,
            "where": None if self.where is None else self.where.text,
            "empty": self.empty,
            "k": self.k,
            "half_life_us": self.half_life_us,
            "parts": None if self.parts is None else [part.to_dict() for part in self.parts],
        }

    @property
    def horizon_us(self) -> int | None:
        """How far back it looks, microseconds; None: to the first event."""
        if self.parts is not None:
            horizons = [part.horizon_us for part in self.parts]
            return None if None in horizons else max(h for h in horizons if h is not None)
        return None if self.window_us is None else self.window_us + self.delay_us


@dataclass(frozen=True, slots=True)
class FeatureView:
    """Features of an entity at a time, computed from the events of one source.

    Parameters
    ----------
    name : str
        Unique among views.
    source : EventSource
    entity : str
        Column of the source that says whose event it is.
    features : sequence of Feature
    freshness : str, optional
        How old online state may be before a read is refused, like "5 min".
    freshness_us : int, optional
        The same in microseconds, which is how it is kept.
    key : str, optional
        Column that names the entity in rows that are not events of the source (a table of
        labels, another source); None: the same as `entity`.

    Examples
    --------
    >>> from tradespace.features import EventSource, FeatureView, count, mean
    >>> cards = EventSource("transactions", time="at", id="id")
    >>> view = FeatureView("card", cards, "card", [count("1d"), mean("amount", "7d")])
    >>> view.names
    ('card_count_1d', 'card_mean_amount_7d')

    """

    name: str
    source: EventSource
    entity: str
    features: Sequence[Feature]
    owner: str = ""
    description: str = ""
    freshness_us: int | None = None
    key: str | None = None
    place: Place | None = None
    freshness: InitVar[str | None] = None

    def __post_init__(self, freshness: str | None) -> None:
        check_name(self.name, what="a view", of_files=True)
        _check_source(self.source, self.name)
        check_column(self.entity, what=f"The entity of view {self.name!r}")
        if self.key is not None:
            check_column(self.key, what=f"The key of view {self.name!r}")
        limit = freshness_of(freshness, self.freshness_us, owner=self.name)
        object.__setattr__(self, "freshness_us", limit)
        given: Any = self.features
        if isinstance(given, Feature | str) or not given:
            msg = f"View {self.name!r} needs a list of features."
            raise FeatureError(msg, remedy="Give it at least one, like count('7d').")
        for feature in given:
            if not isinstance(feature, Feature):
                msg = f"View {self.name!r} holds {shown(feature)}, which is not a feature."
                remedy = "Use count, mean and the like; row features go to RowFeatures."
                if isinstance(feature, list):
                    remedy = "last_k gives a list: write *last_k(...)."
                raise FeatureError(msg, remedy=remedy)
        object.__setattr__(self, "features", tuple(given))
        taken = {*self.source.columns, *self.source.decimals, *self.columns, self.entity}
        check_names(self.names, taken, owner=self.name)

    def __hash__(self) -> int:
        return hash(self.hash)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features, in the order of the schema."""
        return tuple(f.name or f"{self.name}_{f.slug}" for f in self.features)

    @property
    def hash(self) -> str:
        """Version of the definition: the hash of what is computed, of what, in which order."""
        return content_hash(
            {
                "source": self.source.to_dict(),
                "entity": self.entity,
                "features": [feature.to_dict() for feature in self.features],
                "names": self.names,
            }
        )

    @property
    def versions(self) -> dict[str, str]:
        """Version of each feature by its name: it changes with what is computed, of what."""
        of = {"source": self.source.to_dict(), "entity": self.entity}
        return {
            name: content_hash({**of, "feature": feature.to_dict()})
            for name, feature in zip(self.names, self.features, strict=True)
        }

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the source that the features read, sorted."""
        found: set[str] = set()
        for feature in leaves(self.features):
            found.update(() if feature.column is None else (feature.column,))
            found.update(() if feature.where is None else feature.where.columns)
        return tuple(sorted(found))

    @property
    def horizon_us(self) -> int | None:
        """How far back the view looks, microseconds; None: to the first event."""
        horizons = [feature.horizon_us for feature in self.features]
        return None if None in horizons else max(h for h in horizons if h is not None)


@dataclass(frozen=True, slots=True)
class RowFeatures:
    """Features of a single row, from its own columns.

    `features` is a list of expressions, or a mapping of names to expressions.
    """

    name: str
    source: EventSource
    features: Sequence[Expression] | Mapping[str, Expression]
    owner: str = ""
    description: str = ""
    place: Place | None = None

    def __post_init__(self) -> None:
        check_name(self.name, what="row features", of_files=True)
        _check_source(self.source, self.name)
        given: Any = self.features
        if isinstance(given, Mapping):
            for name in given:
                check_name(name, what="a row feature")
            given = [
                expression.named(name) if isinstance(expression, Expression) else expression
                for name, expression in (
                    (name, parse_expression(one) if isinstance(one, str) else one)
                    for name, one in given.items()
                )
            ]
        for expression in [given] if isinstance(given, Expression | str) else given:
            if not isinstance(expression, Expression) or given is expression:
                msg = f"Row features {self.name!r} hold {shown(expression)}, which is not an "
                msg += "expression." if given is not expression else "list of expressions."
                raise FeatureError(msg, remedy="Use column, weekday, hour and comparisons.")
        object.__setattr__(self, "features", tuple(given))
        check_names(self.names, (), owner=self.name)

    def __hash__(self) -> int:
        return hash(self.hash)

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """The expressions, each with its name."""
        return tuple(
            expression
            if expression.name
            else replace(expression, name=f"{self.name}_{expression.slug}")
            for expression in self.features
            if isinstance(expression, Expression)
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features, in the order of the schema."""
        return tuple(expression.name for expression in self.expressions)

    @property
    def hash(self) -> str:
        """Version of the definition."""
        return content_hash(
            {
                "source": self.source.to_dict(),
                "features": [[e.name, e.text] for e in self.expressions],
            }
        )

    @property
    def versions(self) -> dict[str, str]:
        """Version of each feature by its name."""
        source = self.source.to_dict()
        return {e.name: content_hash({"source": source, "row": e.text}) for e in self.expressions}

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the source that the features read, sorted."""
        return tuple(sorted({c for e in self.expressions for c in e.columns}))


View = FeatureView | RowFeatures


@contextmanager
def located(view: View) -> Iterator[None]:
    """Give errors about a view the place of its definition, if they have no other."""
    try:
        yield
    except FeatureError as error:
        raise error.at(view.place) from error


def leaves(features: Sequence[Feature]) -> tuple[Feature, ...]:
    """Return the features that are computed from events: ratios are taken apart.

    Examples
    --------
    >>> from tradespace.features import count, ratio
    >>> [leaf.slug for leaf in leaves([ratio(count("1d"), count("7d"))])]
    ['count_1d', 'count_7d']

    """
    found: list[Feature] = []
    for feature in features:
        found.extend([feature] if feature.parts is None else leaves(feature.parts))
    return tuple(found)


def _check_source(source: object, owner: str) -> None:
    if not isinstance(source, EventSource):
        msg = f"The source of view {owner!r} must be an EventSource; got "
        named = isinstance(source, FeatureView | RowFeatures)
        msg += f"the view {getattr(source, 'name', '')!r}." if named else f"{shown(source)}."
        raise FeatureError(
            msg,
            remedy="Views read events, not other views: give the view's own source, or build "
            "the view and name the files as a source."
            if named
            else "Make one: EventSource('name', path='...', time='...').",
        )


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
