"""From a network of the graph floor to what the deep-learning processor does for each operator.

Products, convolutions and pooling become layers for the scheduler; normalization, softmax and
element-wise operators stream past the vector unit; lookups and copies are moves; recurrent
layers repeat their step. What the processor cannot do keeps its name and the reason.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Literal

from tradespace.graph.counts import NodeCounts, node_counts
from tradespace.graph.formats import BITS
from tradespace.graph.formulas import formula
from tradespace.graph.network import Network
from tradespace.hardware.dlp.layers import Layer, dense
from tradespace.hardware.dlp.windows import convolution_parts, pooling_layer, transposed_parts

How = Literal["scheduled", "streamed", "moved", "recurrent", "none"]
Parts = tuple[tuple[Layer, int], ...]
_MACS = 1_500_000_000  # of a layer that is scheduled in one piece
_GROUPS = 128  # independent products that are scheduled in one piece


@dataclass(frozen=True, slots=True)
class Recurrence:
    """Steps that follow one another, a product of (m, k) by (k, n) each with the same weights.

    There are `sets` of weights, one after the other, each with its `steps`.
    """

    sets: int
    steps: int
    m: int
    k: int
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What the processor does for one operator, and for those merged into it.

    Parameters
    ----------
    name, operator : str
        Of the node.
    how : str
        ``"scheduled"`` (layers for the scheduler), ``"streamed"`` (past the vector unit),
        ``"moved"``, ``"recurrent"``, or ``"none"``: the processor cannot, see `reason`.
    parts : tuple
        Layers and how often each is done, one after the other.
    recurrences : tuple of Recurrence
        Of a recurrent layer.
    macs, operations : int
        Multiply-accumulates, and vector operations beside those of `parts`.
    read_bytes, write_bytes : int
        Of the operands and results, each once.
    bias_bytes : int
        Biases, with which sums begin.
    exact : bool
        Whether `parts` is the operator itself, so that its certified bound holds.
    merged : tuple of str
        Nodes that are computed on the results while they are on the chip.
    reason : str
        Why the processor cannot.

    """

    name: str
    operator: str
    how: How
    parts: Parts = ()
    recurrences: tuple[Recurrence, ...] = ()
    macs: int = 0
    operations: int = 0
    read_bytes: int = 0
    write_bytes: int = 0
    bias_bytes: int = 0
    exact: bool = False
    merged: tuple[str, ...] = ()
    reason: str = ""


def network_steps(network: Network, *, number_format: str = "fp32") -> tuple[Step, ...]:
    """Return what the processor does, step by step; views and dropout are nothing.

    Examples
    --------
    >>> from tradespace.graph.zoo import network
    >>> [(s.name, s.how, s.merged) for s in network_steps(network("mlp-784-300-100-10"))][:2]
    [('hidden1', 'scheduled', ('relu1',)), ('hidden2', 'scheduled', ('relu2',))]

    """
    network = network.with_format(number_format)
    rows = node_counts(network)
    root: dict[int, int] = {}
    for row in rows:
        if _is_nothing(row) and row.node.inputs:
            for i in row.node.outputs:
                root[i] = root.get(row.node.inputs[0], row.node.inputs[0])
    uses = Counter(root.get(i, i) for i in network.outputs)
    for row in rows:
        if not _is_nothing(row):
            uses.update({root.get(i, i) for i in row.node.inputs})
    made: list[Step] = []
    by: dict[int, int] = {}
    for row in rows:
        if _is_nothing(row):
            continue
        sources = [root.get(i, i) for i in row.node.inputs]
        at = by.get(sources[0], -1) if sources else -1
        if at >= 0 and uses[sources[0]] == 1 and _can_merge(row, made[at]):
            made[at] = _merged(made[at], row)
        else:
            at = len(made)
            made.append(_step(network, row, number_format))
        by.update(dict.fromkeys(row.node.outputs, at))
    return tuple(made)


