"""One feature: what is computed of the events of an entity, and the checks of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tradespace.core.errors import FeatureError
from tradespace.core.hashing import content_hash
from tradespace.core.plain import plain_fields
from tradespace.core.suggest import unknown
from tradespace.features.define.expressions import Expression
from tradespace.features.define.rules import check_column, check_k, check_name, is_whole, shown
from tradespace.files.durations import format_duration

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
        described = ("name", "unit", "description", "share", "_key")
        return {
            **plain_fields(self, but=described),
            "where": None if self.where is None else self.where.text,
        }

    @property
    def horizon_us(self) -> int | None:
        """How far back it looks, microseconds; None: to the first event."""
        if self.parts is not None:
            horizons = [part.horizon_us for part in self.parts]
            return None if None in horizons else max(h for h in horizons if h is not None)
        return None if self.window_us is None else self.window_us + self.delay_us


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


def check_feature(feature: Feature, kinds: Mapping[str, bool]) -> None:
    """Raise FeatureError for a feature that cannot be computed."""
    kind = feature.kind
    if kind not in kinds:
        raise unknown(FeatureError, "kind of feature", str(kind), kinds)
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
