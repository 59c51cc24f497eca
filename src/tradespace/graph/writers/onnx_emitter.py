"""Collects the nodes and weights of an ONNX model while a network is written."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from tradespace.core.errors import GraphError
from tradespace.graph.formats import FLOATS
from tradespace.graph.handlers import Handlers
from tradespace.graph.network import Network, Node, Shape, Tensor
from tradespace.graph.writers.graph_builder import GraphBuilder


def _bfloat16() -> Any:
    import ml_dtypes

    return ml_dtypes.bfloat16


#: Number format -> numpy's type, made when it is needed.
DTYPES: dict[str, Callable[[], Any]] = {
    "fp64": lambda: np.float64,
    "fp32": lambda: np.float32,
    "tf32": lambda: np.float32,
    "fp16": lambda: np.float16,
    "bf16": _bfloat16,
    "int64": lambda: np.int64,
    "int32": lambda: np.int32,
    "int16": lambda: np.int16,
    "uint8": lambda: np.uint8,
    "bool": lambda: np.bool_,
}


def code_of(fmt: str) -> int:
    """Return the code of ONNX for a number format."""
    return int(onnx.helper.np_dtype_to_tensor_dtype(np.dtype(DTYPES[fmt]())))


_SWAPS = ("transpose", "permute", "t", "swapaxes", "movedim", "numpy_T", "adjoint")


Handler = Callable[["Emitter", Node], None]
#: Operator of ours -> what writes it.
HANDLERS: Handlers[Handler] = Handlers()
writes = HANDLERS.handles


class Emitter(GraphBuilder):
    """The model so far: names of tensors, their shapes and formats."""

    def __init__(self, network: Network, *, rng: np.random.Generator, fold: bool) -> None:
        super().__init__()
        self.network = network
        self.known: dict[str, tuple[Shape, str]] = {}
        self._rng = rng
        self._of: dict[int, str] = {}
        self._weights: dict[int, str] = {}
        self._constants: dict[tuple[Any, ...], str] = {}
        self._place = 0
        self._where = network.name
        self._uses = Counter(i for node in network.nodes for i in node.parameters)
        self.folded = _folded(network) if fold else {}
        self._gone: set[int] = set()

    # ---------------------------------------------------------------------- what is there

    def begin(self, node: Node) -> None:
        """Say which node the following ones are for."""
        self._where = node.name or node.operator
        self._place = 0

    def fresh(self) -> str:
        """Return the name of the next tensor of a node."""
        self._place += 1
        return f"{self._where}:{self._place - 1}"

    def label(self) -> str:
        """Return the name of the next node."""
        return self._where if self._place <= 1 else f"{self._where}/{self._place}"

    def declare(self, name: str, shape: Shape, fmt: str) -> str:
        """Say what a name stands for."""
        self.known[name] = (tuple(shape), fmt)
        return name

    def bind(self, position: int, name: str) -> None:
        """Say that a tensor of the network is the one of a name."""
        self._of[position] = name

    def shape(self, name: str) -> Shape:
        """Return the shape behind a name."""
        return self.known[name][0]

    def input(self, position: int, fmt: str | None = None) -> str:
        """Return the name of a tensor of the network, in a format if one is given."""
        name = self._of[position]
        return name if fmt is None else self.cast(name, fmt)

    def made(self, node: Node) -> Tensor:
        """Return the first output of a node as the network has it."""
        return self.network.tensors[node.outputs[0]]

    def first(self, node: Node) -> tuple[str, str]:
        """Return the first input of a node in the format of its first output, and that format."""
        fmt = self.made(node).format
        return self.input(node.inputs[0], fmt), fmt

    def result(self, node: Node, name: str, which: int = 0) -> None:
        """Bind an output of a node, in the shape and format that the network has."""
        tensor = self.network.tensors[node.outputs[which]]
        self.bind(node.outputs[which], self.cast(self.fit(name, tensor.shape), tensor.format))

    def check(self, node: Node) -> None:
        """Make sure that every output was written.

        Raises
        ------
        GraphError
            If one was not.

        """
        missing = [i for i in node.outputs if i not in self._of]
        if missing:
            msg = f"{node.name!r} ({node.operator}) left {len(missing)} outputs unwritten."
            raise GraphError(msg, remedy="Report it: a writer has to write every output.")

    def named_output(self, position: int, name: str) -> tuple[str, str, int, Shape]:
        """Return an output of the network as `model` takes it."""
        tensor = self.network.tensors[position]
        return self._of[position], name, code_of(tensor.format), tensor.shape

    def output(self, tensor: str, public: str) -> None:
        """Give a tensor the name of an output."""
        # A layer may have the name of the output.
        self._where, self._place = f"{public}/output", 0
        super().output(tensor, public)

    # --------------------------------------------------------------------------- nodes

    def many(
        self,
        op: str,
        inputs: Sequence[str],
        shapes: Sequence[Shape],
        fmt: str,
        **attributes: Any,
    ) -> list[str]:
        """Add a node with several outputs; return their names."""
        made: str | list[str] = self.add(op, *inputs, n=len(shapes), **attributes)
        names = [made] if isinstance(made, str) else made
        return [self.declare(name, shape, fmt) for name, shape in zip(names, shapes, strict=True)]

    def write(
        self,
        node: Node,
        op: str,
        inputs: Sequence[str],
        shape: Sequence[int] | None = None,
        **attributes: Any,
    ) -> None:
        """Write a node of the network as one of ONNX, which may give another shape."""
        made = self.made(node)
        shape = made.shape if shape is None else shape
        self.result(node, self.node(op, inputs, shape, made.format, **attributes))

    def node(
        self, op: str, inputs: Sequence[str], shape: Sequence[int], fmt: str, **attributes: Any
    ) -> str:
        """Add a node with one output; return its name."""
        return self.many(op, inputs, [tuple(shape)], fmt, **attributes)[0]

    def fixed(self, array: NDArray[Any], fmt: str) -> str:
        """Return the name of a constant that is no parameter."""
        key = (fmt, array.shape, array.tobytes() if array.size < 65536 else id(array))
        if key not in self._constants:
            value = onnx.numpy_helper.from_array(array.astype(DTYPES[fmt]()))
            name = self.declare(f"constant.{len(self._constants)}", array.shape, fmt)
            self.nodes.append(onnx.helper.make_node("Constant", [], [name], value=value))
            self._constants[key] = name
        return self._constants[key]

    def ints(self, *values: int) -> str:
        """Return a constant list of integers: a shape, axes, places."""
        return self.fixed(np.asarray(values, np.int64), "int64")

    def scalar(self, value: float, fmt: str) -> str:
        """Return a constant number."""
        return self.fixed(np.asarray(value), fmt)

    def full(self, shape: Sequence[int], value: float, fmt: str) -> str:
        """Return a constant of a shape, without holding its elements."""
        one = onnx.numpy_helper.from_array(np.asarray([value]).astype(DTYPES[fmt]()))
        return self.node("ConstantOfShape", [self.ints(*shape)], tuple(shape), fmt, value=one)

    def cast(self, name: str, fmt: str) -> str:
        """Return a tensor in a format."""
        shape, held = self.known[name]
        if DTYPES[held]() is DTYPES[fmt]():
            return name
        return self.node("Cast", [name], shape, fmt, to=code_of(fmt))

    def reshape(self, name: str, shape: Sequence[int]) -> str:
        """Return the same elements in another shape."""
        held, fmt = self.known[name]
        if held == tuple(shape):
            return name
        # Zero would mean "as it was" to ONNX.
        return self.node(
            "Reshape", [name, self.ints(*shape)], shape, fmt, allowzero=int(0 in shape)
        )

    def transpose(self, name: str, order: Sequence[int]) -> str:
        """Return a tensor with its dimensions in another order."""
        held, fmt = self.known[name]
        order = [a % len(held) for a in order]
        if order == list(range(len(held))):
            return name
        return self.node("Transpose", [name], [held[a] for a in order], fmt, perm=order)

    def slice(self, name: str, *, axis: int, start: int, size: int) -> str:
        """Return a part of a tensor along an axis."""
        held, fmt = self.known[name]
        if size == held[axis]:
            return name
        shape = (*held[:axis], size, *held[axis + 1 :])
        ends = [name, self.ints(start), self.ints(start + size), self.ints(axis)]
        return self.node("Slice", ends, shape, fmt)

    def fit(self, name: str, shape: Sequence[int], function: str = "") -> str:
        """Return a tensor made to fit a shape: another look at it, a part, or repetitions."""
        held, fmt = self.known[name]
        wanted = tuple(shape)
        if held == wanted:
            return name
        have, need = math.prod(held), math.prod(wanted)
        if have == need:
            order = _permutation(held, wanted) if function in _SWAPS else None
            return self.transpose(name, order) if order else self.reshape(name, wanted)
        if stretches(held, wanted):
            return self.node("Expand", [name, self.ints(*wanted)], wanted, fmt)
        if len(held) == len(wanted) and all(a >= b for a, b in zip(held, wanted, strict=True)):
            for axis, size in enumerate(wanted):
                name = self.slice(name, axis=axis, start=0, size=size)
            return name
        for axis in reversed(range(len(held))):
            if (*held[:axis], *held[axis + 1 :]) == wanted:
                return self.node("Gather", [name, self.scalar(0, "int64")], wanted, fmt, axis=axis)
        flat = self.reshape(name, (have,))
        if need > have:
            times = -(-need // have)
            flat = self.node("Tile", [flat, self.ints(times)], (times * have,), fmt)
        return self.reshape(self.slice(flat, axis=0, start=0, size=need), wanted)

    # -------------------------------------------------------------------------- weights

    def weight(self, index: int, fmt: str, shape: Sequence[int] | None = None) -> str:
        """Return a parameter in a shape, written once."""
        held = self.network.parameters[index]
        wanted = tuple(held.shape if shape is None else shape)
        if index not in self._weights:
            alone = self._uses[index] == 1 and math.prod(wanted) == held.elements
            made = wanted if alone else held.shape
            own = fmt if held.format in FLOATS else held.format
            self._weights[index] = self._initializer(held.name, made, held.role, own)
        name = self._weights[index]
        if len(wanted) == 2 and self.shape(name) == wanted[::-1] != wanted:
            name = self.transpose(name, (1, 0))
        return self.cast(self.fit(name, wanted), fmt)

    def extra_bias(self, node: Node, fmt: str, size: int) -> str:
        """Return the bias that a layer gets from the normalization folded into it."""
        return self._initializer(f"{node.name}.folded_bias", (size,), "bias", fmt)

    def _initializer(self, name: str, shape: Shape, role: str, fmt: str) -> str:
        dtype = DTYPES[fmt]()
        if fmt in FLOATS:
            numbers = self._rng.random(shape, dtype=np.float32)
            if role in ("statistic", "norm_scale"):
                numbers += np.float32(0.5)  # variances and scales around one
            else:
                numbers -= np.float32(0.5)
                fan_in = max(1, math.prod(shape) // max(1, shape[0])) if shape else 1
                numbers *= np.float32(2 / math.sqrt(fan_in))
            array = numbers.astype(dtype, copy=False)
        else:
            array = np.zeros(shape, dtype)
        name = self.declare(name, shape, fmt)
        tensor = onnx.numpy_helper.from_array(array, name)
        if role == "constant":  # what is no parameter is no initializer
            self.nodes.append(onnx.helper.make_node("Constant", [], [name], value=tensor))
        else:
            self.initializers.append(tensor)
        return name

    def forget(self, indices: Sequence[int]) -> None:
        """Leave out parameters that were folded into others."""
        self._gone.update(indices)

    def rest_of_parameters(self) -> None:
        """Write the parameters that no operator uses, so that the file counts the same."""
        for index, held in enumerate(self.network.parameters):
            gone = index in self._gone or held.role == "constant"
            if index not in self._weights and not gone:
                self._weights[index] = self._initializer(
                    held.name, held.shape, held.role, held.format
                )


def stretches(shape: Shape, wanted: Shape) -> bool:
    """Return whether a shape can be stretched to another."""
    short = len(shape) <= len(wanted)
    return short and all(a in (1, b) for a, b in zip(shape[::-1], wanted[::-1], strict=False))


def _permutation(shape: Shape, wanted: Shape) -> list[int] | None:
    if sorted(shape) != sorted(wanted):
        return None
    free = list(range(len(shape)))
    order = []
    for size in wanted:
        chosen = next(a for a in free if shape[a] == size)
        free.remove(chosen)
        order.append(chosen)
    return order


def _folded(network: Network) -> dict[int, int]:
    """Return, by output of a layer, the place of the batch normalization that alone reads it."""
    readers: dict[int, list[int]] = {}
    made: dict[int, str] = {}
    for at, node in enumerate(network.nodes):
        for i in node.inputs:
            readers.setdefault(i, []).append(at)
        for i in node.outputs:
            made[i] = node.operator
    found = {}
    for i, places in readers.items():
        alone = len(places) == 1 and i not in network.outputs
        layer = made.get(i, "").startswith(("convolution", "transposed_convolution", "dense"))
        if alone and layer and network.nodes[places[0]].operator == "batch_norm":
            found[i] = places[0]
    return found