def _is_nothing(row: NodeCounts) -> bool:
    return row.operator.kind == "view" or row.node.operator == "dropout"


def _can_merge(row: NodeCounts, before: Step) -> bool:
    alone = row.operator.kind == "elementwise" and len(row.node.inputs) == 1
    return (row.operator.fusible or alone) and before.how in ("scheduled", "streamed", "recurrent")


def _merged(before: Step, row: NodeCounts) -> Step:
    folded = row.node.operator == "batch_norm" and before.macs and not before.merged
    added = 0 if folded else row.operations  # a folded one changes the weights beforehand
    return replace(
        before,
        operations=before.operations + added,
        merged=(*before.merged, row.node.name),
    )


def _step(network: Network, row: NodeCounts, number_format: str) -> Step:
    write = sum(network.tensors[i].size_bytes for i in row.node.outputs)
    moved = row.traffic_bytes
    plain = Step(
        name=row.node.name,
        operator=row.node.operator,
        how="streamed",
        macs=row.macs,
        operations=row.operations,
        read_bytes=max(0, moved - write),
        write_bytes=min(write, moved),
    )
    kind = row.operator.kind
    if row.node.operator == "unknown":
        return replace(plain, how="none", reason="the operator is not known")
    if kind in ("lookup", "movement") and not row.operations:
        return replace(plain, how="moved")
    if kind == "recurrent":
        return _recurrent(plain, row)
    if kind == "pooling":
        layer = pooling_layer(row.node, network)
        if layer is None:
            return plain
        average = row.output_shapes and layer.operation == "ADD"
        divisions = row.elements if average else 0
        return replace(
            plain, how="scheduled", parts=((layer, 1),), operations=divisions, exact=True
        )
    if kind not in ("product", "attention"):
        return plain
    bias = sum(
        network.parameters[i].elements
        for i in row.node.parameters
        if network.parameters[i].role == "bias"
    )
    plain = replace(
        plain,
        how="scheduled",
        bias_bytes=bias * BITS[number_format] // 8,
        operations=row.operations if kind == "attention" else 0,
    )
    parts, exact = _product(network, row)
    if not parts:
        reason = "it is no product of two matrices, nor several of them"
        return replace(plain, how="none", reason=reason)
    small = tuple(p for layer, n in parts for p in split_layer(layer, n))
    return replace(plain, parts=small, exact=exact and len(small) == 1 and small[0][1] == 1)


def _product(network: Network, row: NodeCounts) -> tuple[Parts, bool]:
    """Return the layers of a product, and whether they are the operator itself."""
    node, symbols, name = row.node, row.symbols, row.node.name
    operator = node.operator
    if operator.startswith("convolution"):
        return convolution_parts(node, network)
    if operator.startswith("transposed_convolution"):
        return transposed_parts(node, network), False
    if operator == "dense":
        return ((dense(symbols["M"], symbols["K"], symbols["N"], name=name), 1),), True
    if operator == "attention":
        b, l, s = symbols["B"], symbols["L"], symbols["S"]  # noqa: E741 - the formulas' letters
        scores = products(b, l, symbols["D"], s, name=f"{name}.scores")
        mixed = products(b, l, s, symbols["D_v"], name=f"{name}.values")
        return ((scores, 1), (mixed, 1)), False
    if operator.startswith("locally_connected"):
        positions = row.elements // (symbols["N"] * symbols["C_out"])
        terms = row.macs // row.elements
        return ((products(positions, symbols["N"], terms, symbols["C_out"], name=name), 1),), False
    if row.operator.product is None:
        return (), False
    b, m, n, k, g = (formula(text)(symbols) for text in row.operator.product)
    b *= g
    if b * m * k * n != row.macs:
        return (), False
    shapes = network.shapes_of(node.inputs)
    if operator == "matmul" and max(shapes[1][:-2], default=1) == 1:
        return ((dense(b * m, k, n, name=name), 1),), True
    same = operator == "matmul" and shapes[0][:-2] == shapes[1][:-2]
    return ((products(b, m, k, n, name=name), 1),), same


