"""Records an ONNX graph as a network: what every name stands for, what is a parameter."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tradespace.core.errors import GraphError
from tradespace.graph.builder import Builder, Value, Weight
from tradespace.graph.formats import FLOATS
from tradespace.graph.network import Shape

#: Names that exporters make up for constants and for weights that they computed.
MADE_UP = re.compile(
    r"(onnx::|val_\d|/|_?lifted_tensor|constant|const_fold|_tensor_constant|\d+$).*"
)
_WEIGHT_NAMES = {
    "bias": "bias",
    "norm_scale": "weight",
    "norm_offset": "bias",
    "statistic": "running",
    "embedding": "weight",
}


_BIAS = re.compile(r"(.*_)?(bias|beta)(_quantized\w*|_\d+)?")
_STATISTIC = re.compile(r"((running|moving)_)?(mean|var|variance)(_\d+)?")


def role_by_name(name: str) -> str:
    """Return the role that a name suggests where no layer tells it: a bias, a statistic, none."""
    last = re.split(r"[./]", name)[-1].lower()
    if _STATISTIC.fullmatch(last):
        return "statistic"
    return "bias" if _BIAS.fullmatch(last) else ""


class UndeterminedError(Exception):
    """The shape of a result depends on data, or on an operator that is not known."""


@dataclass(slots=True)
class Item:
    """What a name in the file stands for: a signal, a parameter, or numbers.

    Parameters
    ----------
    shape : tuple of int
        Its shape.
    format : str
        Number format.
    value : Value, optional
        If it depends on the inputs of the network.
    held : tuple of str
        Initializers that it is or comes from.
    array : ndarray, optional
        Its numbers, if they are known and few.

    """

    shape: Shape
    format: str
    value: Value | None = None
    held: tuple[str, ...] = ()
    array: NDArray[Any] | None = None
    parts: list[Item] | None = None

    @property
    def elements(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


@dataclass(slots=True)
class Call:
    """A node of the file with what it needs to be recorded."""

    op: str
    name: str
    inputs: list[Item | None]
    outputs: list[str]
    attributes: dict[str, Any] = field(default_factory=dict)
    node: Any = None
    opset: int = 0

    def item(self, index: int) -> Item:
        """Return an input that has to be there."""
        found = self.optional(index)
        if found is None:
            msg = f"Node {self.name!r} ({self.op}) lacks input {index}."
            raise GraphError(msg, remedy="Check the file with onnx.checker.")
        return found

    def optional(self, index: int) -> Item | None:
        """Return an input that may be left out."""
        return self.inputs[index] if index < len(self.inputs) else None

    def numbers(self, index: int, attribute: str = "") -> list[Any] | None:
        """Return known numbers, given as an attribute in old files and an input in new ones."""
        if attribute and attribute in self.attributes:
            held = self.attributes[attribute]
            return list(held) if isinstance(held, Sequence) else [held]
        found = self.optional(index)
        if found is None:
            return None
        if found.array is None:
            msg = f"{attribute or 'an operand'} of {self.name!r} depends on data"
            raise UndeterminedError(msg)
        return [n.item() for n in np.atleast_1d(found.array).reshape(-1)]


class Recorder:
    """What is known of a file while it is read.

    Parameters
    ----------
    builder : Builder
        Receives the nodes.
    infer : callable
        (call) -> shape and format of every output, by onnx itself.
    initializers : Mapping
        Name -> how to get its numbers.
    trained_names : bool
        Whether a single number with a name of its own is a parameter, as torch writes it.

    """

    def __init__(
        self,
        builder: Builder,
        *,
        infer: Callable[[Call], list[tuple[Shape, str]]],
        initializers: Mapping[str, Callable[[], NDArray[Any] | None]],
        trained_names: bool,
    ) -> None:
        self.builder = builder
        self.items: dict[str, Item] = {}
        self.readers: dict[str, list[Call]] = {}
        self.merged: dict[int, str] = {}
        self.uncertain: list[str] = []
        self.notes: list[str] = []
        self.weights: dict[str, Weight] = {}
        self.outputs: frozenset[str] = frozenset()
        self.inputs: set[str] = set()
        #: Arrays with names that exporters make up, taken to be learned -> their elements.
        self.guessed: dict[str, int] = {}
        self._infer = infer
        self._numbers = initializers
        self._trained_names = trained_names
        self._originals: dict[str, Item] = {}

    def keep(self, name: str, item: Item) -> None:
        """Say what an initializer is."""
        self.items[name] = self._originals[name] = item

    def inferred(self, call: Call, index: int = 0) -> tuple[Shape, str]:
        """Return shape and format of an output, as onnx infers them."""
        return self._infer(call)[index]

    def inferred_format(self, call: Call) -> str:
        """Return the format of the first output; of the first operand if onnx cannot tell."""
        try:
            return self._infer(call)[0][1]
        except UndeterminedError:
            return next((i.format for i in call.inputs if i is not None), "fp32")

    def result_format(self, call: Call) -> str:
        """Return the format of a result: int8 between operators that are quantized."""
        first = next((i for i in call.inputs if i is not None and i.value is not None), None)
        if first is None or first.format != "int8":
            return self.inferred_format(call)
        return "int8" if self._quantized_next(call.outputs[0]) else "fp32"

    def _quantized_next(self, output: str) -> bool:
        readers = self.readers.get(output, [])
        if not readers or output in self.outputs:
            return False
        return all(
            c.op == "QuantizeLinear"
            or (c.op in ("Relu", "Clip", "Add") and self._quantized_next(c.outputs[0]))
            for c in readers
        )

    # ---------------------------------------------------------------------- parameters

    def elements_of(self, item: Item) -> int:
        """Return the elements of the initializers that an item comes from."""
        return sum(self._originals[n].elements for n in item.held if n in self._originals)

    def repack(self, item: Item, shape: Shape, fmt: str) -> None:
        """Say what packed weights are."""
        for name in item.held[:1]:
            self._originals[name] = Item(shape, fmt, held=(name,))

    def declare(self, item: Item, role: str, layer: str) -> list[Weight]:
        """Return the parameters that an item comes from, declared when they are first used."""
        found = []
        for name in item.held:
            if name not in self.weights:
                original = self._originals[name]
                own = name
                if MADE_UP.match(name) or not re.search(r"[./]", name):
                    own = f"{layer}.{_WEIGHT_NAMES.get(role, 'weight')}" if role else name
                    own = name if MADE_UP.match(layer) and not MADE_UP.match(name) else own
                self.weights[name] = self._tied(name, original, role) or self.builder.parameter(
                    own, original.shape, role or "weight", format=original.format, absolute=True
                )
            found.append(self.weights[name])
        return found

    def _tied(self, name: str, item: Item, role: str) -> Weight | None:
        """Return the table whose transposed copy a weight is: exporters turn tied ones round."""
        if role not in ("weight", "") or len(item.shape) != 2 or not MADE_UP.match(name):
            return None
        for other, weight in self.weights.items():
            if self._originals[other].shape != item.shape[::-1]:
                continue
            a, b = self._read(name), self._read(other)
            if a is not None and b is not None and a.size > 1 and np.array_equal(a, b.T):
                self.notes.append(
                    f"{name!r} holds the numbers of {other!r}, turned round: tied, counted once."
                )
                return weight
        return None

    def _read(self, name: str) -> NDArray[Any] | None:
        read = self._numbers.get(name)
        return read() if read is not None else None

    def is_parameter(self, item: Item) -> bool:
        """Return whether numbers that meet a signal element by element are learned.

        ONNX does not say. Those with the path of a module are; those whose name an exporter
        made up, or took from a step of the computation, are unless they look like a mask.
        """
        if item.value is not None or not item.held:
            return False
        if item.format not in (*FLOATS, "int8", "uint8"):
            return False
        if not all(name in self._originals for name in item.held):
            return False
        named = not all(MADE_UP.match(name) for name in item.held)
        inline = all(name not in self._numbers for name in item.held)
        if item.elements <= 1:
            return named and self._trained_names and not inline
        if inline:
            return False
        if named and all(re.search(r"[./]", name) for name in item.held):
            return True
        numbers = self._read(item.held[0])
        if numbers is not None and (_like_a_mask(numbers) or _like_a_rotation(numbers)):
            return False
        self.guessed.update({name: self._originals[name].elements for name in item.held})
        return True

    # ------------------------------------------------------------------------- recording

    def signal(self, item: Item, layer: str = "constant") -> Value:
        """Return the value of an item; numbers become one when they are first used."""
        if item.value is None:
            roles = {role_by_name(name) for name in item.held}
            role = roles.pop() if len(roles) == 1 else ""
            own = self.declare(item, role, layer) if self.is_parameter(item) else []
            return self.constant(item, f"{layer}.constant" if layer != "constant" else layer, own)
        return item.value

    def constant(self, item: Item, name: str, parameters: Sequence[Weight]) -> Value:
        """Record numbers that meet signals as operands; return their value."""
        (item.value,) = self.builder.record(
            "fill",
            name=name,
            parameters=parameters,
            format=item.format,
            shape=item.shape,
            function="constant",
        )
        return item.value

    def is_signal(self, item: Item | None) -> bool:
        """Return whether an item depends on the inputs of the network."""
        return item is not None and item.value is not None

    def add(
        self,
        call: Call,
        operator: str,
        inputs: Sequence[Item | None],
        *,
        weights: Sequence[tuple[Item | None, str]] = (),
        name: str = "",
        format: str = "",  # noqa: A002 - the word of the field
        bind: bool = True,
        **attributes: Any,
    ) -> list[Item]:
        """Record an operator, bind its results to the outputs of the call, and return them."""
        layer = name or call.name
        values = [self.signal(i, layer) for i in inputs if i is not None]
        parameters: list[Weight] = []
        for item, role in weights:
            if item is None:
                continue
            if item.held:
                parameters += self.declare(item, role, layer)
            elif item.value is not None:
                values.append(item.value)
        fmt = format or next((i.format for i in inputs if i is not None), "fp32")
        made = self.builder.record(
            operator, *values, name=layer, parameters=parameters, format=fmt, **attributes
        )
        results = [Item(v.shape, fmt, v) for v in made]
        if bind:
            self.bind(call, results)
        return results

    def bind(self, call: Call, results: Sequence[Item]) -> None:
        """Say what the outputs of a call are; further outputs are looks at the first."""
        for name, item in zip(call.outputs, results, strict=False):
            if name:
                self.items[name] = item
        for index, name in enumerate(call.outputs[len(results) :], start=len(results)):
            if name and (name in self.readers or name in self.outputs):
                shape, fmt = self.inferred(call, index)
                made = self.view(results[0], shape, call, function="state", fmt=fmt)
                self.items[name] = made

    def view(
        self, item: Item, shape: Shape, call: Call, *, function: str = "", fmt: str = ""
    ) -> Item:
        """Return another look at a signal."""
        if item.shape == tuple(shape) and not function:
            return item
        return self.add(
            call,
            "view",
            [item],
            name=f"{call.name}.view",
            format=fmt or item.format,
            bind=False,
            shape=tuple(shape),
            function=function,
        )[0]

    def transpose(self, item: Item, order: Sequence[int], call: Call) -> Item:
        """Return a signal with its dimensions in another order."""
        if list(order) == list(range(len(item.shape))):
            return item
        name = f"{call.name}.transpose"
        return self.add(call, "transpose", [item], name=name, bind=False, order=tuple(order))[0]

    def unknown(self, call: Call, function: str = "") -> None:
        """Record an operator that is not known, with the parameters that it takes."""
        try:
            made = self._infer(call)
        except UndeterminedError:
            first = next((i for i in call.inputs if i is not None and i.value is not None), None)
            shape = first.shape if first is not None else ()
            made = [(shape, first.format if first is not None else "fp32")] * len(call.outputs)
            self.uncertain.append(call.name)
        signals = [i for i in call.inputs if i is not None and i.value is not None]
        weights = [(i, "") for i in call.inputs if i is not None and i.value is None]
        weights = [(i, r) for i, r in weights if i.format in FLOATS and i.held]
        self.add(
            call,
            "unknown",
            signals,
            weights=weights,
            format=made[0][1] if made else "fp32",
            shape=tuple(shape for shape, _ in made) or ((),),
            function=function or call.op,
        )

    def following(self, output: str) -> Call | None:
        """Return the only reader of a tensor, if there is only one and nobody else sees it."""
        readers = self.readers.get(output, [])
        return readers[0] if len(readers) == 1 and output not in self.outputs else None


def _like_a_rotation(numbers: NDArray[Any]) -> bool:
    """Return whether numbers are sines or cosines of positions: two equal halves within 1."""
    if numbers.ndim < 2 or numbers.shape[-1] % 2 or numbers.shape[-1] < 4:
        return False
    left, right = np.split(numbers, 2, axis=-1)
    same = bool(np.array_equal(left, right) and np.all(np.abs(left) <= 1))
    return same and bool(np.unique(left).size > 2)


def _like_a_mask(numbers: NDArray[Any]) -> bool:
    """Return whether numbers are only zeros and ones, or zeros and one very negative number."""
    few = np.unique(numbers.reshape(-1)[: 1 << 20].astype(np.float64, copy=False))
    others = few[few != 0]
    plain = bool(np.all(others == 1))
    return plain or bool(np.all(others < -50) and others.size <= 2)
