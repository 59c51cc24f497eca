"""The inverse question: the largest batch, length or width that keeps a bound."""

from __future__ import annotations

import inspect as signatures
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tradespace.core.errors import GraphError, InputError
from tradespace.core.plain import plain_fields
from tradespace.core.suggest import unknown
from tradespace.cost.inspection import Inspection, inspect

#: What can be bounded -> (base unit, how to read it off an inspection).
BOUNDED: dict[str, tuple[str, Callable[[Inspection], float | None]]] = {
    "memory": (
        "B",
        lambda i: i.training.memory.peak_bytes if i.training else i.memory.peak_bytes,
    ),
    "weights": ("B", lambda i: i.memory.weights_bytes),
    "activations": (
        "B",
        lambda i: i.training.memory.saved_bytes if i.training else i.memory.activations_bytes,
    ),
    "parameters": ("1", lambda i: i.parameters["trainable"]),
    "macs": ("1", lambda i: i.macs),
    "latency": ("s", lambda i: i.running.latency.time_s if i.running else None),
    "step": ("s", lambda i: i.training.step.time_s if i.training and i.training.step else None),
    "energy": ("J", lambda i: i.running.energy_j if i.running else None),
    "training_time": ("s", lambda i: i.training.time_s if i.training else None),
    "training_cost": (
        "USD",
        lambda i: i.training.usd[1] if i.training and i.training.usd else None,
    ),
}
_NEEDS = {
    "latency": "--on a processor",
    "energy": "--on a processor whose power is known",
    "step": "--train and --on",
    "training_time": "--train, --on and --samples",
    "training_cost": "--train, --on and --samples, and a processor whose price is known",
}
_TEXT = re.compile(r"\s*(?P<what>\w+)\s*(?P<sign><=|≤|<)\s*(?P<bound>.+?)\s*")
_MOST = 1 << 40


@dataclass(frozen=True, slots=True)
class Budget:
    """An upper bound on what a network takes, in a base unit."""

    what: str
    bound: float
    unit: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Largest:
    """The answer to the inverse question.

    Parameters
    ----------
    vary : str
        What was varied.
    value : int, optional
        The largest that keeps all bounds; None if not even the smallest does.
    budgets : tuple of Budget
        What was asked.
    taken : Mapping
        What the largest takes, by name of the bound.
    above : Mapping
        What the next larger one would take.
    next_value : int, optional
        The next larger one; None if nothing larger exists.
    inspection : Inspection
        Of the largest; of the smallest if none keeps the bounds.
    evaluations : int
        Networks looked at.
    limit : str
        Why there is nothing larger, where that is not the bounds.

    """

    vary: str
    value: int | None
    budgets: tuple[Budget, ...]
    taken: Mapping[str, float]
    above: Mapping[str, float]
    next_value: int | None
    inspection: Inspection
    evaluations: int
    limit: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        facts = plain_fields(self, but=("inspection",), next_value="next")
        return {**facts, "network": self.inspection.name}


def parse_budget(text: str) -> Budget:
    """Return a bound written as ``memory <= 8 GB``.

    Raises
    ------
    InputError
        If it is written otherwise, or bounds what is not known.

    Examples
    --------
    >>> budget = parse_budget("memory <= 8 GB")
    >>> budget.what, budget.bound
    ('memory', 8000000000.0)

    """
    from tradespace.files.units import parse_quantity

    match = _TEXT.fullmatch(text)
    if match is None:
        msg = f"A budget is written 'what <= bound'; got {text!r}."
        raise InputError(msg, remedy=f'Write "memory <= 8 GB". Known: {", ".join(BOUNDED)}.')
    what = match["what"]
    if what not in BOUNDED:
        raise unknown(InputError, "quantity to bound", what, BOUNDED)
    unit = BOUNDED[what][0]
    bound = parse_quantity(match["bound"], unit=unit, what=f"The bound of {what}")
    if not bound > 0:
        msg = f"The bound of {what} must be positive; got {match['bound']!r}."
        raise InputError(msg, remedy="Nothing takes less than nothing.")
    return Budget(what, bound, unit, text.strip())


def largest(
    what: Any,
    inputs: Any = None,
    *,
    bounds: Sequence[Budget],
    vary: str = "batch",
    **options: Any,
) -> Largest:
    """Return the largest batch, or setting of the network, that keeps all bounds.

    Costs grow with batch, length and width, so that the answer is found by doubling and then
    by halving; where they grow in proportion, in few steps.

    Parameters
    ----------
    what, inputs : optional
        As of `tradespace.inspect`.
    bounds : sequence of Budget
        What must be kept.
    vary : str
        ``"batch"``, or an integer setting of the zoo's builder: ``"length"``, ``"width"``, ...
    **options
        As of `tradespace.inspect`.

    Raises
    ------
    InputError
        If the setting does not exist, or a bound needs something that was not asked for.

    Examples
    --------
    >>> answer = largest("mlp-784-300-100-10", bounds=[parse_budget("macs <= 1e9")])
    >>> answer.value, answer.taken["macs"]
    (3756, 999847200)

    """
    search = _Search(what, inputs, bounds, vary, options)
    return search.run()


