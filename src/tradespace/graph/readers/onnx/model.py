"""An ONNX file before it is read as a network: loading, order, functions, shapes of inputs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tradespace.core.errors import GraphError
from tradespace.graph.network import Shape
from tradespace.graph.readers.inputs import Shapes, given_shapes, shape_text

if TYPE_CHECKING:
    import onnx

_BATCH = re.compile(r"(batch\w*|\w*batch|bs|n|b|s\d+|none|unk_\w*|\?)?", re.IGNORECASE)


def load(source: Any) -> onnx.ModelProto:
    """Return a model; weights in files beside it are not read.

    Raises
    ------
    GraphError
        If it is no ONNX model, or uses operators from the future.

    """
    import onnx

    if isinstance(source, onnx.ModelProto):
        model = source
    else:
        path = Path(source)
        try:
            model = onnx.load(str(path), load_external_data=False)
        except FileNotFoundError:
            msg = f"There is no file {path.name!r}."
            raise GraphError(msg, remedy="Check the path.") from None
        except Exception as error:  # whatever a damaged file makes the parser raise
            msg = f"{path.name!r} is no whole ONNX model: {_first_line(error)}."
            remedy = "It may be cut short: copy or export it again."
            raise GraphError(msg, remedy=remedy) from None
    what = "The model" if isinstance(source, onnx.ModelProto) else repr(Path(source).name)
    if not model.graph.node and not model.graph.output:
        msg = f"{what} holds no ONNX graph."
        raise GraphError(msg, remedy="Give an ONNX model; export it again if it is cut short.")
    known = onnx.defs.onnx_opset_version()
    for wanted in model.opset_import:
        if wanted.domain in ("", "ai.onnx") and wanted.version > known:
            msg = (
                f"{what} uses operator set {wanted.version}; the installed onnx library "
                f"{onnx.__version__} knows operator sets up to {known}."
            )
            remedy = f"Update onnx, or export the model with opset_version={known} or lower."
            raise GraphError(msg, remedy=remedy)
    return _inlined(model, what)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0][:200] if lines else type(error).__name__).rstrip(".")


def _inlined(model: onnx.ModelProto, what: str) -> onnx.ModelProto:
    """Return the model with its own functions expanded."""
    if not model.functions:
        return model
    import onnx.inliner

    try:
        return onnx.inliner.inline_local_functions(model)
    except RuntimeError as error:
        msg = f"The functions of {what} cannot be expanded: {_first_line(error)}."
        raise GraphError(msg, remedy="Check the file with onnx.checker.") from None


def ordered(
    nodes: Sequence[Any], given: set[str], outer: frozenset[str] = frozenset()
) -> list[Any]:
    """Return the nodes so that each stands after those it needs.

    Raises
    ------
    GraphError
        If nodes need each other, or a tensor that nobody makes.

    """
    made = {name for node in nodes for name in node.output if name}
    ready, waiting, result = set(given) | set(outer), list(nodes), []
    while waiting:
        left = []
        for node in waiting:
            if all(name in ready for name in _needs(node, made) if name):
                result.append(node)
                ready.update(node.output)
            else:
                left.append(node)
        if len(left) == len(waiting):
            _cannot_order(left, ready, made)
        waiting = left
    return result


def living(nodes: Sequence[Any], outputs: Iterable[str]) -> list[Any]:
    """Return the nodes whose results reach an output: runtimes leave out the others."""
    wanted = set(outputs)
    kept = []
    for node in reversed(nodes):
        if any(name in wanted for name in node.output):
            kept.append(node)
            wanted.update(names_read(node))
    return kept[::-1]


def names_read(node: Any) -> list[str]:
    """Return the tensors that a node or the graphs inside it read."""
    names = list(node.input)
    for attribute in node.attribute:
        for graph in (attribute.g, *attribute.graphs):
            names += [o.name for o in graph.output]
            for inner in graph.node:
                names += names_read(inner)
    return names


def _needs(node: Any, made: set[str]) -> list[str]:
    """Return the tensors that a node needs, also those that its inner graphs take from outside."""
    names = list(node.input)
    for attribute in node.attribute:
        for graph in (attribute.g, *attribute.graphs):
            for inner in graph.node:
                own = {n for other in graph.node for n in other.output}
                names += [n for n in _needs(inner, made) if n in made and n not in own]
    return names


def _cannot_order(left: Sequence[Any], ready: set[str], made: set[str]) -> None:
    for node in left:
        for name in node.input:
            if name and name not in ready and name not in made:
                msg = f"Node {_label(node)} needs {name!r}, which nothing makes."
                remedy = "Export the model again; this file is damaged."
                raise GraphError(msg, remedy=remedy)
    names = ", ".join(_label(n) for n in left[:3])
    msg = f"The nodes {names} need each other: the graph runs in a circle."
    raise GraphError(msg, remedy="Export the model again; write recurrence as Loop or Scan.")


def _label(node: Any) -> str:
    """Return how an error names a node."""
    name = node.name or next((n for n in node.output if n), "")
    return f"{name!r} ({' '.join(node.op_type.split())})"


def input_shapes(
    model: onnx.ModelProto, shapes: Shapes | None
) -> tuple[dict[str, Shape], list[str], GraphError | None]:
    """Return the shape of every input, notes on what was assumed, and an error to keep.

    The error is for a batch that the file fixes and that was asked for otherwise: it is to be
    raised if the network cannot be read with it.

    A first dimension that alone is open and is a batch is taken as 1; every other open
    dimension has to be given.

    Raises
    ------
    GraphError
        If a dimension is open, or a given shape does not fit.

    """
    held = {i.name for i in model.graph.initializer}
    for item in model.graph.input:
        if not item.type.HasField("tensor_type"):
            msg = f"Input {item.name!r} is no tensor but a sequence or an option."
            raise GraphError(msg, remedy="Export a model that takes tensors.")
    declared = {i.name: _declared(i) for i in model.graph.input if i.name not in held}
    given = given_shapes(shapes, list(declared))
    symbols: dict[str, int] = {}
    notes: list[str] = []
    for name, shape in given.items():
        _match(name, declared[name], shape, symbols, notes)
    found: dict[str, Shape] = {}
    open_ones: list[tuple[str, int, str]] = []
    for name, sizes in declared.items():
        if name in given:
            found[name] = given[name]
            continue
        if sizes is None:
            msg = f"Input {name!r} has no shape in the file."
            raise GraphError(msg, remedy=f"Give its shape: --input {name}=8x3x224x224.")
        filled = [symbols.get(n, n) if isinstance(n, str) else n for n in sizes]
        open_ones += [(name, i, n) for i, n in enumerate(filled) if isinstance(n, str)]
        found[name] = tuple(n if isinstance(n, int) else 1 for n in filled)
    if open_ones and not all(i == 0 and _BATCH.fullmatch(n) for _, i, n in open_ones):
        raise _ask(open_ones, declared)
    if open_ones and not given:
        notes.append("The batch is left open in the file; taken as 1.")
    forced = next((n for n in notes if n.startswith("The file fixes")), None)
    if forced is None:
        return found, notes, None
    msg = forced.replace("; read with", ", and layers inside depend on it; asked for")
    remedy = "Read it with the batch of the file, or export it with an open batch."
    return found, notes, GraphError(msg, remedy=remedy)


def _declared(item: Any) -> list[int | str] | None:
    """Return the sizes of an input, names where they are open; None if it has no shape at all."""
    tensor = item.type.tensor_type
    if not tensor.HasField("shape"):
        return None
    return [
        int(d.dim_value) if d.HasField("dim_value") and d.dim_value > 0 else str(d.dim_param)
        for d in tensor.shape.dim
    ]


def _match(
    name: str,
    sizes: list[int | str] | None,
    shape: Shape,
    symbols: dict[str, int],
    notes: list[str],
) -> None:
    if sizes is None:
        return
    shown = f"({', '.join(str(n) if n else '?' for n in sizes)})"
    if len(sizes) != len(shape):
        msg = f"Input {name!r} has {len(sizes)} dimensions {shown}; got {shape_text(shape)}."
        raise GraphError(msg, remedy=f"Give {len(sizes)} sizes joined by x, batch first.")
    for i, (wanted, got) in enumerate(zip(sizes, shape, strict=True)):
        if isinstance(wanted, str):
            if wanted and symbols.setdefault(wanted, got) != got:
                msg = f"Dimension {wanted!r} is both {symbols[wanted]} and {got}."
                raise GraphError(msg, remedy="Give inputs that agree.")
        elif wanted != got and i == 0:
            notes.append(f"The file fixes the batch of {name!r} at {wanted}; read with {got}.")
        elif wanted != got:
            msg = f"Dimension {i} of input {name!r} is {wanted} in the file {shown}; got {got}."
            raise GraphError(msg, remedy=f"Give {shape_text(_example(sizes))}, or export it anew.")


def _example(sizes: Sequence[int | str]) -> Shape:
    usual = (8, 128)
    return tuple(n if isinstance(n, int) else usual[min(i, 1)] for i, n in enumerate(sizes))


def _ask(open_ones: list[tuple[str, int, str]], declared: Mapping[str, Any]) -> GraphError:
    name, index, symbol = next(o for o in open_ones if o[1] > 0 or not _BATCH.fullmatch(o[2]))
    called = f" ({symbol!r})" if symbol else ""
    msg = f"Dimension {index} of input {name!r}{called} is left open in the file."
    asked = dict.fromkeys(n for n, _, _ in open_ones)
    example = " ".join(f"--input {n}={shape_text(_example(declared[n]))}" for n in asked)
    return GraphError(msg, remedy=f"Give the shape, for example: {example}.")
