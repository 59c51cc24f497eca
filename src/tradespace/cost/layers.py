"""The layers of a network as rows: what each counts, holds, moves and takes."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tradespace.graph.counts import NodeCounts
from tradespace.graph.network import Network, Shape

_SEPARATOR = re.compile(r"[.:]")
_NUMBERED = re.compile(r"(?:^|[.:])\d+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One operator of a network, or several under one path.

    Parameters
    ----------
    name : str
        Path of the operator or of the group.
    operator : str
        Name in the registry; of a group, how many operators it holds.
    output_shape : tuple of int
        Shape of the (last) output, batch in front.
    parameters : int
        Trainable parameters that nothing before uses.
    macs, operations : int
        Multiply-accumulates, and other arithmetic operations.
    traffic_bytes : int
        Operands read and results written, weights included.
    output_bytes : int
        Memory of its outputs; 0 for views and what works in place.
    saved_bytes : int
        What training keeps for the backward pass.
    time_s : float, optional
        On the processor asked for; None if none was, or if it runs as part of the operator
        before it.
    bound : str
        What limits it there: ``"compute"``, ``"memory"``, ``"overhead"``.
    formula : str
        Of the multiply-accumulates, with symbols.
    numbers : str
        The same with numbers.
    unknown : bool
        Whether it is not counted, as nobody knows the operator.
    operators : int
        How many operators it holds.
    fusible : bool
        Whether runtimes usually merge it into the operator before it.

    """

    name: str
    operator: str
    output_shape: Shape
    parameters: int = 0
    macs: int = 0
    operations: int = 0
    traffic_bytes: int = 0
    output_bytes: int = 0
    saved_bytes: int = 0
    time_s: float | None = None
    bound: str = ""
    formula: str = ""
    numbers: str = ""
    unknown: bool = False
    operators: int = 1
    fusible: bool = False

    @property
    def arithmetic_intensity(self) -> float:
        """Operations, two a multiply-accumulate, for each byte moved."""
        moved = self.traffic_bytes
        return (2 * self.macs + self.operations) / moved if moved else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "name": self.name,
            "operator": self.operator,
            "output_shape": list(self.output_shape),
            "parameters": self.parameters,
            "macs": self.macs,
            "operations": self.operations,
            "traffic_bytes": self.traffic_bytes,
            "output_bytes": self.output_bytes,
            "saved_bytes": self.saved_bytes,
            "arithmetic_intensity": self.arithmetic_intensity,
            "time_s": self.time_s,
            "bound": self.bound or None,
            "formula": self.formula or None,
            "numbers": self.numbers or None,
            "unknown": self.unknown,
        }


def network_layers(
    network: Network,
    rows: Sequence[NodeCounts],
    *,
    saved: Mapping[str, int] | None = None,
    times: Mapping[str, tuple[float, str]] | None = None,
) -> tuple[Layer, ...]:
    """Return a row for every operator that is no view, in the order in which they run.

    Parameters
    ----------
    network : Network
        Whose operators they are.
    rows : sequence of NodeCounts
        Its counts.
    saved : Mapping, optional
        Name of a node -> bytes kept for the backward pass.
    times : Mapping, optional
        Name of a node -> time in seconds and what bounds it.

    """
    saved, times = saved or {}, times or {}
    seen: set[int] = set()
    made = []
    for row in rows:
        node = row.node
        new = [i for i in dict.fromkeys(node.parameters) if i not in seen]
        seen.update(new)
        learned = sum(
            network.parameters[i].elements for i in new if network.parameters[i].trainable
        )
        if row.operator.kind == "view" and not learned:
            continue
        time_s, bound = times.get(node.name, (None, ""))
        unknown = node.operator == "unknown"
        holds = not (node.inplace or row.operator.view)
        made.append(
            Layer(
                name=node.name,
                operator=_title(node.operator, node.attributes),
                output_shape=row.output_shapes[0] if row.output_shapes else (),
                parameters=learned,
                macs=row.macs,
                operations=row.operations,
                traffic_bytes=row.traffic_bytes,
                output_bytes=row.symbols["B_out"] if holds else 0,
                saved_bytes=saved.get(node.name, 0),
                time_s=time_s,
                bound=bound,
                formula=row.formula("macs") if row.macs else "",
                numbers=row.formula("macs", numbers=True) if row.macs else "",
                unknown=unknown,
                fusible=row.operator.fusible,
            )
        )
    return tuple(made)


def _title(operator: str, attributes: Mapping[str, Any]) -> str:
    function = attributes.get("function")
    if operator in ("unknown", "pointwise") and function:
        return str(function)
    return operator


def grouped(layers: Sequence[Layer], depth: int) -> list[Layer]:
    """Return the layers with those that share the first parts of their paths added up.

    Parameters
    ----------
    layers : sequence of Layer
        In order.
    depth : int
        Parts of a path that tell groups apart; 0 adds everything up.

    Examples
    --------
    >>> a = Layer(name="block.conv", operator="convolution2d", output_shape=(1, 8), macs=5)
    >>> b = Layer(name="block.relu", operator="relu", output_shape=(1, 8), operations=8)
    >>> [(g.name, g.operator, g.macs) for g in grouped([a, b], depth=1)]
    [('block', '2 operators', 5)]

    """
    groups: dict[str, list[Layer]] = {}
    for layer in layers:
        parts = _SEPARATOR.split(layer.name)
        groups.setdefault(".".join(p for p in parts[:depth] if p), []).append(layer)
    return [_sum(name, members) for name, members in groups.items()]


