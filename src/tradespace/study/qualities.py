"""The qualities that a study names, under their own or the study's names."""

from __future__ import annotations

import re
from typing import Any

from tradespace.core import registry
from tradespace.core.quantities import format_quantity
from tradespace.core.registry import QualityRow
from tradespace.core.settings import resolve_settings
from tradespace.core.studies import QualityUse, Task
from tradespace.core.suggest import unknown_name
from tradespace.files.checker import Checker
from tradespace.files.fields import show
from tradespace.files.yaml_tree import Path
from tradespace.study.settings import checked_settings

#: What can name a quality in a constraint.
NAME = r"[A-Za-z_][\w.-]*"


class QualityUses:
    """The qualities of a study by the name that it gives them; `uses` holds all that are named."""

    def __init__(self, checker: Checker, *, task: Task | None) -> None:
        self._checker, self._task = checker, task
        self._broken: set[str] = set()
        self.uses: dict[str, QualityUse] = {}

    # ---- qualities --------------------------------------------------------------------------

    def read(self, value: Any) -> None:
        """Read the study's own qualities: a mapping, or a list of names to measure as well."""
        if value is None:
            return
        if isinstance(value, list):
            for index, item in enumerate(value):
                at: Path = ("qualities", index)
                if isinstance(item, str):
                    self.find(item, at)
                elif isinstance(item, dict) and len(item) == 1:
                    ((name, given),) = item.items()
                    self._define(name, given, (*at, name))
                else:
                    self._refuse_quality(item, at)
            return
        if not isinstance(value, dict):
            self._refuse_quality(value, ("qualities",))
            return
        for name, given in value.items():
            self._define(name, given, ("qualities", name))

    def _refuse_quality(self, value: Any, path: Path) -> None:
        self._checker.note(
            f"Qualities are a mapping of names to qualities, or a list of names; got "
            f"{show(value)}.",
            path,
            remedy="Write 'card_precision: {top_k_precision: {k: 100}}'.",
        )

    def _define(self, name: str, given: Any, path: Path) -> None:
        """Read `name: quality`, `name: {quality: settings}` or `quality: settings`."""
        known = registry.qualities()
        self._broken.add(name)
        if isinstance(given, str):
            if given not in known:
                message, remedy = unknown_name("quality", given, known)
                self._checker.note(message, path, remedy=remedy)
                return
            quality, settings, at = given, None, path
        elif isinstance(given, dict) and len(given) == 1 and next(iter(given)) in known:
            ((quality, settings),) = given.items()
            at = (*path, quality)
        elif name in known:
            quality, settings, at = name, given, path
        elif isinstance(given, dict) and len(given) == 1:
            inner = next(iter(given))
            self._checker.unknown("quality", inner, known, (*path, inner))
            return
        else:
            message, remedy = unknown_name("quality", name, known)
            remedy += f" Or say which it is: '{name}: {{top_k_precision: {{k: 100}}}}'."
            self._checker.note(message, path, remedy=remedy, key=True)
            return
        if not re.fullmatch(NAME, name):
            self._checker.note(
                f"The name {name!r} of a quality cannot stand in a constraint.",
                path,
                remedy="Use letters, digits and '_', with a letter in front.",
                key=True,
            )
            return
        row = known[quality]
        before = len(self._checker.problems)
        good = checked_settings(self._checker, row.settings, settings, at, owner=quality)
        if not self._fits(row, path, key=True) or len(self._checker.problems) > before:
            return
        self._broken.discard(name)
        self._use(name, row, good, path)

    def _use(self, name: str, row: QualityRow, settings: dict[str, Any], path: Path) -> QualityUse:
        full = resolve_settings(row.settings, settings, owner=row.name)
        place = self._checker.tree.at(path)
        use = QualityUse(name, row.name, row.unit, row.direction, full, place)
        self.uses[name] = use
        return use

    def _fits(self, row: QualityRow, path: Path, *, key: bool = False, offset: int = 0) -> bool:
        if self._task is None or self._task in row.tasks:
            return True
        fits = [name for name, r in registry.qualities().items() if self._task in r.tasks]
        self._checker.note(
            f"Quality {row.name!r} does not fit the task {self._task.value!r}.",
            path,
            remedy=f"Choose one of: {', '.join(fits)}.",
            key=key,
            offset=offset,
        )
        return False

    def find(self, name: str, path: Path, *, offset: int = 0) -> QualityUse | None:
        """Return the use of a quality by its name in this study; noted if there is none."""
        if name in self.uses:
            return self.uses[name]
        if name in self._broken:
            return None  # what is wrong with it was said where it is defined
        known = registry.qualities()
        if name in known:
            row = known[name]
            return self._use(name, row, {}, path) if self._fits(row, path, offset=offset) else None
        message, remedy = unknown_name("quality", name, [*self.uses, *known])
        self._checker.note(message, path, remedy=remedy, offset=offset)
        return None

    def in_range(
        self, use: QualityUse, value: float, what: str, path: Path, *, offset: int = 0
    ) -> bool:
        """Return whether a value can occur; noted if it cannot."""
        row = registry.quality(use.quality)
        if row.low <= value <= row.high:
            return True
        low, high = (format_quantity(end, use.unit) for end in (row.low, row.high))
        remedy = f"Give a value from {low} to {high}."
        if row.high == 1.0 and 1 < value <= 100:
            remedy = f"Did you mean {value / 100:g} or '{value:g} %'?"
        self._checker.note(
            f"{what} is {format_quantity(value, use.unit)}, outside the range from {low} to "
            f"{high}.",
            path,
            remedy=remedy,
            offset=offset,
        )
        return False
