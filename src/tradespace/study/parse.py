"""From the tree of a study file to a study; every problem is noted, none stops the others."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from tradespace.core import registry
from tradespace.core.candidates import CandidateSpec, SearchRange
from tradespace.core.errors import InputError
from tradespace.core.quantities import Direction
from tradespace.core.registry.preprocessing import resolve_preprocessing
from tradespace.core.requirements import Constraint, Objective, Sense
from tradespace.core.settings import SettingSpec, resolve_settings
from tradespace.core.studies import (
    BudgetSpec,
    ColumnsSpec,
    DataSpec,
    EnvironmentSpec,
    ExcludeSpec,
    MistakeSpec,
    ProjectSpec,
    QualityUse,
    SplitSpec,
    Study,
    Task,
)
from tradespace.core.suggest import unknown_name
from tradespace.study.problems import Collector
from tradespace.study.units import parse_quantity
from tradespace.study.yaml_tree import Tree

Steps = tuple[str | int, ...]
T = TypeVar("T")

_KEYS = (
    "version", "name", "purpose", "task", "positive", "data", "target", "columns", "split",
    "exclude", "features", "constraints", "objectives", "qualities", "environment", "project",
    "candidates", "budget", "seeds", "confidence", "mistakes", "on_undecided",
)  # fmt: skip
_COLUMN_KEYS = (
    "features", "never", "entity", "group", "time", "id", "protected", "types",
)  # fmt: skip
_TYPES = ("number", "boolean", "category", "text", "date")
_METHODS = ("auto", "stratified", "grouped", "dated", "prequential")
_PARTS = ("train", "validation", "test")
_CONSTRAINT = re.compile(r"\s*([A-Za-z_][\w.-]*)\s*(<=|>=|==|=<|=>|=|<|>|≤|≥)\s*(\S.*?)\s*")
_SENSES = {"≤": "<=", "≥": ">=", "=<": "<=", "=>": ">="}


class StudyParser:
    """Walks a tree once and builds the study."""

    def __init__(self, tree: Tree, problems: Collector, *, folder: str) -> None:
        self.tree = tree
        self.problems = problems
        self.folder = folder
        self.uses: dict[str, QualityUse] = {}
        self.task: Task | None = None

    # ---- pieces -----------------------------------------------------------------------------

    def note(self, message: str, path: Steps, *, remedy: str = "", key: bool = False) -> None:
        """Note a problem at a path."""
        place = self.tree.at_key(path) if key else self.tree.at(path)
        self.problems.add(message, place=place, remedy=remedy)

    def attempt(self, work: Callable[[], T], path: Steps, fallback: T) -> T:
        """Return what `work` gives, or note its error and return the fallback."""
        try:
            return work()
        except InputError as error:
            self.problems.take(error, place=self.tree.at(path))
            return fallback

    def get(self, path: Steps) -> Any:
        """Return the value at a path, or None."""
        value: Any = self.tree.value
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        return value

    def mapping(self, path: Steps, allowed: tuple[str, ...], what: str) -> dict[str, Any]:
        """Return the mapping at a path with its unknown keys noted; empty if absent."""
        value = self.get(path)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.note(
                f"{what} must be a mapping; got {value!r}.",
                path,
                remedy=f"Allowed keys are: {', '.join(allowed)}.",
            )
            return {}
        for key in value:
            if key not in allowed:
                message, remedy = unknown_name(f"key of {what}", key, allowed)
                self.note(message, (*path, key), remedy=remedy, key=True)
        return value

    def text(self, path: Steps, what: str, *, default: str | None = None) -> str | None:
        """Return a text."""
        value = self.get(path)
        if value is None:
            return default
        if isinstance(value, dict | list | bool):
            self.note(f"{what} must be a text; got {value!r}.", path)
            return default
        return str(value)

    def choice(self, path: Steps, what: str, allowed: tuple[str, ...], default: str) -> str:
        """Return one of the allowed words."""
        value = self.get(path)
        if value is None:
            return default
        if value not in allowed:
            message, remedy = unknown_name(what, str(value), allowed)
            self.note(message, path, remedy=remedy)
            return default
        return str(value)

    def quantity(
        self,
        path: Steps,
        unit: str,
        what: str,
        default: T,
        *,
        above: float = 0.0,
        bare: bool | None = None,
        zero: bool = False,
    ) -> float | T:
        """Return a positive quantity in a base unit."""
        value = self.get(path)
        if value is None:
            return default
        number = self.attempt(
            lambda: parse_quantity(value, unit=unit, what=what, bare=bare), path, math.nan
        )
        if math.isnan(number):
            return default
        if number < above or (number == above and not zero):
            least = "at least" if zero else "more than"
            self.note(f"{what} must be {least} {above:g}; got {value!r}.", path)
            return default
        return number

    def whole(self, path: Steps, what: str, default: T, *, low: int = 1) -> int | T:
        """Return a whole number."""
        value = self.get(path)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or value < low:
            self.note(f"{what} must be a whole number >= {low}; got {value!r}.", path)
            return default
        return value

    def names(self, path: Steps, what: str) -> tuple[str, ...] | None:
        """Return a list of names; a single name counts as a list of one."""
        value = self.get(path)
        if value is None:
            return None
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, list) or not all(isinstance(v, str | int) for v in value):
            self.note(f"{what} must be a list of names; got {value!r}.", path)
            return None
        return tuple(str(v) for v in value)

    # ---- the study --------------------------------------------------------------------------

    def study(self) -> Study:
        """Return the study; problems are in the collector."""
        self.mapping((), _KEYS, "the study")
        version = self.get(("version",))
        if version not in (None, 1):
            self.note(
                f"This tradespace reads version 1 of the study file; got {version!r}.",
                ("version",),
                remedy="Write 'version: 1', or use a newer tradespace.",
            )
        purpose = self.text(("purpose",), "The purpose", default="") or ""
        if not purpose.strip():
            self.note(
                "The study has no purpose.",
                ("purpose",),
                remedy="Add 'purpose:' with a sentence on what the component is for.",
            )
        task = self.get(("task",))
        if task is not None:
            found = self.choice(("task",), "task", tuple(t.value for t in Task), "")
            self.task = Task(found) if found else None
        data = self.data()
        columns = self.columns()
        self.qualities()
        constraints = self.constraints()
        objectives = self.objectives()
        stem = Path(self.tree.file).stem
        return Study(
            name=self.text(("name",), "The name")
            or (stem if stem != "study" else Path(self.folder).resolve().name or stem),
            purpose=purpose.strip(),
            task=self.task,
            data=data,
            columns=columns,
            positive=self.get(("positive",)),
            split=self.split(),
            exclude=self.exclude(),
            features=self.names(("features",), "Features") or (),
            constraints=constraints,
            objectives=objectives,
            qualities=self.uses,
            environment=self.environment(),
            project=self.project(),
            candidates=self.candidates(),
            budget=self.budget(),
            seeds=self.seeds(),
            confidence=self.confidence(),
            mistakes=self.mistakes(),
            on_undecided=self.choice(
                ("on_undecided",), "value of on_undecided", ("recommend", "refuse"), "recommend"
            ),
            file=self.tree.file,
            folder=self.folder,
            marks=self.tree.marks(),
            source=self.tree.value,
        )

    def data(self) -> DataSpec:
        """Return where the rows come from."""
        value = self.get(("data",))
        if value is None:
            self.note(
                "The study names no data.",
                ("data",),
                remedy="Add 'data:' with a CSV or Parquet file, a glob, sklearn:NAME or "
                "file.py:function.",
            )
            return DataSpec("file", "")
        if isinstance(value, dict):
            self.mapping(("data",), ("path", "sklearn", "callable", "options"), "data")
            kinds = [k for k in ("path", "sklearn", "callable") if k in value]
            if len(kinds) != 1:
                self.note("Data need one of: path, sklearn, callable.", ("data",))
                return DataSpec("file", "")
            kind = kinds[0]
            location = self.text(("data", kind), f"data: {kind}") or ""
            options = value.get("options") or {}
            if not isinstance(options, dict):
                self.note(f"The options must be a mapping; got {options!r}.", ("data", "options"))
                options = {}
            return DataSpec("file" if kind == "path" else kind, location, options)
        if not isinstance(value, str) or not value.strip():
            self.note(f"Data must be a path or a mapping; got {value!r}.", ("data",))
            return DataSpec("file", "")
        if value.startswith("sklearn:"):
            return DataSpec("sklearn", value.removeprefix("sklearn:"))
        if re.fullmatch(r"[^:]+(\.py)?:[A-Za-z_]\w*", value) and not re.match(
            r"[A-Za-z]:\\", value
        ):
            return DataSpec("callable", value)
        return DataSpec("file", value)

    def columns(self) -> ColumnsSpec:
        """Return what the columns mean."""
        target = self.text(("target",), "The target") or ""
        if not target:
            self.note(
                "The study names no target.",
                ("target",),
                remedy="Add 'target:' with the column to predict.",
            )
        found = self.mapping(("columns",), _COLUMN_KEYS, "columns")
        types = self.get(("columns", "types")) or {}
        if not isinstance(types, dict):
            self.note("Types must map a column to a kind.", ("columns", "types"))
            types = {}
        for name, kind in types.items():
            if kind not in _TYPES:
                message, remedy = unknown_name("column type", str(kind), _TYPES)
                self.note(message, ("columns", "types", name), remedy=remedy)
        features = self.names(("columns", "features"), "Features")
        if features is not None and target in features:
            self.note(
                f"The target {target!r} stands among the features.",
                ("columns", "features"),
                remedy="Remove it; it is what is predicted.",
            )
        entity = "entity" if "entity" in found else "group"
        return ColumnsSpec(
            target=target,
            features=features,
            never=self.names(("columns", "never"), "Columns never to use") or (),
            entity=self.text(("columns", entity), "The entity"),
            time=self.text(("columns", "time"), "The time column"),
            id=self.text(("columns", "id"), "The id column"),
            protected=self.names(("columns", "protected"), "Protected columns") or (),
            types={str(name): str(kind) for name, kind in types.items()},
        )

    def split(self) -> SplitSpec:
        """Return how rows are divided."""
        value = self.get(("split",))
        if isinstance(value, str):
            return SplitSpec(method=self.choice(("split",), "split", _METHODS, "auto"))
        keys = ("method", *_PARTS, "gap", "start", "folds")
        self.mapping(("split",), keys, "split")
        parts = {}
        durations = False
        for name in (*_PARTS, "gap"):
            path = ("split", name)
            given = self.get(path)
            if isinstance(given, str) and not given.strip().endswith("%"):
                durations = True
                parts[name] = self.quantity(path, "s", f"The {name} length", None, zero=True)
            else:
                parts[name] = self.quantity(path, "1", f"The {name} share", None, zero=True)
        fallback = "dated" if durations or self.get(("split", "start")) else "auto"
        method = self.choice(("split", "method"), "split method", _METHODS, fallback)
        shares = [parts[name] or 0.0 for name in _PARTS]
        if not durations and sum(shares) > 1 + 1e-9:
            self.note(
                f"The shares of the parts add up to {sum(shares):g}, more than 1.",
                ("split",),
                remedy="Give shares such as train: 0.6, validation: 0.2, "
                "test: 0.2, or durations such as 7 days.",
            )
        start = self.get(("split", "start"))
        return SplitSpec(
            method=method,
            train=parts["train"],
            gap=parts["gap"] or 0.0,
            validation=parts["validation"],
            test=parts["test"],
            start=None if start is None else str(start),
            folds=self.whole(("split", "folds"), "The number of folds", 0, low=0),
        )

    def exclude(self) -> tuple[ExcludeSpec, ...]:
        """Return the filters of rows."""
        value = self.get(("exclude",))
        if value is None:
            return ()
        if not isinstance(value, list):
            self.note(
                "Exclude must be a list of filters.",
                ("exclude",),
                remedy="Start each with '- name: ...'.",
            )
            return ()
        rules = registry.exclude_rules()
        found = []
        for index, item in enumerate(value):
            path: Steps = ("exclude", index)
            if not isinstance(item, dict):
                self.note(
                    f"A filter is a mapping; got {item!r}.",
                    path,
                    remedy="Write '- {name: ..., where: \"amount > 0\", why: ...}'.",
                )
                continue
            known = ("name", "why", "where", "parts", *rules)
            for key in item:
                if key not in known:
                    message, remedy = unknown_name("key of a filter", key, known)
                    self.note(message, (*path, key), remedy=remedy, key=True)
            named = [rule for rule in rules if rule in item]
            if len(named) + ("where" in item) != 1:
                self.note(
                    "A filter needs either 'where' or one rule.",
                    path,
                    remedy=f"Rules are: {', '.join(rules)}.",
                )
                continue
            settings: dict[str, Any] = {}
            if named:
                rule = rules[named[0]]
                settings = self.attempt(
                    lambda rule=rule, given=item[named[0]] or {}: resolve_settings(  # type: ignore[misc]  # defaults bind
                        rule.settings, given, owner=rule.name
                    ),
                    (*path, named[0]),
                    {},
                )
            parts = item.get("parts") or (["test", "validation"] if named else list(_PARTS))
            found.append(
                ExcludeSpec(
                    name=str(item.get("name") or (named[0] if named else item.get("where"))),
                    why=str(item.get("why") or ""),
                    where=item.get("where"),
                    rule=named[0] if named else None,
                    settings=settings,
                    parts=tuple(parts),
                    place=self.tree.at(path),
                )
            )
        return tuple(found)

    # ---- requirements -----------------------------------------------------------------------

    def qualities(self) -> None:
        """Read the study's own qualities: name -> {registered: settings}, or settings."""
        value = self.get(("qualities",))
        if value is None:
            return
        if not isinstance(value, dict):
            self.note(
                "Qualities must map a name to a quality.",
                ("qualities",),
                remedy="Write 'card_precision: {top_k_precision: {k: 100}}'.",
            )
            return
        known = registry.qualities()
        for name, given in value.items():
            path: Steps = ("qualities", name)
            given = given if given is not None else {}
            quality, settings, at = name, given, path
            if isinstance(given, str):
                quality, settings = given, {}
            elif name not in known:
                if not isinstance(given, dict) or len(given) != 1:
                    message, remedy = unknown_name("quality", name, known)
                    self.note(
                        message,
                        path,
                        remedy=remedy + " Or name the quality that it is: "
                        f"'{name}: {{top_k_precision: {{k: 100}}}}'.",
                        key=True,
                    )
                    continue
                ((quality, settings),) = given.items()
                at = (*path, quality)
            if quality not in known:
                message, remedy = unknown_name("quality", str(quality), known)
                self.note(message, at, remedy=remedy, key=isinstance(given, dict))
                continue
            self.use(name, quality, settings or {}, at)

    def use(self, name: str, quality: str, settings: Any, path: Steps) -> QualityUse | None:
        """Remember a use of a quality, its settings checked."""
        row = registry.quality(quality)
        if not isinstance(settings, Mapping):
            self.note(f"Settings of {quality} must be a mapping; got {settings!r}.", path)
            return None
        full = self.settings(row.settings, settings, quality, path)
        use = QualityUse(name, quality, row.unit, row.direction, full, self.tree.at(path))
        self.uses[name] = use
        return use

    def settings(
        self, specs: tuple[SettingSpec, ...], given: Mapping[str, Any], owner: str, path: Steps
    ) -> dict[str, Any]:
        """Return complete settings, each problem noted at its own place."""
        by_name = {spec.name: spec for spec in specs}
        good = {}
        for name, value in given.items():
            if name not in by_name:
                message, remedy = unknown_name(f"setting of {owner}", name, by_name)
                self.note(message, (*path, name), remedy=remedy, key=True)
                continue
            spec = by_name[name]
            good[name] = self.attempt(
                lambda spec=spec, value=value: spec.check(value),
                (*path, name),
                spec.default,  # type: ignore[misc]  # defaults bind
            )
        missing = [s for s in specs if s.required and s.name not in given]
        for spec in missing:
            self.note(
                f"{owner} needs the setting {spec.name!r}: {spec.wanted()}.",
                path,
                remedy=f"Add '{spec.name}:' to it. {spec.help}".strip(),
            )
        defaults = {spec.name: spec.default for spec in specs}
        return {**defaults, **good}

    def quality_named(self, name: str, path: Steps, *, column: int = 0) -> QualityUse | None:
        """Return the use of a quality that a requirement names; noted if unknown."""
        if name in self.uses:
            return self.uses[name]
        known = registry.qualities()
        if name in known:
            row = known[name]
            if self.task is not None and self.task not in row.tasks:
                fits = [n for n, r in known.items() if self.task in r.tasks]
                self.problems.add(
                    f"Quality {name!r} does not fit the task {self.task.value!r}.",
                    place=self.tree.at(path, offset=column),
                    remedy=f"Choose one of: {', '.join(fits)}.",
                )
                return None
            return self.use(name, name, {}, path)
        message, remedy = unknown_name("quality", name, [*self.uses, *known])
        self.problems.add(message, place=self.tree.at(path, offset=column), remedy=remedy)
        return None

    def constraints(self) -> tuple[Constraint, ...]:
        """Return the bounds."""
        value = self.get(("constraints",))
        if value is None:
            return ()
        if not isinstance(value, list):
            self.note(
                "Constraints must be a list.",
                ("constraints",),
                remedy="Write '- average_precision >= 0.60' on a line of its own.",
            )
            return ()
        found = []
        for index, item in enumerate(value):
            constraint = self.constraint(item, ("constraints", index))
            if constraint is not None:
                found.append(constraint)
        self.contradictions(found)
        return tuple(found)

    def constraint(self, item: Any, path: Steps) -> Constraint | None:
        """Return one bound from its text or mapping."""
        if isinstance(item, dict) and set(item) == {"quality", "sense", "bound"}:
            item = f"{item['quality']} {item['sense']} {item['bound']}"
        match = _CONSTRAINT.fullmatch(item) if isinstance(item, str) else None
        if match is None:
            self.note(
                f"A constraint is a quality, a sense and a bound; got {item!r}.",
                path,
                remedy="Write for example 'latency_p99 <= 10 ms'.",
            )
            return None
        name, sense, bound = match.groups()
        sense = _SENSES.get(sense, sense)
        if sense in ("==", "="):
            self.problems.add(
                "No measured quality is exactly equal to a number.",
                place=self.tree.at(path, offset=match.start(2)),
                remedy="Write '<=' or '>='.",
            )
            return None
        use = self.quality_named(name, path, column=match.start(1))
        if use is None:
            return None
        try:
            number = parse_quantity(bound, unit=use.unit, what=f"The bound of {name}")
        except InputError as error:
            self.problems.take(error, place=self.tree.at(path, offset=match.start(3)))
            return None
        row = registry.quality(use.quality)
        if not row.low <= number <= row.high:
            remedy = f"Give a bound from {row.low:g} to {row.high:g}."
            if row.high == 1.0 and 1 < number <= 100:
                remedy = f"Did you mean {number / 100:g} or '{number:g} %'?"
            self.problems.add(
                f"The bound {bound} of {name} lies outside its range, {row.low:g} to {row.high:g}.",
                place=self.tree.at(path, offset=match.start(3)),
                remedy=remedy,
            )
            return None
        return Constraint(name, Sense(sense), number, use.unit, self.tree.at(path))

    def contradictions(self, constraints: list[Constraint]) -> None:
        """Note pairs of bounds that no value can keep."""
        upper = [c for c in constraints if c.sense in (Sense.AT_MOST, Sense.BELOW)]
        lower = [c for c in constraints if c.sense in (Sense.AT_LEAST, Sense.ABOVE)]
        for low in lower:
            for high in upper:
                same = low.quality == high.quality
                strict = low.sense is Sense.ABOVE or high.sense is Sense.BELOW
                if same and (low.bound > high.bound or (strict and low.bound == high.bound)):
                    self.problems.add(
                        f"No value can satisfy both '{low}' and '{high}'.",
                        place=high.place,
                        remedy="Remove or correct one of them.",
                    )

    def objectives(self) -> tuple[Objective, ...]:
        """Return the wishes."""
        value = self.get(("objectives",))
        if value is None:
            return ()
        if not isinstance(value, list):
            self.note(
                "Objectives must be a list.",
                ("objectives",),
                remedy="Write '- {maximize: average_precision, from: 0.5, to: 0.8}'.",
            )
            return ()
        found = []
        keys = ("maximize", "minimize", "from", "to", "weight", "log", "indifference")
        for index, item in enumerate(value):
            path: Steps = ("objectives", index)
            if isinstance(item, str) and (
                m := re.fullmatch(r"(maximize|minimize):?\s+(\S+)", item)
            ):
                item = {m[1]: m[2]}
            if not isinstance(item, dict):
                self.note(
                    f"An objective is a mapping; got {item!r}.",
                    path,
                    remedy="Write '{maximize: average_precision}'.",
                )
                continue
            for key in item:
                if key not in keys:
                    message, remedy = unknown_name("key of an objective", key, keys)
                    self.note(message, (*path, key), remedy=remedy, key=True)
            ways = [way for way in ("maximize", "minimize") if way in item]
            if len(ways) != 1:
                self.note("An objective needs either 'maximize' or 'minimize'.", path)
                continue
            use = self.quality_named(str(item[ways[0]]), (*path, ways[0]))
            if use is None:
                continue
            direction = Direction(ways[0])
            if direction is not use.direction:
                self.note(
                    f"{use.quality} gets better when it is {use.direction.value}d; the "
                    f"objective would {direction.value} it.",
                    (*path, ways[0]),
                    key=True,
                    remedy=f"Write '{use.direction.value}: {use.name}'.",
                )
                continue
            ends = [self.bound_of(item, end, use.unit, path, use.name) for end in ("from", "to")]
            weight = item.get("weight", 1.0)
            if isinstance(weight, bool) or not isinstance(weight, int | float):
                self.note(f"The weight must be a number; got {weight!r}.", (*path, "weight"))
                continue
            objective = self.attempt(
                lambda: Objective(  # type: ignore[misc]  # called at once
                    use.name,
                    direction,
                    use.unit,
                    ends[0],
                    ends[1],
                    float(weight),
                    bool(item.get("log", False)),
                    self.bound_of(item, "indifference", use.unit, path, use.name) or 0.0,
                    self.tree.at(path),
                ),
                path,
                None,
            )
            if objective is not None:
                found.append(objective)
        return tuple(found)

    def bound_of(
        self, item: Mapping[str, Any], key: str, unit: str, path: Steps, name: str
    ) -> float | None:
        """Return an end of an objective, in the quality's unit."""
        if item.get(key) is None:
            return None
        value = self.attempt(
            lambda: parse_quantity(item[key], unit=unit, what=f"'{key}' of {name}"),
            (*path, key),
            math.nan,
        )
        return None if math.isnan(value) else value

    # ---- surroundings -----------------------------------------------------------------------

    def environment(self) -> EnvironmentSpec:
        """Return where the component will run."""
        base: Steps = ("environment",)
        keys = ("price_per_hour", "rows_per_batch", "requests_per_s", "request_rate", "processor")
        self.mapping(base, keys, "environment")
        default = EnvironmentSpec()
        price = self.get((*base, "price_per_hour"))
        per_hour = default.price_per_hour_usd
        if price is not None:
            if isinstance(price, str) and "/" in price:
                per_s = self.quantity(
                    (*base, "price_per_hour"), "USD/s", "The price", None, zero=True
                )
                per_hour = per_hour if per_s is None else per_s * 3600
            else:
                found = self.quantity(
                    (*base, "price_per_hour"), "USD", "The price of an hour", None, zero=True
                )
                per_hour = per_hour if found is None else found
        rate = (
            "requests_per_s" if self.get((*base, "requests_per_s")) is not None else "request_rate"
        )
        return EnvironmentSpec(
            price_per_hour_usd=per_hour,
            rows_per_batch=self.whole((*base, "rows_per_batch"), "Rows per batch", 1000),
            requests_per_s=self.quantity((*base, rate), "1/s", "The request rate", None),
            processor=self.text((*base, "processor"), "The processor") or default.processor,
        )

    def project(self) -> ProjectSpec:
        """Return the limits of the project."""
        self.mapping(("project",), ("deadline", "budget", "families"), "project")
        families = self.names(("project", "families"), "Families")
        known = registry.families()
        for name in families or ():
            if name not in known:
                message, remedy = unknown_name("family", name, known)
                self.note(message, ("project", "families"), remedy=remedy)
        return ProjectSpec(
            deadline=self.text(("project", "deadline"), "The deadline"),
            budget_usd=self.quantity(("project", "budget"), "USD", "The budget", None),
            families=families,
        )

    def budget(self) -> BudgetSpec:
        """Return how much work may be done."""
        base: Steps = ("budget",)
        keys = (
            "fits",
            "cpu",
            "trial_cpu",
            "trial_time",
            "trial_memory",
            "workers",
            "finalists",
            "bootstrap",
        )
        self.mapping(base, keys, "budget")
        d = BudgetSpec()
        return BudgetSpec(
            fits=self.whole((*base, "fits"), "The number of fits", None),
            cpu_s=self.quantity((*base, "cpu"), "s", "The CPU time", d.cpu_s),
            trial_cpu_s=self.quantity((*base, "trial_cpu"), "s", "The CPU time of a trial", None),
            trial_wall_s=self.quantity(
                (*base, "trial_time"), "s", "The time of a trial", d.trial_wall_s
            ),
            trial_memory_bytes=self.quantity(
                (*base, "trial_memory"), "B", "The memory of a trial", None
            ),
            workers=self.whole((*base, "workers"), "The number of workers", None),
            finalists=self.whole((*base, "finalists"), "The number of finalists", d.finalists),
            bootstrap=self.whole(
                (*base, "bootstrap"), "The number of resamples", d.bootstrap, low=50
            ),
        )

    def seeds(self) -> tuple[int, ...]:
        """Return the seeds: a list, or how many."""
        value = self.get(("seeds",))
        if value is None:
            return (0, 1, 2)
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 100:
            return tuple(range(value))
        good = (
            isinstance(value, list)
            and value
            and all(isinstance(v, int) and not isinstance(v, bool) and v >= 0 for v in value)
        )
        if not good:
            self.note(
                f"Seeds must be a list of whole numbers >= 0, or how many; got {value!r}.",
                ("seeds",),
                remedy="Write 'seeds: [0, 1, 2]' or 'seeds: 3'.",
            )
            return (0,)
        return tuple(dict.fromkeys(value))

    def confidence(self) -> float:
        """Return the confidence of intervals."""
        value = self.quantity(("confidence",), "1", "The confidence", 0.95)
        if not 0.5 <= value < 1:
            self.note(
                f"The confidence must be from 0.5 to below 1; got {value:g}.",
                ("confidence",),
                remedy="Write 0.95 or '95 %'.",
            )
            return 0.95
        return value

    def mistakes(self) -> MistakeSpec | None:
        """Return what each kind of mistake costs."""
        value = self.get(("mistakes",))
        if value is None:
            return None
        if isinstance(value, dict) and value and all(isinstance(v, dict) for v in value.values()):
            matrix = {
                str(true): {
                    str(called): self.attempt(
                        lambda price=price: parse_quantity(price, unit="USD", what="A cost"),  # type: ignore[misc]  # defaults bind
                        ("mistakes", true, called),
                        0.0,
                    )
                    for called, price in row.items()
                }
                for true, row in value.items()
            }
            return MistakeSpec(per_class=matrix)
        self.mapping(("mistakes",), ("false_positive", "false_negative"), "mistakes")
        return MistakeSpec(
            *(
                self.quantity(("mistakes", kind), "USD", f"The cost of a {kind}", 1.0, zero=True)
                for kind in ("false_positive", "false_negative")
            )
        )

    # ---- candidates -------------------------------------------------------------------------

    def candidates(self) -> tuple[CandidateSpec, ...]:
        """Return the candidate specs."""
        value = self.get(("candidates",))
        if value is None:
            return ()
        if not isinstance(value, list) or not value:
            self.note(
                "Candidates must be a list.",
                ("candidates",),
                remedy="Write '- decision_tree: {max_depth: [2, 4]}', or leave it out to "
                "let every family that fits take part.",
            )
            return ()
        found = [self.candidate(item, ("candidates", i)) for i, item in enumerate(value)]
        return tuple(spec for spec in found if spec is not None)

    def candidate(self, item: Any, path: Steps) -> CandidateSpec | None:
        """Return one spec."""
        if isinstance(item, str):
            item = {item: {}}
        if not isinstance(item, dict) or len(item) != 1:
            self.note(
                f"A candidate is a family with its settings; got {item!r}.",
                path,
                remedy="Write '- random_forest: {n_estimators: [25, 100]}'.",
            )
            return None
        ((family, given),) = item.items()
        at: Steps = (*path, family)
        known = registry.families()
        if family not in known:
            message, remedy = unknown_name("family", family, known)
            self.note(message, at, remedy=remedy, key=True)
            return None
        row = known[family]
        if self.task is not None and self.task not in row.tasks:
            fits = [name for name, other in known.items() if self.task in other.tasks]
            self.note(
                f"Family {family!r} does not fit the task {self.task.value!r}.",
                at,
                key=True,
                remedy=f"Choose one of: {', '.join(fits)}.",
            )
            return None
        given = {} if given is None else given
        if not isinstance(given, dict):
            self.note(f"Settings of {family} must be a mapping; got {given!r}.", at)
            return None
        given = dict(given)
        label = given.pop("label", "")
        preprocessing = given.pop("preprocessing", {})
        self.attempt(
            lambda: resolve_preprocessing(preprocessing, family=family), (*at, "preprocessing"), {}
        )
        if preprocessing == "none":
            preprocessing = {"raw": True}
        specs = {spec.name: spec for spec in row.settings}
        settings = {}
        for name, value in given.items():
            if name not in specs:
                message, remedy = unknown_name(
                    f"setting of {family}", name, [*specs, "label", "preprocessing"]
                )
                self.note(message, (*at, name), remedy=remedy, key=True)
                continue
            settings[name] = self.setting(specs[name], value, (*at, name))
        for spec in row.settings:
            if spec.required and spec.name not in given:
                self.note(
                    f"{family} needs the setting {spec.name!r}: {spec.wanted()}.",
                    at,
                    remedy=f"Add '{spec.name}:' to it. {spec.help}".strip(),
                    key=True,
                )
        self.check_paths(family, settings, at)
        return CandidateSpec(
            family, settings, preprocessing or {}, str(label or ""), self.tree.at(path)
        )

    def check_paths(self, family: str, settings: Mapping[str, Any], path: Steps) -> None:
        """Note files that a candidate names and that are not there."""
        key = {"onnx": "path", "sklearn": "estimator"}.get(family)
        value = settings.get(key) if key else None
        if not isinstance(value, str):
            return
        file = value.rpartition(":")[0] if family == "sklearn" else value
        if family == "sklearn" and not file:
            self.note(
                f"An estimator is named 'file.py:function' or 'module:function'; got {value!r}.",
                (*path, key),
            )
            return
        is_file = family == "onnx" or file.endswith(".py")
        if is_file and not (Path(self.folder) / file).is_file():
            self.note(
                f"There is no file {file!r}.",
                (*path, key),
                remedy="Paths are relative to the study file.",
            )

    def setting(self, spec: SettingSpec, value: Any, path: Steps) -> Any:
        """Return a plain value, a grid or a range, every value checked."""
        if isinstance(value, list) and spec.type != "list":
            if not value:
                self.note(
                    f"The grid of {spec.name!r} is empty.", path, remedy="Give at least one value."
                )
                return spec.default
            return tuple(
                self.attempt(lambda v=v: spec.check(v), (*path, i), spec.default)  # type: ignore[misc]  # defaults bind
                for i, v in enumerate(value)
            )
        if isinstance(value, dict) and spec.type != "map":
            return self.range(spec, value, path)
        return self.attempt(lambda: spec.check(value), path, spec.default)

    def range(self, spec: SettingSpec, value: dict[str, Any], path: Steps) -> Any:
        """Return a range from {log: [low, high], n: 6}."""
        scales = ("log", "uniform", "int")
        named = [scale for scale in scales if scale in value]
        for key in value:
            if key not in (*scales, "n"):
                message, remedy = unknown_name("key of a range", key, (*scales, "n"))
                self.note(message, (*path, key), remedy=remedy, key=True)
        ends = value.get(named[0]) if len(named) == 1 else None
        numbers = (
            isinstance(ends, list)
            and len(ends) == 2
            and all(isinstance(e, int | float) and not isinstance(e, bool) for e in ends)
        )
        if not numbers:
            self.note(
                f"A range of {spec.name!r} is one of log, uniform, int with two ends; got "
                f"{value!r}.",
                path,
                remedy="Write '{log: [0.01, 100], n: 6}'.",
            )
            return spec.default
        assert isinstance(ends, list)
        low, high = float(ends[0]), float(ends[1])
        if spec.type not in ("int", "float") or (spec.type == "int" and named[0] != "int"):
            self.note(
                f"{spec.name!r} must be {spec.wanted()}; a {named[0]} range does not fit.",
                path,
                remedy="Use a list, or an int range for whole numbers.",
            )
            return spec.default
        if low >= high or (named[0] == "log" and low <= 0):
            self.note(
                f"The range of {spec.name!r} runs from {low:g} to {high:g}.",
                (*path, named[0]),
                remedy="Give a smaller and a larger number"
                + (", both positive." if named[0] == "log" else "."),
            )
            return spec.default
        for index, end in enumerate(ends):
            self.attempt(
                lambda end=end: spec.check(int(end) if spec.type == "int" else float(end)),  # type: ignore[misc]  # defaults bind
                (*path, named[0], index),
                None,
            )
        n = self.whole_in(value.get("n", 5), (*path, "n"))
        return SearchRange(named[0], low, high, n)

    def whole_in(self, value: Any, path: Steps) -> int:
        """Return the number of points of a range."""
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1000:
            self.note(f"'n' must be a whole number from 1 to 1000; got {value!r}.", path)
            return 1
        return value