def _sum(name: str, members: list[Layer]) -> Layer:
    if len(members) == 1:
        return members[0]
    times = [m.time_s for m in members if m.time_s is not None]
    by_bound: dict[str, float] = {}
    for m in members:
        if m.bound:
            by_bound[m.bound] = by_bound.get(m.bound, 0.0) + (m.time_s or 0.0)
    return Layer(
        name=name,
        operator=f"{sum(m.operators for m in members)} operators",
        output_shape=members[-1].output_shape,
        parameters=sum(m.parameters for m in members),
        macs=sum(m.macs for m in members),
        operations=sum(m.operations for m in members),
        traffic_bytes=sum(m.traffic_bytes for m in members),
        output_bytes=sum(m.output_bytes for m in members),
        saved_bytes=sum(m.saved_bytes for m in members),
        time_s=sum(times) if times else None,
        bound=max(by_bound, key=lambda b: by_bound[b]) if by_bound else "",
        unknown=any(m.unknown for m in members),
        operators=sum(m.operators for m in members),
    )


def repeated(groups: Sequence[Layer]) -> list[Layer]:
    """Return the groups with neighbors that are alike added up, as a stack of equal blocks is.

    Examples
    --------
    >>> blocks = [Layer(name=f"block.{i}", operator="5 operators", output_shape=(1, 8), macs=5)
    ...           for i in range(12)]
    >>> [(g.name, g.operator, g.macs) for g in repeated(blocks)]
    [('block.0-11', '12 x 5 operators', 60)]

    """
    made: list[Layer] = []
    for _, members in itertools.groupby(groups, key=_alike):
        run = list(members)
        if len(run) < 2 or not all(_NUMBERED.search(m.name) for m in run):
            made += run
            continue
        last = _SEPARATOR.split(run[-1].name)[-1]
        whole = _sum(f"{run[0].name}-{last}", run)
        made.append(replace(whole, operator=f"{len(run)} x {run[0].operator}"))
    return made


def _alike(layer: Layer) -> tuple[Any, ...]:
    head = layer.name[: -len(_SEPARATOR.split(layer.name)[-1])]
    numbered = _NUMBERED.search(layer.name)
    counts = (layer.parameters, layer.macs, layer.operations, layer.output_bytes)
    return (head if numbered else layer.name, layer.operator, layer.output_shape, *counts)


def folded(layers: Sequence[Layer]) -> list[Layer]:
    """Return the layers with activations and normalizations under the layer before them.

    Examples
    --------
    >>> conv = Layer(name="0", operator="convolution2d", output_shape=(1, 8), macs=9)
    >>> relu = Layer(name="1", operator="relu", output_shape=(1, 8), fusible=True)
    >>> [(x.name, x.operator, x.operators) for x in folded([conv, relu])]
    [('0', 'convolution2d + relu', 2)]

    """
    made: list[Layer] = []
    for layer in layers:
        last = made[-1] if made else None
        if last is None or not layer.fusible or _parent(last.name) != _parent(layer.name):
            made.append(layer)
            continue
        name = f"{last.operator} + {layer.operator}"
        whole = _sum(last.name, [last, layer])
        made[-1] = replace(whole, operator=name, formula=last.formula, numbers=last.numbers)
    return made


def _parent(name: str) -> str:
    return ".".join(_SEPARATOR.split(name)[:-1])


def summary(layers: Sequence[Layer], *, most: int = 30) -> list[Layer]:
    """Return the layers in groups: the heaviest opened as far as fits into so many rows."""
    rows = folded(layers)
    if len(repeated(rows)) <= most:
        return repeated(rows)
    paths = [tuple(p for p in _SEPARATOR.split(row.name) if p) for row in rows]
    opened: set[tuple[str, ...]] = {()}
    refused: set[tuple[str, ...]] = set()
    while True:
        groups = _grouped_by(rows, paths, opened)
        shown = repeated([_sum(".".join(key), members) for key, members in groups])
        alone = {row.name for row in shown}
        candidates = [
            (key, members)
            for key, members in groups
            if len(members) > 1 and key not in refused and ".".join(key) in alone
        ]
        if not candidates:
            return shown
        key, _ = max(candidates, key=lambda g: (sum(m.macs for m in g[1]), len(g[1])))
        wider = _grouped_by(rows, paths, opened | {key})
        if len(repeated([_sum(".".join(k), members) for k, members in wider])) <= most:
            opened.add(key)
        else:
            refused.add(key)


def _grouped_by(
    rows: Sequence[Layer], paths: Sequence[tuple[str, ...]], opened: set[tuple[str, ...]]
) -> list[tuple[tuple[str, ...], list[Layer]]]:
    """Return the rows under the shortest prefixes of their paths that are not opened."""
    groups: dict[tuple[str, ...], list[Layer]] = {}
    for row, path in zip(rows, paths, strict=True):
        depth = 1
        while depth < len(path) and path[:depth] in opened:
            depth += 1
        groups.setdefault(path[:depth], []).append(row)
    return list(groups.items())
