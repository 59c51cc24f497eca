"""What a network counts: parameters, neurons, multiply-accumulates, by named conventions."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tradespace.core.errors import GraphError
from tradespace.core.suggest import unknown
from tradespace.graph.formulas import formula
from tradespace.graph.network import Network, Node
from tradespace.graph.operators import Operator, operator

#: How parameters can be counted.
PARAMETER_CONVENTIONS = {
    "trainable": "weights, biases, scales and offsets that training changes; tied ones once",
    "all": "trainable ones and running statistics, as Keras counts",
    "weights": "weights alone: no biases, no normalization",
    "shared-bias": "weights and one bias for each layer with biases",
}
#: How neurons can be counted, for one sample.
NEURON_CONVENTIONS = {
    "layers": "outputs of every convolutional and dense layer, input and pooling excluded",
    "layers+input": "the same with the elements of the input",
    "layers+residual": "the same (without the input) with the sums of residual connections",
    "channels": "channels of every convolutional and dense layer",
    "activations": "outputs of every operator that computes (also normalization, activation, "
    "pooling); sums, joins and products of signals excluded",
    "modules": "outputs of every module of a network of the zoo, as hooks on modules of torch see "
    "them: functions called inside a module, dropout and flattening excluded",
    "layer-modules": "of these, convolutional and dense layers alone: projections that attention "
    "does as a function excluded",
}
#: What no hook sees, or what the published counts leave out.
_NOT_MODULES = frozenset(
    ("add", "subtract", "multiply", "divide", "concatenate", "flatten", "dropout")
)
MAC_CONVENTION = (
    "one multiply-accumulate counts 1; convolutions, dense layers, recurrent layers, attention "
    "and matrix products; biases, normalization, pooling and activations are operations"
)


@functools.lru_cache(maxsize=65536)
def _evaluate(text: str, symbols: tuple[tuple[str, int], ...]) -> int:
    return formula(text)(dict(symbols))


@dataclass(frozen=True, slots=True)
class NodeCounts:
    """What one node counts, with the formulas that gave the numbers.

    `parameters` counts what the node uses, `new_parameters` what no node before used.
    """

    node: Node
    operator: Operator
    symbols: dict[str, int]
    output_shapes: tuple[tuple[int, ...], ...]
    parameters: int
    new_parameters: int
    macs: int
    operations: int
    traffic_bytes: int
    elements: int

    def formula(self, which: str = "macs", *, numbers: bool = False) -> str:
        """Return a formula, with symbols or with numbers in their place."""
        text = self.operator.text(which, self.node.attributes)
        return formula(text).with_numbers(self.symbols) if numbers else text


def node_symbols(network: Network, node: Node, op: Operator) -> dict[str, int]:
    """Return the values of all symbols that formulas of a node may use."""
    inputs = [network.tensors[i] for i in node.inputs]
    outputs = [network.tensors[i] for i in node.outputs]
    held = [network.parameters[i] for i in node.parameters]
    symbols = {
        "I": sum(t.elements for t in inputs),
        "O": sum(t.elements for t in outputs),
        "P": sum(p.elements for p in held),
        "B_in": sum(t.size_bytes for t in inputs),
        "B_out": sum(t.size_bytes for t in outputs),
        "B_w": sum(p.size_bytes for p in held),
    }
    symbols.update(
        op.symbols(tuple(t.shape for t in inputs), tuple(t.shape for t in outputs), node.attributes)
    )
    return symbols


def node_counts(network: Network) -> list[NodeCounts]:
    """Return the counts of every node, in order."""
    seen: set[int] = set()
    rows = []
    for node in network.nodes:
        op = operator(node.operator)
        symbols = node_symbols(network, node, op)
        key = tuple(symbols.items())
        new = [i for i in dict.fromkeys(node.parameters) if i not in seen]
        seen.update(new)
        rows.append(
            NodeCounts(
                node=node,
                operator=op,
                symbols=symbols,
                output_shapes=network.shapes_of(node.outputs),
                parameters=sum(network.parameters[i].elements for i in set(node.parameters)),
                new_parameters=sum(network.parameters[i].elements for i in new),
                macs=_evaluate(op.text("macs", node.attributes), key),
                operations=_evaluate(op.text("operations", node.attributes), key),
                traffic_bytes=_evaluate(op.text("traffic", node.attributes), key),
                elements=symbols["O"],
            )
        )
    return rows


def forward_macs(network: Network) -> int:
    """Return the multiply-accumulates of a forward pass."""
    return sum(row.macs for row in node_counts(network))


def needs_gradient(network: Network) -> list[bool]:
    """Return, for each tensor, whether a gradient flows into it in training."""
    wanted = [False] * len(network.tensors)
    for node in network.nodes:
        learned = any(network.parameters[i].trainable for i in node.parameters)
        if learned or any(wanted[i] for i in node.inputs):
            for i in node.outputs:
                wanted[i] = True
    return wanted


def backward_macs(network: Network, *, rows: Sequence[NodeCounts] | None = None) -> int:
    """Return the multiply-accumulates of a backward pass, exactly.

    The gradient of each operand of a product takes as many as the product: twice the forward
    pass, less the gradients that nobody asks for (of the network's input, of frozen weights).
    `rows` are the counts of the nodes where they are at hand already.
    """
    wanted = needs_gradient(network)
    total = 0
    for row in node_counts(network) if rows is None else rows:
        if not row.macs:
            continue
        signals = [i for i in row.node.inputs if wanted[i]]
        if row.operator.kind in ("attention",):
            total += 2 * row.macs if signals else 0
        elif row.node.parameters:
            learned = any(
                network.parameters[i].trainable and network.parameters[i].role != "bias"
                for i in row.node.parameters
            )
            total += row.macs * int(learned)
            key = tuple(row.symbols.items())
            of_input = _evaluate(row.operator.text("input_macs", row.node.attributes), key)
            # What a layer feeds back to itself needs its gradient in any case.
            total += row.macs if signals else row.macs - of_input
        else:
            total += row.macs * min(2, len(signals))
    return total


def unknown_nodes(network: Network) -> list[Node]:
    """Return the nodes whose operator is not known: totals are then lower bounds."""
    return [node for node in network.nodes if node.operator == "unknown"]


def coverage(network: Network) -> float:
    """Return the share of operators that are counted, views aside."""
    counted = [n for n in network.nodes if operator(n.operator).kind != "view"]
    if not counted:
        return 1.0
    return 1.0 - sum(n.operator == "unknown" for n in counted) / len(counted)


def parameters(network: Network, convention: str = "trainable") -> int:
    """Return the number of parameters in a convention of `PARAMETER_CONVENTIONS`."""
    check_convention("convention for parameters", convention, PARAMETER_CONVENTIONS)
    held = network.parameters
    if convention == "trainable":
        return sum(p.elements for p in held if p.trainable)
    if convention == "all":
        return sum(p.elements for p in held if p.role != "constant")
    weights = sum(p.elements for p in held if p.role in ("weight", "embedding", "position"))
    if convention == "weights":
        return weights
    return weights + len({p.name.rpartition(".")[0] for p in held if p.role == "bias"})


def parameters_by_role(network: Network) -> dict[str, int]:
    """Return the elements of the parameters by role."""
    totals: dict[str, int] = {}
    for p in network.parameters:
        totals[p.role] = totals.get(p.role, 0) + p.elements
    return totals


def neurons(
    network: Network, convention: str = "layers", *, rows: Sequence[NodeCounts] | None = None
) -> int:
    """Return the number of neurons for one sample, in a convention of `NEURON_CONVENTIONS`.

    `rows` are the counts of the nodes where they are at hand already.
    """
    check_convention("convention for neurons", convention, NEURON_CONVENTIONS)
    rows = node_counts(network) if rows is None else rows
    layers = [row for row in rows if row.operator.weighted]
    if convention == "channels":
        return sum(_channels(row) for row in layers)
    if convention in ("modules", "layer-modules"):
        seen = [row for row in (rows if convention == "modules" else layers) if _is_module(row)]
        return _one(network, sum(row.elements for row in seen))
    if convention == "activations":
        counted = [row for row in rows if _computes(row)]
        return _one(network, sum(row.elements for row in counted))
    total = _one(network, sum(row.elements + _inside(row) for row in layers))
    if convention == "layers+input":
        total += _one(network, sum(network.tensors[i].elements for i in network.inputs))
    if convention == "layers+residual":
        held = {i for r in rows if r.node.operator == "fill" for i in r.node.outputs}
        sums = [r for r in rows if r.node.operator == "add" and len(r.node.inputs) > 1]
        joined = [r for r in sums if not held.intersection(r.node.inputs)]
        total += _one(network, sum(row.elements for row in joined))
    return total


def _inside(row: NodeCounts) -> int:
    """Return the outputs of recurrent layers under the last one of a stack."""
    if row.operator.kind != "recurrent":
        return 0
    symbols = row.symbols
    width = symbols["d"] * symbols["R"]
    return symbols["N"] * symbols["T"] * width * (symbols["L"] - 1)


def _is_module(row: NodeCounts) -> bool:
    """Return whether a node is a module: names with a colon are functions."""
    return ":" not in row.node.name and row.node.operator not in _NOT_MODULES


def _computes(row: NodeCounts) -> bool:
    joins = ("add", "multiply", "concatenate", "subtract", "divide")
    moving = row.operator.kind in ("view", "movement")
    return not moving and row.node.operator not in joins


def _channels(row: NodeCounts) -> int:
    shape = row.output_shapes[0]
    if row.operator.kind == "recurrent":
        return shape[-1] * row.symbols["L"]
    return shape[-1] if row.node.operator == "dense" else shape[1]


def _one(network: Network, total: int) -> int:
    return total // network.batch


def check_convention(what: str, name: str, known: dict[str, str]) -> None:
    """Raise a GraphError if a convention is not known."""
    if name not in known:
        raise unknown(GraphError, what, name, known)


def depth(network: Network) -> int:
    """Return the number of layers with weights on the longest path."""
    levels: dict[int, int] = {}
    longest = 0
    for node in network.nodes:
        below = max((levels.get(i, 0) for i in node.inputs), default=0)
        op = operator(node.operator)
        level = below + int(op.weighted) * int(node.attributes.get("layers", 1))
        longest = max(longest, level)
        for i in node.outputs:
            levels[i] = level
    return longest


def totals(network: Network, rows: Sequence[NodeCounts] | None = None) -> dict[str, Any]:
    """Return the totals that every table shows, in the usual conventions."""
    rows = node_counts(network) if rows is None else rows
    roles = parameters_by_role(network)
    macs = sum(row.macs for row in rows)
    operations = sum(row.operations for row in rows)
    moved = sum(row.traffic_bytes for row in rows)
    return {
        "parameters": parameters(network),
        "parameters_by_role": roles,
        "statistics": roles.get("statistic", 0),
        "neurons": neurons(network, rows=rows),
        "macs": macs,
        "operations": 2 * macs + operations,
        "backward_macs": backward_macs(network, rows=rows),
        "traffic_bytes": moved,
        "arithmetic_intensity": (2 * macs + operations) / moved if moved else 0.0,
        "depth": depth(network),
        "coverage": coverage(network),
        "lower_bound": bool(unknown_nodes(network)),
    }
