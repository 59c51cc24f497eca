"""Views written in YAML: the same definitions as in Python, with the same versions.

sources:
log: {path: log/*.parquet, time: at, id: id, decimals: {eur: 2}, where: card is not None}
views:
card:
source: log
entity: card
features:
- count: 1d
- mean: {column: eur, window: 7d, where: eur > 1, name: mean_7d}
- ratio: {numerator: {count: 1d}, denominator: {count: 7d}}
clock:
source: log
rows: {night: hour(at) <= 6}
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from tradespace.core.errors import FeatureError
from tradespace.core.suggest import unknown, unknown_name
from tradespace.features.define import aggregates
from tradespace.features.define.contracts import ColumnRule, Contract, OnBreach
from tradespace.features.define.expression_text import parse_expression
from tradespace.features.define.features import Feature
from tradespace.features.define.sources import EventSource
from tradespace.features.define.views import FeatureView, RowFeatures, View
from tradespace.files.checker import Checker
from tradespace.files.durations import parse_duration_us
from tradespace.files.fields import show
from tradespace.files.problems import Collector, FeatureProblemsError, FileKind
from tradespace.files.yaml_tree import parse_tree

Where = tuple[str | int, ...]

#: Functions by their name in YAML; the first setting of one may stand alone.
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "count": aggregates.count,
    "sum": aggregates.sum_,
    "mean": aggregates.mean,
    "min": aggregates.min_,
    "max": aggregates.max_,
    "std": aggregates.std,
    "distinct": aggregates.distinct,
    "last": aggregates.last,
    "last_k": aggregates.last_k,
    "since_last": aggregates.since_last,
    "decayed_mean": aggregates.decayed_mean,
    "rate": aggregates.rate,
    "ratio": aggregates.ratio,
}
#: What to write where a setting is missing.
_MISSING = {
    "window": "Add 'window: 7d', or 'window: all'.",
    "half_life": "Add 'half_life: 3d'.",
    "numerator": "Add 'numerator: {count: 7d}'.",
    "denominator": "Add 'denominator: {count: 7d}'.",
}
_FEATURES = FileKind(
    "file of features",
    "Start with 'sources:' and 'views:' at the left margin.",
    "Paths count from the folder of the study.",
    FeatureProblemsError,
)


def parse_views(text: str, *, file: str) -> dict[str, View]:
    r"""Return the views that a YAML text defines, by their names.

    Raises
    ------
    FeatureError
        At the line and column of what is wrong.

    Examples
    --------
    >>> text = "sources: {log: {time: at}}\nviews: {v: {source: log, entity: e, features: "
    >>> parse_views(text + "[count: 1d]}}", file="f.yaml")["v"].names
    ('v_count_1d',)

    """
    problems = Collector(_FEATURES)
    return _Reader(Checker(parse_tree(text, file=file, problems=problems), problems)).views()


def load_yaml(path: Path) -> dict[str, View]:
    """Return the views of a YAML file."""
    return _Reader(Checker.open(path, _FEATURES)).views()


def _keys(function: Callable[..., Any], *ours: str) -> tuple[str, ...]:
    """Return what a function takes by name, but for what we give it ourselves."""
    given = inspect.signature(function).parameters.values()
    return tuple(p.name for p in given if p.kind is not p.VAR_KEYWORD and p.name not in ours)


class _Reader:
    """Turns the values of a file into definitions; messages point to their place.

    The first problem of a source or view ends its reading, and the others are read on.
    """

    def __init__(self, checker: Checker) -> None:
        self.checker, self.tree = checker, checker.tree

    def views(self) -> dict[str, View]:
        """Return all views; raises what is wrong with them."""
        self.checker.problems.raise_if_any()
        top = self.mapping((), self.tree.value, allowed=("sources", "views"))
        sources: dict[str, EventSource] = {}
        for name, value in self.mapping(("sources",), top.get("sources")).items():
            at = ("sources", name)
            source = self.checker.attempt(at, self.source, at, name, value)
            sources |= {} if source is None else {name: source}
        self.checker.problems.raise_if_any()
        views: dict[str, View] = {}
        for name, value in self.mapping(("views",), top.get("views")).items():
            at = ("views", name)
            view = self.checker.attempt(at, self.view, at, name, value, sources)
            views |= {} if view is None else {name: view}
        self.checker.problems.raise_if_any()
        if not views:
            self.fail(("views",), "The file defines no views.", "Write one under 'views:'.")
        return views

    def fail(self, where: Where, message: str, remedy: str) -> NoReturn:
        """Raise an error at the place of a value."""
        raise FeatureError(message, place=self.tree.at(where), remedy=remedy)

    def mapping(
        self, where: Where, value: Any, *, allowed: tuple[str, ...] | None = None
    ) -> dict[str, Any]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            name = ".".join(map(str, where)) or "The file"
            self.fail(where, f"{name} must be a mapping; got {show(value)}.", "Write 'key: value'.")
        for key in value:
            if allowed is not None and key not in allowed:
                raise unknown(
                    FeatureError, "key", key, allowed, place=self.tree.at_key((*where, key))
                )
        return dict(value)

    def make(self, where: Where, function: Callable[..., Any], /, *args: Any, **given: Any) -> Any:
        try:
            return function(*args, **given)
        except FeatureError as error:
            raise error.at(self.tree.at(where)) from error
        except TypeError as error:
            msg = f"This cannot be made: {error}."
            raise FeatureError(
                msg, place=self.tree.at(where), remedy="See docs/features."
            ) from error

    def source(self, where: Where, name: str, value: Any) -> EventSource:
        given = self.mapping(where, value, allowed=_keys(EventSource, "name"))
        given["decimals"] = self.mapping((*where, "decimals"), given.get("decimals"))
        if given.get("contract") is not None:
            given["contract"] = self.contract((*where, "contract"), given["contract"])
        source: EventSource = self.make(where, EventSource, name, **given)
        return source

    def contract(self, where: Where, value: Any) -> Contract:
        given = self.mapping(where, value, allowed=_keys(Contract))
        columns = self.mapping((*where, "columns"), given.get("columns"))
        rules = {}
        for name, rule in columns.items():
            place = (*where, "columns", name)
            settings = self.mapping(place, rule, allowed=_keys(ColumnRule))
            rules[name] = self.make(place, ColumnRule, **settings)
        given["columns"] = rules
        if "on_breach" in given:
            names = [choice.value for choice in OnBreach]
            if given["on_breach"] not in names:
                message, remedy = unknown_name("choice", str(given["on_breach"]), names)
                self.fail((*where, "on_breach"), message, remedy)
            given["on_breach"] = OnBreach(given["on_breach"])
        contract: Contract = self.make(where, Contract, **given)
        return contract

    def view(self, where: Where, name: str, value: Any, sources: Mapping[str, EventSource]) -> View:
        is_rows = isinstance(value, dict) and "rows" in value
        kept = ("name", "place", "freshness_us", *(["features"] if is_rows else []))
        keys = _keys(RowFeatures if is_rows else FeatureView, *kept)
        given = self.mapping(where, value, allowed=(*keys, *(["rows"] if is_rows else [])))
        source = given.pop("source", None)
        if not isinstance(source, str):
            msg = f"The source of view {name!r} must be a name; got {show(source)}."
            self.fail((*where, "source"), msg, "Write 'source: NAME', one of 'sources:'.")
        if source not in sources:
            message, remedy = unknown_name("source", str(source), sources)
            self.fail((*where, "source"), f"View {name!r}: {message}", remedy)
        place = self.tree.at_key(where)
        if is_rows:
            rows = self.mapping((*where, "rows"), given.pop("rows"))
            expressions = {
                key: self.make((*where, "rows", key), parse_expression, str(text))
                for key, text in rows.items()
            }
            made: View = self.make(
                where, RowFeatures, name, sources[source], expressions, place=place, **given
            )
            return made
        listed = given.pop("features", None)
        if not isinstance(listed, list) or not listed:
            msg = f"View {name!r} needs a list of features."
            self.fail((*where, "features"), msg, "Write one like '- count: 7d'.")
        features: list[Feature] = []
        for number, item in enumerate(listed):
            made_of = self.feature((*where, "features", number), item)
            features += made_of if isinstance(made_of, list) else [made_of]
        if "freshness" in given:
            given["freshness_us"] = self.make(
                (*where, "freshness"), parse_duration_us, given.pop("freshness"), what="freshness"
            )
        if "entity" not in given:
            self.fail(where, f"View {name!r} names no entity.", "Add 'entity: COLUMN'.")
        view: View = self.make(
            where, FeatureView, name, sources[source], features=features, place=place, **given
        )
        return view

    def feature(self, where: Where, item: Any) -> Any:
        if not isinstance(item, dict) or len(item) != 1:
            self.fail(where, f"A feature is one function; got {item!r}.", "Write '- count: 7d'.")
        ((kind, value),) = item.items()
        inside = (*where, kind)
        if kind not in _FUNCTIONS:
            raise unknown(
                FeatureError, "feature", str(kind), _FUNCTIONS, place=self.tree.at_key(inside)
            )
        function = _FUNCTIONS[kind]
        settings = inspect.signature(function).parameters
        if not isinstance(value, dict):
            value = {} if value is None else {next(iter(settings)): value}
        options = aggregates.OPTIONS if "options" in settings else ()
        given = self.mapping(inside, value, allowed=(*_keys(function), *options))
        for name, setting in settings.items():
            needed = setting.default is setting.empty and setting.kind is not setting.VAR_KEYWORD
            if needed and name not in given:
                remedy = _MISSING.get(name, f"Add '{name}: COLUMN'.")
                self.fail(inside, f"{kind} needs a {name}.", remedy)
        for part in ("numerator", "denominator"):
            if part in given:
                given[part] = self.feature((*inside, part), given[part])
        return self.make(inside, function, **given)
