"""Definitions of features: sources of events, features by entity and time, features of a row.

Definitions are records that say what is wanted; the engines compute it. The content of a
definition has a hash: a changed definition is another version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from tradespace.core.errors import FeatureError, Place
from tradespace.core.hashing import content_hash
from tradespace.features.contracts import Contract
from tradespace.features.durations import format_duration
from tradespace.features.expressions import Expression

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
    """One feature of a view; made by :func:`~tradespace.features.aggregates.count` and the like.

    Durations are microseconds; `window_us` None reaches back to the first event. `k` is which
    of the last events (1 the most recent). `parts` are the two features of a ratio.
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

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Feature) and self.key == other.key

    @property
    def key(self) -> str:
        """Hash of what is computed; name, unit and description do not change it."""
        return content_hash(self.to_dict())

    @property
    def slug(self) -> str:
        """The name it has within its view if it was given none."""
        if self.name:
            return self.name
        if self.parts is not None:
            return f"{self.parts[0].slug}_per_{self.parts[1].slug}"
        words = [self.kind, self.column or ""]
        words.append("all" if self.window_us is None else format_duration(self.window_us))
        if self.half_life_us is not None:
            words.append(f"half_{format_duration(self.half_life_us)}")
        if self.delay_us:
            words.append(f"after_{format_duration(self.delay_us)}")
        if self.k > 1:
            words.append(str(self.k))
        if self.where is not None:
            words.append(f"where_{self.where.slug}")
        return "_".join(word for word in words if word)

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
class EventSource:
    """Events with a time, in Parquet or CSV files or handed over as a data frame.

    Parameters
    ----------
    name : str
        What it is called in messages and in the catalogue.
    path : str, optional
        File or glob; relative paths count from the file that defines the source. None: the
        rows of the study.
    time : str
        Column of the event time.
    id : str, optional
        Column that identifies an event: an event that arrives twice counts once, and it
        orders simultaneous events. Without it simultaneous events of one entity are refused.
    created : str, optional
        Column of the time of arrival; without it an event is known at its own time.
    decimals : Mapping of str to int, optional
        Columns that are whole numbers of a smallest unit (cents: 2): their sums are exact.
    time_zone : str, optional
        Zone in which times without a zone were written, and in which hours and weekdays are
        read; None: UTC.
    contract : Contract, optional
        What the columns must look like.

    """

    name: str
    path: str | None = None
    time: str = "time"
    id: str | None = None
    created: str | None = None
    decimals: Mapping[str, int] = field(default_factory=dict)
    time_zone: str | None = None
    contract: Contract | None = None
    owner: str = ""
    description: str = ""

    def __post_init__(self) -> None:
        for column, digits in self.decimals.items():
            if not is_whole(digits) or not 0 <= digits <= 9:
                msg = (
                    f"Decimals of {column!r} in source {self.name!r} must be 0 to 9; "
                    f"got {digits!r}."
                )
                raise FeatureError(msg, remedy="Cents have 2 decimals.")
        if self.time_zone is not None:
            import zoneinfo

            try:
                zoneinfo.ZoneInfo(self.time_zone)
            except (zoneinfo.ZoneInfoNotFoundError, ValueError) as error:
                msg = f"Unknown time zone {self.time_zone!r} of source {self.name!r}."
                raise FeatureError(msg, remedy="Write it like 'Europe/Brussels'.") from error

    def to_dict(self) -> dict[str, Any]:
        """Return what decides the values of features, as plain data."""
        return {
            "name": self.name,
            "time": self.time,
            "id": self.id,
            "created": self.created,
            "decimals": dict(self.decimals),
            "time_zone": self.time_zone,
        }


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
    freshness_us : int, optional
        How old online state may be before a read is refused, microseconds.
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

    def __post_init__(self) -> None:
        given: Any = self.features
        if isinstance(given, Feature | str) or not given:
            msg = f"View {self.name!r} needs a list of features."
            raise FeatureError(msg, remedy="Give it at least one, like count('7d').")
        for feature in given:
            if not isinstance(feature, Feature):
                msg = f"View {self.name!r} holds {feature!r}, which is not a feature."
                raise FeatureError(
                    msg, remedy="Use count, mean and the like; row features go to RowFeatures."
                )
        object.__setattr__(self, "features", tuple(given))
        _refuse_twins(self.names, self.name)

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
        given: Any = self.features
        if isinstance(given, Mapping):
            given = [expression.named(name) for name, expression in given.items()]
        for expression in given:
            if not isinstance(expression, Expression):
                msg = f"Row features {self.name!r} hold {expression!r}, which is not an expression."
                raise FeatureError(msg, remedy="Use column, weekday, hour and comparisons.")
        object.__setattr__(self, "features", tuple(given))
        _refuse_twins(self.names, self.name)

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


def is_whole(value: object) -> bool:
    """Return whether a value is an integer and not a boolean."""
    return isinstance(value, int) and not isinstance(value, bool)


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


def _refuse_twins(names: Sequence[str], owner: str) -> None:
    twins = sorted({name for name in names if list(names).count(name) > 1})
    if twins:
        msg = f"View {owner!r} has two features named {twins[0]!r}."
        raise FeatureError(msg, remedy="Give one of them a name of its own: name='...'.")
