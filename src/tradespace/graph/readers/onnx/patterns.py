"""Patterns in ONNX graphs: layer normalization written out, batch norms folded at export."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

#: What exporters call the weight of a convolution that took in a batch normalization.
_FOLDED = (
    # torch's exporter before dynamo: weights that it computed have names of its own.
    (re.compile(r"onnx::Conv(Transpose)?_\d+"), re.compile(r"onnx::Conv(Transpose)?_\d+")),
    # torch's exporter with dynamo: a bias made where there was none.
    (re.compile(r".*"), re.compile(r".*\.weight_bias(_\d+)?")),
    # The writer of this library.
    (re.compile(r".*"), re.compile(r".*\.folded_bias")),
    # Converters from TensorFlow and the optimizer of onnx.
    (re.compile(r".*"), re.compile(r".*(fused_bn|bn_fused|_bn_offset|BatchNorm\w*).*")),
)


def folded_layers(nodes: Sequence[Any], initializers: set[str]) -> list[str]:
    """Return the layers that took in a batch normalization, as far as names tell.

    A convolution that had a bias before is not told from one that was given it.
    """
    found = []
    for node in nodes:
        if node.op_type not in ("Conv", "ConvTranspose", "Gemm") or len(node.input) < 3:
            continue
        weight, bias = node.input[1], node.input[2]
        telling = any(w.fullmatch(weight) and b.fullmatch(bias) for w, b in _FOLDED)
        if telling and weight in initializers and bias in initializers:
            found.append(node.name or node.output[0])
    return found


def folded_note(nodes: Sequence[Any], initializers: set[str]) -> str:
    """Return the note on batch norms that were folded at export; empty if none were."""
    found = folded_layers(nodes, initializers)
    if not found:
        return ""
    left = sum(n.op_type == "BatchNormalization" for n in nodes)
    some = f"; {left} are left" if left else ""
    layers = "1 layer" if len(found) == 1 else f"{len(found)} layers"
    return (
        f"Batch norms were folded at export into {layers} (their biases have names "
        f"that exporters give then, first {found[0]!r}){some}. Their scales, offsets and "
        "statistics are gone: fewer parameters, the same multiply-accumulates."
    )


def layer_norms(nodes: list[Any], outputs: frozenset[str]) -> list[Any]:
    """Return the nodes with every written-out layer normalization as one.

    Exporters for operator sets below 17 write (x - mean) / sqrt(variance + eps) * scale + offset.
    """
    made = {name: node for node in nodes for name in node.output if name}
    readers = _readers(nodes)
    gone: set[int] = set()
    ready: dict[int, Any] = {}
    for node in nodes:
        found = _match(node, made, readers, outputs) if node.op_type == "Div" else None
        if found is not None:
            last, inner, replacement = found
            gone.update(id(n) for n in inner)
            ready[id(last)] = replacement
    return [ready.get(id(n), n) for n in nodes if id(n) not in gone]


def group_norms(nodes: list[Any], outputs: frozenset[str], size: Callable[[str], int]) -> list[Any]:
    """Return the nodes with every written-out group normalization as one.

    torch writes an instance normalization of reshaped groups, scaled and shifted afterwards.
    `size` gives the elements of an initializer.
    """
    import onnx

    made = {name: node for node in nodes for name in node.output if name}
    readers = _readers(nodes)
    gone: set[int] = set()
    ready: dict[int, Any] = {}
    for node in nodes:
        if node.op_type != "InstanceNormalization":
            continue
        before: Any = made.get(node.input[0])
        if not _is(before, "Reshape"):
            continue
        steps, operands = [node], []
        for op in ("Reshape", "Mul", "Add"):
            output = steps[-1].output[0]
            following = readers.get(output, [])
            if len(following) != 1 or following[0].op_type != op or output in outputs:
                break
            steps.append(following[0])
            operands += [n for n in following[0].input if n != output and op != "Reshape"]
        groups = size(node.input[1])
        if len(steps) < 4 or not groups or len(readers[before.output[0]]) != 1:
            continue
        gone.update(id(n) for n in (before, *steps[:-1]))
        ready[id(steps[-1])] = onnx.helper.make_node(
            "GroupNormalization",
            [before.input[0], *operands],
            list(steps[-1].output),
            name=steps[-1].name,
            num_groups=groups,
        )
    return [ready.get(id(n), n) for n in nodes if id(n) not in gone]


def _readers(nodes: Sequence[Any]) -> dict[str, list[Any]]:
    readers: dict[str, list[Any]] = {}
    for node in nodes:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    return readers


def _match(
    division: Any, made: dict[str, Any], readers: dict[str, list[Any]], outputs: frozenset[str]
) -> tuple[Any, list[Any], Any] | None:
    import onnx

    difference: Any = made.get(division.input[0])
    root: Any = made.get(division.input[1])
    if not _is(difference, "Sub") or not _is(root, "Sqrt"):
        return None
    mean: Any = made.get(difference.input[1])
    total: Any = made.get(root.input[0])
    if not _is(mean, "ReduceMean") or not _is(total, "Add"):
        return None
    signal = difference.input[0]
    both = [made.get(n) for n in total.input]
    variance: Any = next((n for n in both if _is(n, "ReduceMean")), None)
    square = made.get(variance.input[0]) if variance is not None else None
    if mean.input[0] != signal or square is None or square.op_type not in ("Pow", "Mul"):
        return None
    if square.input[0] != difference.output[0]:
        return None
    inner = [division, difference, root, mean, total, variance, square]
    steps: list[Any] = [division]
    operands = []
    for op in ("Mul", "Add"):
        output = steps[-1].output[0]
        following = readers.get(output, [])
        if len(following) != 1 or following[0].op_type != op or output in outputs:
            return None
        steps.append(following[0])
        operands.append(next(n for n in following[0].input if n != output))
    inner += steps[1:-1]
    outside = [n for node in inner for n in node.output if n in outputs]
    ours = {id(n) for n in (*inner, steps[-1])}
    leaks = [
        r for node in inner for o in node.output for r in readers.get(o, []) if id(r) not in ours
    ]
    if outside or leaks:
        return None
    axes = [n for a in mean.attribute if a.name == "axes" for n in a.ints]
    replacement = onnx.helper.make_node(
        "LayerNormalization",
        [signal, *operands],
        [steps[-1].output[0]],
        name=re.sub(r"/Add\w*$", "", steps[-1].name) or steps[-1].name,
        axis=min(axes, default=-1),
    )
    return steps[-1], inner, replacement


def _is(node: Any, op: str) -> bool:
    return node is not None and bool(node.op_type == op)
