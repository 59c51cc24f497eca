"""Finds repetition in a list of segments and writes it as loops with affine addresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from tradespace.hardware.dlp.instructions import (
    Affine,
    Axis,
    Compute,
    Instruction,
    Loop,
    Move,
    Sync,
    View,
)

RawAxis: TypeAlias = tuple[int, int, int, int]  # count, stride, ring, phase
RawView: TypeAlias = tuple[str, int, tuple[RawAxis, ...]]  # memory, offset, axes
#: Kind, fields that are not views, views.
RawInstruction: TypeAlias = tuple[str, tuple[tuple[str, Any], ...], tuple[RawView, ...]]
#: By kind, the fields that its views are.
_VIEWS = {
    "move": ("src", "dst"),
    "vector": ("out", "source", "other"),
    "fold": ("out", "source"),
    "product": ("out", "source", "weights"),
}
_PERIOD = 12
_LEVELS = 4


@dataclass(frozen=True, slots=True)
class _Node:
    """Segments, or a loop over nodes; ``values`` are what may differ between repetitions."""

    key: int
    values: tuple[int, ...]
    rings: tuple[int, ...]
    segment: tuple[RawInstruction, ...] = ()
    count: int = 0
    body: tuple[_Node, ...] = ()
    steps: tuple[int, ...] = ()


def roll(segments: list[list[RawInstruction]]) -> tuple[Instruction, ...]:
    """Return the instructions of segments, with a sync after each but the last."""
    known: dict[object, int] = {}
    nodes = [_leaf(tuple(segment), known) for segment in segments]
    last = nodes.pop() if nodes else None
    for _ in range(_LEVELS):
        rolled = _pass(nodes, known)
        if len(rolled) == len(nodes):
            break
        nodes = rolled
    body: list[Instruction] = []
    for node in nodes:
        body += _write(node, [(value, ()) for value in node.values], 0)
    if last is not None:
        body += _write(last, [(value, ()) for value in last.values], 0)[:-1]
    return tuple(body)


def _leaf(segment: tuple[RawInstruction, ...], known: dict[object, int]) -> _Node:
    form: list[object] = []
    values: list[int] = []
    rings: list[int] = []
    for name, fixed, views in segment:
        form.append((name, fixed))
        for memory, offset, axes in views:
            form.append(memory)
            values.append(offset)
            rings.append(0)
            for count, stride, ring, phase in axes:
                form.append((count, stride, ring))
                if ring:
                    values.append(phase)
                    rings.append(ring)
    key = known.setdefault(tuple(form), len(known))
    return _Node(key, tuple(values), tuple(rings), segment)


def _steps(first: list[_Node], second: list[_Node]) -> tuple[int, ...]:
    return tuple(
        (b - a) % ring if ring else b - a
        for x, y in zip(first, second, strict=True)
        for a, b, ring in zip(x.values, y.values, x.rings, strict=True)
    )


def _pass(nodes: list[_Node], known: dict[object, int]) -> list[_Node]:
    keys = [node.key for node in nodes]
    made: list[_Node] = []
    at = 0
    while at < len(nodes):
        best, period, steps = 1, 1, tuple[int, ...]()
        for p in range(1, min(_PERIOD, (len(nodes) - at) // 2) + 1):
            if keys[at] != keys[at + p] or keys[at : at + p] != keys[at + p : at + 2 * p]:
                continue
            group = nodes[at : at + p]
            found = _steps(group, nodes[at + p : at + 2 * p])
            count = 2
            while True:
                start = at + count * p
                if keys[start : start + p] != keys[at : at + p]:
                    break
                if _steps(nodes[start - p : start], nodes[start : start + p]) != found:
                    break
                count += 1
            if (count - 1) * p > (best - 1) * period and (count > 2 or p > 2):
                best, period, steps = count, p, found
        if best == 1:
            made.append(nodes[at])
        else:
            body = tuple(nodes[at : at + period])
            form = ("loop", best, tuple(node.key for node in body), steps)
            made.append(
                _Node(
                    known.setdefault(form, len(known)),
                    tuple(v for node in body for v in node.values),
                    tuple(r for node in body for r in node.rings),
                    count=best,
                    body=body,
                    steps=steps,
                )
            )
        at += best * period
    return made


_Terms: TypeAlias = list[tuple[int, tuple[tuple[str, int], ...]]]


def _write(node: _Node, values: _Terms, depth: int) -> list[Instruction]:
    if node.count:
        name = "ijklmnop"[depth] if depth < 8 else f"i{depth}"
        inner: list[Instruction] = []
        at = 0
        for part in node.body:
            size = len(part.values)
            terms = [
                (base, (*before, (name, step)) if step else before)
                for (base, before), step in zip(
                    values[at : at + size], node.steps[at : at + size], strict=True
                )
            ]
            inner += _write(part, terms, depth + 1)
            at += size
        return [Loop(node.count, tuple(inner), name)]
    supply = iter(values)
    made: list[Instruction] = []
    for name, fixed, views in node.segment:
        made.append(_instruction(name, fixed, [_view(view, supply) for view in views]))
    made.append(Sync())
    return made


def _view(view: RawView, supply: object) -> View:
    values = supply
    base, terms = next(values)  # type: ignore[call-overload] # an iterator, consumed in order
    axes = []
    for count, stride, ring, _ in view[2]:
        if ring:
            phase, phase_terms = next(values)  # type: ignore[call-overload] # as above
            axes.append(Axis(count, stride, ring, Affine(phase, phase_terms)))
        else:
            axes.append(Axis(count, stride))
    return View(view[0], Affine(base, terms), tuple(axes))


def _instruction(name: str, fixed: tuple[tuple[str, Any], ...], views: list[View]) -> Instruction:
    kind: type[Move | Compute] = Move if name == "move" else Compute
    values: dict[str, Any] = dict(zip(_VIEWS[name], views, strict=True))
    return kind(**dict(fixed), **values)