def products(count: int, m: int, k: int, n: int, *, name: str) -> Layer:
    """Return independent products of (m, k) by (k, n) matrices as one layer.

    Examples
    --------
    >>> products(12, 128, 64, 128, name="scores").macs
    12582912

    """
    if count == 1:
        return dense(m, k, n, name=name)
    return Layer(name, "conv", channels=k, height=m, width=1, outputs=n, groups=count)


def _recurrent(plain: Step, row: NodeCounts) -> Step:
    """Return the input products of all steps at once, and the products of step after step."""
    s = row.symbols
    gates = {"rnn": 1, "gru": 3, "lstm": 4}[row.node.operator]
    n, t, hidden, out = s["N"], s["T"], s["H"], s["R"]
    parts: list[tuple[Layer, int]] = []
    repeated: list[Recurrence] = []
    for level in range(s["L"]):
        width = s["X"] if level == 0 else s["d"] * out
        layer = dense(n * t, width, gates * hidden, name=f"{row.node.name}.inputs{level}")
        parts += split_layer(layer, s["d"])
    repeated.append(Recurrence(s["d"] * s["L"], t, n, out, gates * hidden))
    if s["pi"]:
        repeated.append(Recurrence(s["d"] * s["L"], t, n, hidden, out))
    return replace(plain, how="recurrent", parts=tuple(parts), recurrences=tuple(repeated))


def split_layer(layer: Layer, times: int = 1) -> list[tuple[Layer, int]]:
    """Return pieces of a layer, and how often each is done, none with too many operations.

    The programs of the pieces one after the other are a program of the layer.

    Examples
    --------
    >>> [(p.macs, n) for p, n in split_layer(dense(2048, 12288, 49152))]
    [(1496690688, 700), (1252245504, 5), (1299419136, 140), (1087193088, 1)]

    """
    matrices = layer.window == (1, 1) and layer.width == 1
    most = _GROUPS if matrices else layer.groups
    if layer.macs <= _MACS and layer.groups <= most:
        return [(layer, times)]
    for part, whole in (("images", layer.images), ("groups", layer.groups)):
        if whole > 1:
            count = max(1, min(whole - 1, _MACS * whole // layer.macs, most))
            pieces = [(count, whole // count), (whole % count, 1)]
            return [
                found
                for size, n in pieces
                if size
                for found in split_layer(_with(layer, part, size), times * n)
            ]
    if layer.kind != "dense":
        if layer.outputs == 1 or layer.macs <= 4 * _MACS:
            return [(layer, times)]
        columns = max(1, 4 * _MACS * layer.outputs // layer.macs)
        return _cut(layer, "outputs", columns, times)
    rows = min(layer.height, max(1, int((_MACS / layer.channels) ** 0.5)))
    columns = min(layer.outputs, max(1, _MACS // (layer.channels * rows)))
    rows = min(layer.height, max(1, _MACS // (layer.channels * columns)))
    made = []
    for strip, n in _cut(layer, "height", rows, times):
        made += _cut(strip, "outputs", columns, n)
    return made


def _cut(layer: Layer, part: str, size: int, times: int) -> list[tuple[Layer, int]]:
    whole, rest = divmod(getattr(layer, part), size)
    made = [(_with(layer, part, size), times * whole)]
    return [*made, (_with(layer, part, rest), times)] if rest else made


def _with(layer: Layer, part: str, size: int) -> Layer:
    changed = replace(layer, **{part: size})  # type: ignore[arg-type] # a whole number, by name
    if changed.kind == "conv" and changed.groups * changed.images == 1:
        flat = changed.window == (1, 1) and changed.width == 1 and changed.stride == (1, 1)
        if flat and not any((*changed.padding, *changed.trailing)):
            return replace(changed, kind="dense")
    return changed
