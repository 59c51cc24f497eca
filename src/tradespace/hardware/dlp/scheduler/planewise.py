"""Plans for layers whose planes do not mix: pooling, element-wise, convolutions with small groups.

Tiles pass through two places in memory by turns: one is computed while the next arrives.
"""

from __future__ import annotations

from dataclasses import dataclass

from tradespace.hardware.dlp.layers import Layer
from tradespace.hardware.dlp.scheduler.work import (
    InputBox,
    Load,
    OutputBox,
    Task,
    WeightBox,
    Work,
    blocks,
)


@dataclass(frozen=True, slots=True)
class Planewise:
    """A plan: how many groups and rows of output make a tile."""

    groups: int
    rows: int

    def input_rows(self, layer: Layer) -> int:
        """Return the greatest rows of input behind a tile."""
        return min(layer.height, (self.rows - 1) * layer.stride[0] + layer.window[0])

    def memory_words(self, layer: Layer) -> tuple[int, int]:
        """Return the words of NRAM and WRAM that the plan takes."""
        operands = 2 if layer.kind == "elementwise" else 1
        inputs = layer.channels * self.input_rows(layer) * layer.width * operands
        results = layer.outputs * self.rows * layer.columns
        weights = 2 * self.groups * layer.outputs * layer.terms if layer.operation == "MAC" else 0
        return 2 * self.groups * (inputs + results), weights


def stream_planes(layer: Layer, plan: Planewise) -> Work:
    """Return the work of a plan."""
    work = Work()
    down, top, height = layer.stride[0], layer.padding[0], layer.window[0]
    mac = layer.operation == "MAC"
    weights_free = [-1, -1]
    number = 0
    for turn, (g0, g1) in enumerate(blocks(layer.groups, plan.groups)):
        begun = len(work.tasks)
        for image in range(layer.images):
            for y0, y1 in blocks(layer.rows, plan.rows):
                slot, now = number % 2, len(work.tasks)
                number += 1
                r0, r1 = max(0, y0 * down - top), min(layer.height, (y1 - 1) * down - top + height)
                box = InputBox(g0, g1, 0, layer.channels, r0, r1, 0, layer.width, image)
                words = (g1 - g0) * layer.channels * (r1 - r0) * layer.width
                for operand in range(2 if layer.kind == "elementwise" else 1):
                    work.loads.append(Load(now, now - 2, box, slot, words, operand, r0))
                if mac and now == begun:
                    part = WeightBox(g0, g1, 0, layer.outputs, 0, layer.channels, 0, height)
                    size = (g1 - g0) * layer.outputs * layer.terms
                    work.loads.append(Load(now, weights_free[turn % 2], part, turn % 2, size))
                work.overwrite((slot,))
                out = OutputBox(g0, g1, 0, layer.outputs, y0, y1, 0, layer.columns, image)
                outputs = (g1 - g0) * layer.outputs * (y1 - y0) * layer.columns
                operations = outputs * (layer.terms if mac else layer.taps)
                work.tasks.append(
                    Task(
                        out=out,
                        c0=0,
                        c1=layer.channels,
                        f0=0,
                        f1=height,
                        accumulate=False,
                        slot=slot,
                        operations=operations,
                        weights_slot=turn % 2,
                    )
                )
                work.store(out, slot, outputs, (slot,))
        weights_free[turn % 2] = len(work.tasks) - 1
    return work
