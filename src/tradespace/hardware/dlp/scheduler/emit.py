"""Writes the program of a schedule: where each part lies in DRAM and on chip, as operands."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TypeAlias

from tradespace.hardware.dlp.instructions import Array, Program
from tradespace.hardware.dlp.layers import Layer
from tradespace.hardware.dlp.scheduler.balance import Balanced
from tradespace.hardware.dlp.scheduler.rolling import RawInstruction, RawView, roll
from tradespace.hardware.dlp.scheduler.streaming import Streaming
from tradespace.hardware.dlp.scheduler.table import Plan
from tradespace.hardware.dlp.scheduler.tiling import Tiling
from tradespace.hardware.dlp.scheduler.work import InputBox, Load, OutputBox, Task, WeightBox, Work

Axes: TypeAlias = tuple[tuple[int, int, int, int], ...]  # count, stride, ring, phase; in words


def write_program(
    layer: Layer, plan: Plan, work: Work, balanced: Balanced, *, bits: int
) -> Program:
    """Return the addressed program of a schedule, repetition rolled into loops."""
    arrays = _arrays(layer, bits)
    writer = _Writer(layer, plan, bits, [a.offset_bytes for a in arrays])
    segments: list[list[RawInstruction]] = [[] for _ in balanced.moves]
    for at in range(len(segments)):
        segments[at] += [writer.load(load) for load in reversed(balanced.loads[at])]
        segments[at] += [writer.store(s.box, s.slot, s.words) for s in balanced.stores[at]]
    for task, at in zip(work.tasks, balanced.segment, strict=True):
        segments[at].append(writer.compute(task))
    while segments and not segments[-1]:
        segments.pop()
    return Program(roll(segments), arrays, file=layer.name)


def _arrays(layer: Layer, bits: int) -> tuple[Array, ...]:
    groups = layer.groups
    shapes: dict[str, tuple[int, ...]]
    if layer.kind == "dense":
        shapes = {
            "input": (layer.height, layer.channels),
            "weights": (layer.channels, layer.outputs),
            "output": (layer.height, layer.outputs),
        }
    elif layer.kind == "elementwise":
        shapes = dict.fromkeys(("input", "other", "output"), (groups,))
    else:
        shapes = {"input": (layer.images, groups * layer.channels, layer.height, layer.width)}
        if layer.operation == "MAC":
            shapes["weights"] = (groups * layer.outputs, layer.channels, *layer.window)
        shapes["output"] = (layer.images, groups * layer.outputs, layer.rows, layer.columns)
    made: list[Array] = []
    offset = 0
    for name, shape in shapes.items():
        made.append(Array(name, offset, shape, bits))
        offset += -(-prod(shape) * bits // 8 // 64) * 64
    return tuple(made)


def _axes(*pairs: tuple[int, int]) -> Axes:
    """Return axes of these counts and strides, none of them a ring."""
    return tuple((count, stride, 0, 0) for count, stride in pairs)


def _ends(box: InputBox | WeightBox | OutputBox) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return where each axis of a box begins, and how many it holds."""
    starts = box[0:8:2]
    return starts, tuple(end - start for start, end in zip(starts, box[1:8:2], strict=True))


