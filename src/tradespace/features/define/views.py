"""Views: features by entity and time, over a source of events, and features of a row.

Definitions are records that say what is wanted; the engines compute it. The content of a
definition has a hash: a changed definition is another version.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import InitVar, dataclass, replace
from typing import Any

from tradespace.core.errors import FeatureError, Place
from tradespace.core.hashing import content_hash
from tradespace.features.define.expression_text import parse_expression
from tradespace.features.define.expressions import Expression
from tradespace.features.define.features import Feature, leaves
from tradespace.features.define.rules import (
    check_column,
    check_name,
    freshness_of,
    shown,
)
from tradespace.features.define.sources import EventSource


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