class _Search:
    """Looks at values of one setting, each once."""

    def __init__(
        self,
        what: Any,
        inputs: Any,
        bounds: Sequence[Budget],
        vary: str,
        options: dict[str, Any],
    ) -> None:
        self.what, self.inputs, self.vary = what, inputs, vary
        self.bounds, self.options = tuple(bounds), options
        self.step = _step(what, vary, options)
        self.seen: dict[int, dict[str, float] | None] = {}
        self.limit = ""

    def look(self, value: int) -> Inspection:
        options = dict(self.options)
        if self.vary == "batch":
            options["batch"] = value
        else:
            options["settings"] = {**(options.get("settings") or {}), self.vary: value}
        return inspect(self.what, self.inputs, **options)

    def taken(self, at: int) -> dict[str, float] | None:
        """Return what step number `at` takes, or None if there is no such network."""
        if at not in self.seen:
            try:
                found = self.look(at * self.step)
            except GraphError as error:
                if at == 1:
                    raise
                self.limit = error.message
                self.seen[at] = None
                return None
            values: dict[str, float] = {}
            for budget in self.bounds:
                value = BOUNDED[budget.what][1](found)
                if value is None:
                    msg = f"A bound on {budget.what} needs {_NEEDS.get(budget.what, 'more')}."
                    raise InputError(msg, remedy="Add what is missing.")
                values[budget.what] = value
            self.seen[at] = values
        return self.seen[at]

    def _keeps(self, values: Mapping[str, float] | None) -> bool:
        return values is not None and all(values[b.what] <= b.bound for b in self.bounds)

    def keeps(self, at: int) -> bool:
        return self._keeps(self.taken(at))

    def run(self) -> Largest:
        first = self.taken(1)
        if not self._keeps(first):
            return self._answer(None, first or {}, first or {}, None)
        low, high = 1, 2
        while high * self.step <= _MOST and self.keeps(high):
            low, high = high, max(2 * high, self._guess(low, high))
        if high * self.step > _MOST:
            grows = ", ".join(b.what for b in self.bounds)
            msg = f"{grows} does not grow with {self.vary}: there is no largest."
            raise InputError(msg, remedy="Vary something else, or bound something else.")
        while high - low > 1:
            middle = self._between(low, high)
            low, high = (middle, high) if self.keeps(middle) else (low, middle)
        above = self.seen[high]
        return self._answer(low, self.seen[low] or {}, above or {}, high if above else None)

    def _crossings(self, low: int, high: int) -> list[float]:
        """Return where each bound is reached by a line through two values that were seen."""
        a, b = self.seen[low], self.seen[high]
        if a is None or b is None:
            return []
        rises = [
            (budget.bound - a[budget.what], b[budget.what] - a[budget.what])
            for budget in self.bounds
        ]
        return [low + left / rise * (high - low) for left, rise in rises if rise > 0]

    def _guess(self, low: int, high: int) -> int:
        """Return where the bound is reached if everything grows in proportion."""
        ends = self._crossings(low, high)
        return int(min(ends)) + 1 if ends else 0

    def _between(self, low: int, high: int) -> int:
        """Return where to look next: on the line through both ends, or in the middle."""
        middle = (low + high) // 2
        ends = self._crossings(low, high)
        if not ends:
            return middle
        at = int(min(ends))
        # Next to an end the line has said all it can: take its neighbor, then halve.
        if at <= low:
            return low + 1 if low + 1 not in self.seen else middle
        if at >= high:
            return high - 1
        return at if at not in self.seen else middle

    def _answer(
        self,
        at: int | None,
        taken: Mapping[str, float],
        above: Mapping[str, float],
        beyond: int | None,
    ) -> Largest:
        value = None if at is None else at * self.step
        found = self.look(self.step if value is None else value)
        return Largest(
            vary=self.vary,
            value=value,
            budgets=self.bounds,
            taken=taken,
            above=above,
            next_value=self.step
            if value is None
            else (None if beyond is None else beyond * self.step),
            inspection=found,
            evaluations=len(self.seen),
            limit=self.limit if beyond is None and value is not None else "",
        )


def _step(what: Any, vary: str, options: Mapping[str, Any]) -> int:
    """Return the distance of values that make sense: heads divide a width.

    Raises
    ------
    InputError
        If there is nothing of that name to vary.

    """
    if vary == "batch":
        return 1
    if not isinstance(what, str) or ":" in what or "." in what.rpartition("/")[2]:
        msg = f"Only the batch of a model of one's own can be varied; got {vary!r}."
        raise InputError(msg, remedy="Leave --vary out, or take a network of the zoo.")
    import importlib

    from tradespace.graph.zoo import network_row

    row = network_row(what)
    module, _, function = row.path.partition(":")
    builder = getattr(importlib.import_module(f"tradespace.graph.zoo.{module}"), function)
    known = signatures.signature(builder).parameters
    whole = [n for n, p in known.items() if "int" in str(p.annotation) and n != "batch"]
    if vary not in whole:
        raise unknown(InputError, f"size of {row.name!r} to vary", vary, ["batch", *whole])
    merged = {**row.settings, **(options.get("settings") or {})}
    if vary in ("width", "hidden") and "heads" in known:
        heads = merged.get("heads", known["heads"].default)
        return int(heads) if vary == "width" else 1
    return 1