@dataclass(slots=True)
class _Writer:
    layer: Layer
    plan: Plan
    bits: int
    offsets: list[int]

    # --- DRAM ---------------------------------------------------------------------------

    def dram_input(self, box: InputBox) -> tuple[int, Axes]:
        """Return where a box of inputs lies in DRAM, in words from the array."""
        return self.dram_planes(box, self.layer.channels, self.layer.height, self.layer.width)

    def dram_output(self, box: OutputBox) -> tuple[int, Axes]:
        """Return where a box of results lies in DRAM."""
        return self.dram_planes(box, self.layer.outputs, self.layer.rows, self.layer.columns)

    def dram_planes(
        self, box: InputBox | OutputBox, parts: int, rows: int, columns: int
    ) -> tuple[int, Axes]:
        """Return where a box of images lies that have so many planes of rows and columns."""
        starts, counts = _ends(box)
        if self.layer.kind == "elementwise":
            return box.g0, _axes((counts[0], 1))
        strides = (parts * rows * columns, rows * columns, columns, 1)
        if self.layer.kind == "dense":
            strides = (0, 1, parts, 0)
        start = box.image * self.layer.groups * strides[0]
        start += sum(at * s for at, s in zip(starts, strides, strict=True))
        return start, _axes(*zip(counts, strides, strict=True))

    def dram_weights(self, box: WeightBox) -> tuple[int, Axes]:
        layer = self.layer
        starts, counts = _ends(box)
        if layer.kind == "dense":
            strides = (0, 1, layer.outputs, 0)
        else:
            terms, width = layer.terms, layer.window[1]
            strides = (layer.outputs * terms, terms, layer.taps, width)
        start = sum(at * s for at, s in zip(starts, strides, strict=True))
        return start, _axes(*zip(counts, strides, strict=True), (layer.window[1], 1))

    # --- on chip ------------------------------------------------------------------------

    def chip_input(self, box: InputBox, slot: int, operand: int, origin: int) -> tuple[int, Axes]:
        layer, plan = self.layer, self.plan
        g, c, r, x = _ends(box)[1]
        if isinstance(plan, Streaming):
            row = layer.channels * layer.width
            first = (box.g0 * layer.images + box.image) * layer.height + box.r0
            ring = plan.ring_rows
            whole = ring >= layer.height * layer.images * layer.groups
            rows = (r, row, 0, 0) if whole else (r, row, ring, first % ring)
            start = box.c0 * layer.width + box.x0 + (first * row if whole else 0)
            return start, ((g, 0, 0, 0), (c, layer.width, 0, 0), rows, (x, 1, 0, 0))
        if isinstance(plan, Tiling):
            height, width = plan.input_tile(layer)
            ring = plan.ring_inputs
            unit = height * width
            down = (box.r0 - origin) * width
            if ring >= layer.channels and not slot:
                return down + box.c0 * unit, _axes((g, 0), (c, unit), (r, width), (x, 1))
            axis = (c, unit, ring, (box.c0 + slot) % ring)
            return down, ((g, 0, 0, 0), axis, (r, width, 0, 0), (x, 1, 0, 0))
        if layer.kind == "elementwise":
            return (slot * 2 + operand) * plan.groups, _axes((g, 1))
        plane = plan.input_rows(layer) * layer.width
        start = slot * plan.groups * layer.channels * plane
        start += box.c0 * plane + (box.r0 - origin) * layer.width
        return start, _axes((g, layer.channels * plane), (c, plane), (r, layer.width), (x, 1))

    def chip_weights(self, box: WeightBox, slot: int) -> tuple[int, Axes]:
        layer, plan = self.layer, self.plan
        g, n, c, f = _ends(box)[1]
        width, taps = layer.window[1], layer.taps
        inner = _axes((f, width), (width, 1))
        if isinstance(plan, Streaming):
            ring = plan.columns_kept(layer)
            first = box.g0 * layer.outputs + box.n0
            start = box.c0 * taps + box.f0 * width
            if ring >= layer.groups * layer.outputs:
                start += first * layer.terms
                return start, ((g, 0, 0, 0), (n, layer.terms, 0, 0), (c, taps, 0, 0), *inner)
            axis = (n, layer.terms, ring, first % ring)
            return start, ((g, 0, 0, 0), axis, (c, taps, 0, 0), *inner)
        if isinstance(plan, Tiling):
            ring, unit = plan.ring_weights, plan.block * taps
            start = (box.n0 % plan.block) * taps
            outputs = (n, taps, 0, 0)
            if ring >= layer.channels and not slot:
                start += box.c0 * unit
                return start, ((g, 0, 0, 0), outputs, (c, unit, 0, 0), *inner)
            return start, ((g, 0, 0, 0), outputs, (c, unit, ring, (box.c0 + slot) % ring), *inner)
        each = layer.outputs * layer.terms
        start = slot * plan.groups * each + box.n0 * layer.terms + box.c0 * taps
        return start, ((g, each, 0, 0), (n, layer.terms, 0, 0), (c, taps, 0, 0), *inner)

    def chip_output(self, box: OutputBox, slot: int) -> tuple[int, Axes]:
        layer, plan = self.layer, self.plan
        g, n, y, x = _ends(box)[1]
        if isinstance(plan, Streaming):
            base = plan.ring_rows * plan.row_words(layer)
            if plan.rows == 0:
                ring, plane = plan.result_columns(layer), layer.rows * layer.columns
                start = base + box.y0 * layer.columns
                if ring >= layer.outputs:
                    axis = (n, plane, 0, 0)
                    start += box.n0 * plane
                else:
                    axis = (n, plane, ring, box.n0 % ring)
                return start, ((g, 0, 0, 0), axis, (y, layer.columns, 0, 0), (x, 1, 0, 0))
            plane = plan.rows * layer.columns
            start = base + slot * plan.block * plane
            start += (box.n0 % plan.block) * plane + (box.y0 % plan.rows) * layer.columns
            return start, _axes((g, 0), (n, plane), (y, layer.columns), (x, 1))
        if isinstance(plan, Tiling):
            height, width = plan.input_tile(layer)
            base = height * width * plan.ring_inputs
            plane = plan.rows * plan.columns
            start = base + (box.n0 % plan.block) * plane + (box.y0 % plan.rows) * plan.columns
            return start, _axes((g, 0), (n, plane), (y, plan.columns), (x, 1))
        if layer.kind == "elementwise":
            return (4 + slot) * plan.groups, _axes((g, 1))
        base = 2 * plan.groups * layer.channels * plan.input_rows(layer) * layer.width
        plane = plan.rows * layer.columns
        start = base + (slot * plan.groups * layer.outputs + box.n0) * plane
        start += box.y0 % plan.rows * layer.columns
        return start, _axes((g, layer.outputs * plane), (n, plane), (y, layer.columns), (x, 1))

    # --- instructions -------------------------------------------------------------------

    def view(self, memory: str, place: tuple[int, Axes], base: int = 0) -> RawView:
        """Return an operand of a move, its axes merged as far as they go."""
        start, axes = place
        size = self.bits // 8
        made: list[tuple[int, int, int, int]] = []
        for count, stride, ring, phase in axes:
            if count == 1 and not ring:
                continue
            if made and not ring and not made[-1][2] and made[-1][1] == count * stride:
                made[-1] = (made[-1][0] * count, stride, 0, 0)
            else:
                made.append((count, stride, ring, phase))
        if made and made[-1][1] == 1 and not made[-1][2]:
            made.pop()  # contiguous: the length of each piece follows from the size of the move
        return (memory, base + start * size, tuple((n, s * size, r, p) for n, s, r, p in made))

    def load(self, load: Load) -> RawInstruction:
        """Return the move of a load."""
        size = load.words * self.bits // 8
        if isinstance(load.box, InputBox):
            src = self.dram_input(load.box)
            dst = self.view("NRAM", self.chip_input(load.box, load.slot, load.operand, load.origin))
            return (
                "move",
                (("size_bytes", size),),
                (self.view("DRAM", src, self.offsets[load.operand]), dst),
            )
        place = self.view("WRAM", self.chip_weights(load.box, load.slot))
        source = self.view("DRAM", self.dram_weights(load.box), self.offsets[1])
        return ("move", (("size_bytes", size),), (source, place))

    def store(self, box: OutputBox, slot: int, words: int) -> RawInstruction:
        """Return the move of a store."""
        target = self.view("DRAM", self.dram_output(box), self.offsets[-1])
        source = self.view("NRAM", self.chip_output(box, slot))
        return ("move", (("size_bytes", words * self.bits // 8),), (source, target))

    def full(self, memory: str, place: tuple[int, Axes]) -> RawView:
        """Return an operand of a computation, with all its axes."""
        size = self.bits // 8
        start, axes = place
        return (memory, start * size, tuple((n, s * size, r, p) for n, s, r, p in axes))

    def compute(self, task: Task) -> RawInstruction:
        """Return the computation of a task."""
        layer, out = self.layer, task.out
        (down, right), (top, left) = layer.stride, layer.padding
        y_start, x_start = out.y0 * down - top + task.f0, out.x0 * right - left
        r0, x0 = max(0, y_start), max(0, x_start)
        r1 = min(layer.height, (out.y1 - 1) * down - top + task.f1)
        x1 = min(layer.width, (out.x1 - 1) * right - left + layer.window[1])
        box = InputBox(out.g0, out.g1, task.c0, task.c1, r0, r1, x0, x1, out.image)
        target = self.chip_output(out, task.slot)
        source = self.chip_input(box, task.slot, 0, r0)
        fixed = [("operation", layer.operation), ("bits", self.bits), ("count", task.operations)]
        if layer.kind == "elementwise":
            other = self.chip_input(box, task.slot, 1, r0)
            views = tuple(self.full("NRAM", p) for p in (target, source, other))
            return ("vector", tuple(fixed), views)
        moved = [("stride", layer.stride), ("pad", (r0 - y_start, x0 - x_start))]
        if layer.operation != "MAC":
            fixed += [*moved, ("window", layer.window)]
            drop = [
                (start, (axes[0], *axes[2:])) for start, axes in (target, source)
            ]  # one channel a group
            return ("fold", tuple(fixed), tuple(self.full("NRAM", p) for p in drop))
        slot = task.weights_slot
        weights = WeightBox(out.g0, out.g1, out.n0, out.n1, task.c0, task.c1, task.f0, task.f1)
        held = self.chip_weights(weights, slot)
        fixed.append(("accumulate", task.accumulate))
        if layer.kind == "dense":
            target, source, held = (
                (start, (axes[2], axes[1])) for start, axes in (target, source, held)
            )
        else:
            fixed += moved
        return ("product", tuple(fixed), self._three(target, source, held))

    def _three(
        self, out: tuple[int, Axes], source: tuple[int, Axes], weights: tuple[int, Axes]
    ) -> tuple[RawView, ...]:
        return (self.full("NRAM", out), self.full("NRAM", source), self.full("WRAM", weights))
