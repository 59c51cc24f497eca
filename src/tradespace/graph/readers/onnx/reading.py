"""Runs the nodes of an ONNX model in order: constants are computed, the rest is recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tradespace.core.errors import GraphError
from tradespace.graph.builder import Builder
from tradespace.graph.network import Shape
from tradespace.graph.readers.onnx.constants import SMALL, fold
from tradespace.graph.readers.onnx.formats import (
    attributes_of,
    code_of,
    constant,
    float_codes,
    format_of,
    format_of_array,
    is_open,
    numbers_of,
    shape_and_format,
)
from tradespace.graph.readers.onnx.model import living, names_read, ordered
from tradespace.graph.readers.onnx.patterns import folded_note, group_norms, layer_norms
from tradespace.graph.readers.onnx.recorder import (
    MADE_UP,
    Call,
    Item,
    Recorder,
    UndeterminedError,
    role_by_name,
)

if TYPE_CHECKING:
    import onnx

#: Floats that may be part of a shape or a scale: read when a file is.
_FEW = 1 << 10


class Reading:
    """A model while it is read: runs its nodes in order, those of branches taken included."""

    def __init__(self, model: onnx.ModelProto, builder: Builder) -> None:
        from tradespace.graph.readers.onnx import (
            movement,
            norms,
            pointwise,
            sequence,
        )
        from tradespace.graph.readers.onnx.layers import HANDLERS

        # They add their handlers.
        del movement, norms, pointwise, sequence
        self._handlers = HANDLERS
        self._opsets = {o.domain or "ai.onnx": o.version for o in model.opset_import}
        self._opsets.setdefault("ai.onnx", 1)
        self._ir_version = model.ir_version
        self.at = ""
        self._declared: dict[str, Any] = {}
        self._inferred: dict[int, list[tuple[Shape, str]]] = {}
        self._numbers: dict[str, Callable[[], NDArray[Any] | None]] = {}
        self._learned: list[str] = []
        self._calls: list[Call] = []
        self.recorder = Recorder(
            builder,
            infer=self._infer,
            initializers=self._numbers,
            trained_names=model.producer_name in ("pytorch", "tradespace"),
        )

    # ------------------------------------------------------------------------------ graphs

    def run(self, graph: Any) -> None:
        """Record the nodes of a graph."""
        r = self.recorder
        r.outputs = frozenset(o.name for o in graph.output)
        self._initializers(graph)
        for item in graph.value_info:
            self._declared[item.name] = item
        nodes = ordered(graph.node, {i.name for i in graph.input} | set(r.items))
        for node in nodes:
            if node.op_type == "Constant":
                r.keep(node.output[0], constant(self._call(node)))
        nodes = group_norms(layer_norms(living(nodes, r.outputs), r.outputs), r.outputs, self._size)
        calls = [self._call(node) for node in nodes]
        for call in calls:
            for name in {n for n in names_read(call.node) if n}:
                r.readers.setdefault(name, []).append(call)
        # What depends on no input first, so that a bias is known before the layer it belongs to.
        for call in calls:
            if all(not n or n in r.items for n in call.node.input) and not self._takes_signal(call):
                self._constants(call)
        for call in calls:
            if not all(not n or n in r.items for n in call.outputs) or not call.outputs:
                self._step(call)

    def _size(self, name: str) -> int:
        """Return the elements of an initializer; 0 of what is none."""
        held = self.recorder.items.get(name)
        return held.elements if held is not None and held.value is None else 0

    def _takes_signal(self, call: Call) -> bool:
        names = [n for n in call.node.input if n]
        return call.op in ("If", "Loop", "Scan") or any(
            self.recorder.is_signal(self.recorder.items[n]) for n in names
        )

    def _initializers(self, graph: Any) -> None:
        import onnx

        for tensor in graph.initializer:
            self._numbers[tensor.name] = numbers_of(tensor)
            fmt, shape = format_of(tensor.data_type), tuple(int(n) for n in tensor.dims)
            item = Item(shape, fmt, held=(tensor.name,))
            if item.elements <= (SMALL if fmt.startswith(("int", "bool")) else _FEW):
                item.array = self._numbers[tensor.name]()
            self.recorder.keep(tensor.name, item)
            if tensor.data_type in float_codes():
                self._learned.append(tensor.name)
        for sparse in graph.sparse_initializer:
            held = sparse.values.name
            fmt = format_of(sparse.values.data_type)
            self.recorder.keep(held, Item(tuple(sparse.dims), fmt, held=(held,)))
        del onnx

    def _call(self, node: Any) -> Call:
        domain = node.domain or "ai.onnx"
        op = node.op_type
        known = f"ms.{op}" if domain == "com.microsoft" else op
        label = node.name or next((n for n in node.output if n), op)
        label = " ".join(label.split())
        label = label.removesuffix(f"/{op}").removeprefix("/").replace("/", ".") or label
        call = Call(known, label, [], list(node.output), attributes_of(node), node)
        call.opset = self._opsets.get(domain, 1)
        if domain not in ("ai.onnx", "com.microsoft"):
            call.op = f"{domain}.{op}"
        return call

    # ------------------------------------------------------------------------------- nodes

    def _step(self, call: Call) -> None:
        r = self.recorder
        self.at = call.name
        if id(call.node) in r.merged:
            r.items[call.outputs[0]] = r.items[r.merged[id(call.node)]]
            return
        call.inputs = [r.items.get(n) if n else None for n in call.node.input]
        if call.op in ("Shape", "Size"):
            self._measured(call)
        elif call.op == "If" and self._branch(call):
            return
        elif call.op not in ("If", "Loop", "Scan") and not any(r.is_signal(i) for i in call.inputs):
            self._constants(call)
        else:
            self._signal(call)

    def _signal(self, call: Call) -> None:
        r = self.recorder
        handler = self._handlers.get(call.op)
        plain = call.op.removeprefix("ms.")
        if handler is None:
            call.inputs += self._captured(call)
            r.unknown(call, plain)
            return
        known = call.op
        call.op = plain
        if known.startswith("ms."):
            call.attributes.setdefault("domain", "ms")
        try:
            handler(r, call)
        except UndeterminedError as error:
            r.notes.append(f"{plain} is not counted: {error}.")
            r.unknown(call, plain)
        except GraphError:
            if not r.uncertain:
                raise
            # The shapes before it were guesses.
            r.unknown(call, plain)

    def _captured(self, call: Call) -> list[Item | None]:
        """Return the weights that the inner graphs of a node hold or take from outside."""
        found: dict[str, Item] = {}
        for attribute in call.node.attribute:
            for graph in (attribute.g, *attribute.graphs):
                self._initializers(graph)
                for node in graph.node:
                    for name in node.input:
                        item = self.recorder.items.get(name)
                        if item is not None and item.value is None and item.held:
                            found[name] = item
        return list(found.values())

    def _measured(self, call: Call) -> None:
        item = call.item(0)
        if call.op == "Size":
            made = np.asarray(item.elements, np.int64)
        else:
            start, end = call.attributes.get("start", 0), call.attributes.get("end")
            made = np.asarray(item.shape[start:end], np.int64)
        self.recorder.items[call.outputs[0]] = Item(made.shape, "int64", array=made)

    def _branch(self, call: Call) -> bool:
        """Take the branch of a condition that is known; return whether it is."""
        r, condition = self.recorder, call.item(0)
        if condition.array is None:
            r.notes.append(f"{call.name!r} branches on data; neither branch is counted.")
            return False
        taken = call.attributes["then_branch" if condition.array.item() else "else_branch"]
        outer = r.outputs
        self.run(taken)
        r.outputs = outer
        for name, output in zip(call.outputs, taken.output, strict=True):
            r.items[name] = r.items[output.name]
        return True

    def _constants(self, call: Call) -> None:
        """Compute what depends on no input, or find at least its shape."""
        r = self.recorder
        self.at = call.name
        call.inputs = [r.items.get(n) if n else None for n in call.node.input]
        if call.op == "Constant":
            r.keep(call.outputs[0], constant(call))
            return
        if call.op in ("Shape", "Size"):
            self._measured(call)
            return
        if "Sequence" in call.op and call.op in self._handlers:
            self._signal(call)
            return
        # The scale and zero point of a quantized weight are no part of it.
        taken = call.inputs[:1] if "Dequantize" in call.op else call.inputs
        weights = [i for i in taken if i is not None and i.format not in ("int64", "bool")]
        held = tuple(dict.fromkeys(n for i in weights for n in i.held))
        arrays = [i.array if i is not None else None for i in call.inputs]
        known = all(i is None or i.array is not None for i in call.inputs)
        results = fold(call.op, arrays, call.attributes) if known else None
        if results is not None:
            for name, array in zip(call.outputs, results, strict=False):
                r.items[name] = Item(array.shape, format_of_array(array), held=held, array=array)
            return
        try:
            made = self._infer(call)
        except UndeterminedError:
            r.unknown(call, call.op)
            return
        quantized = "Dequantize" in call.op and call.inputs[0] is not None
        for name, (shape, fmt) in zip(call.outputs, made, strict=True):
            own = call.item(0).format if quantized else fmt
            if name:
                r.items[name] = Item(shape, "fp32" if own.startswith("int") else own, held=held)

    # -------------------------------------------------------------------------- inference

    def _infer(self, call: Call) -> list[tuple[Shape, str]]:
        """Return shape and format of every output, as onnx infers them from what is known."""
        key = id(call.node)
        if key not in self._inferred:
            self._inferred[key] = self._by_schema(call)
        return self._inferred[key]

    def _by_schema(self, call: Call) -> list[tuple[Shape, str]]:
        import onnx
        from onnx.shape_inference import InferenceError, infer_node_outputs

        if any(i is not None and i.parts is not None for i in call.inputs):
            msg = f"the shape of what {call.name!r} gives depends on a sequence"
            raise UndeterminedError(msg)
        types, data = {}, {}
        for name, item in zip(call.node.input, call.inputs, strict=False):
            if not name or item is None:
                continue
            types[name] = onnx.helper.make_tensor_type_proto(code_of(item), item.shape)
            if item.array is not None and item.array.size <= _FEW:
                data[name] = onnx.numpy_helper.from_array(item.array, name)
        found: dict[str, Any] = {}
        try:
            schema = onnx.defs.get_schema(call.node.op_type, call.opset, call.node.domain)
            opsets = [onnx.helper.make_opsetid(d, v) for d, v in self._opsets.items()]
            found = infer_node_outputs(
                schema, call.node, types, data, opset_imports=opsets, ir_version=self._ir_version
            )
        except (onnx.defs.SchemaError, onnx.checker.ValidationError, InferenceError, RuntimeError):
            found = {}  # an operator from elsewhere: what the file says of its results may help
        results = []
        for name in call.outputs:
            made = found.get(name)
            if made is None or is_open(made):
                made = self._declared[name].type if name in self._declared else made
            if name and (made is None or is_open(made)):
                msg = f"the shape of what {call.name!r} gives depends on data"
                raise UndeterminedError(msg)
            results.append(shape_and_format(made) if made is not None else ((), "fp32"))
        return results

    # ---------------------------------------------------------------------------- the rest

    def rest_of_parameters(self) -> None:
        """Count the floating-point initializers that nothing has used so far, but for scalars."""
        for name in self._learned:
            unread = name not in self.recorder.readers and name not in self.recorder.weights
            if unread and self.recorder.items[name].elements > 1:
                item = Item((), "fp32", held=(name,))
                self.recorder.declare(item, role_by_name(name), "unused")

    def closing_notes(self, graph: Any) -> Iterable[str]:
        """Yield what a reader of the counts has to know."""
        note = folded_note(list(graph.node), set(self._numbers))
        if note:
            yield note
        guessed = {n: e for n, e in self.recorder.guessed.items() if MADE_UP.match(n)}
        if guessed:
            yield (
                f"{len(guessed)} arrays ({sum(guessed.values())} numbers) that meet signals "
                "element by element have names that the exporter made up: counted as parameters, "
                "though it may have computed them from smaller ones."
            )
        if self.recorder.uncertain:
            names = ", ".join(self.recorder.uncertain[:3])
            yield (
                f"Shapes after {names} are guesses: that operator is not known and the file does "
                "not say what it gives."
            )
