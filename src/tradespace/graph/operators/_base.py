"""What an operator is, and the registry of all operators."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from tradespace.core.errors import GraphError
from tradespace.core.suggest import unknown
from tradespace.graph.formulas import formula
from tradespace.graph.network import Attributes, Shape
from tradespace.graph.work import KINDS

Shapes = tuple[Shape, ...]
Symbols = dict[str, int]
#: (shapes of the inputs, attributes) -> shapes of the outputs.
ShapeRule = Callable[[Shapes, Attributes], Shapes]
#: (shapes of inputs, shapes of outputs, attributes) -> values of the symbols.
SymbolRule = Callable[[Shapes, Shapes, Attributes], Symbols]
#: A formula, or how to get one from the attributes (einsum).
Text = str | Callable[[Attributes], str]


@dataclass(frozen=True, slots=True)
class Attribute:
    """A setting of an operator; one without a default must be given."""

    name: str
    default: Any = ...
    doc: str = ""


AXES = Attribute("axes", default=None, doc="all if none")
AXIS = Attribute("axis", default=-1, doc="along which it runs")
KEEP_DIMENSIONS = Attribute(
    "keep_dimensions", default=False, doc="whether reduced axes stay with size 1"
)


class Names(NamedTuple):
    """What libraries call an operator; several names are separated by spaces.

    Only for what is the same there and needs no settings but axes, or the shape that a reader
    finds: readers record such an operator under any of the names, and the first name of ONNX is
    written where it works element by element or reduces. ``ms.`` stands before a name
    of the contributed operators of ONNX Runtime. Keras has functions in lower case; their
    classes (``HardSigmoid`` for ``hard_sigmoid``) go without saying.
    """

    onnx: str = ""
    torch: str = ""
    keras: str = ""


_NAMELESS = Names()


def no_symbols(inputs: Shapes, outputs: Shapes, attributes: Attributes) -> Symbols:
    """Return no symbols of its own; those that every operator has are enough."""
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """What an operator does to shapes, and what it costs.

    Every formula may use the symbols of the operator and these, which are always there:
    ``I`` and ``O``, the elements of all inputs and outputs; ``P``, of its parameters;
    ``B_in``, ``B_out`` and ``B_w``, their bytes.

    Parameters
    ----------
    name : str
        As nodes name it.
    kind : str
        Class of work, one of `tradespace.graph.work.KINDS`.
    summary : str
        One sentence for people.
    inputs, outputs : tuple of str
        Names; the last ends in ``...`` where there may be any number.
    attributes : tuple of Attribute
        Settings.
    shapes : callable
        The shape rule.
    symbols : callable
        Values of the symbols that the formulas use.
    parameters, macs, operations, traffic : str
        Formulas: trainable elements and statistics; multiply-accumulates; other arithmetic
        operations (a comparison, an exponential, a division each count one); bytes moved.
    input_macs : str
        Of a layer that feeds itself: the multiply-accumulates that its input alone takes part
        in. All of `macs` if it is left out.
    product : tuple of str, optional
        Formulas of batch, m, n, k and groups, if it is a matrix product in disguise.
    window : str
        Formula of the positions of its window.
    saves : tuple of str
        What training keeps for the backward pass: ``input0``, ``inputs``, ``output0``;
        ``input0@input1`` keeps the first input only if the second needs a gradient,
        ``input0@parameters`` only if a parameter does; ``=8*O`` adds bytes of its own. A
        function of attributes and device ("cpu" or "cuda") where that decides.
    weighted : bool
        Whether it is a layer of neurons in the usual convention (dense, convolutional, ...).
    view : bool
        Whether the output shares the memory of the first input.
    fusible : bool
        Whether runtimes for inference merge it into the operator before it.
    names : Names
        What ONNX, torch and Keras call it where it is the same there.

    """

    name: str
    kind: str
    summary: str
    inputs: tuple[str, ...] = ("input",)
    outputs: tuple[str, ...] = ("output",)
    attributes: tuple[Attribute, ...] = ()
    shapes: ShapeRule
    symbols: SymbolRule = no_symbols
    parameters: Text = "0"
    macs: Text = "0"
    operations: Text = "0"
    traffic: Text = "B_in + B_w + B_out"
    input_macs: Text | None = None
    product: tuple[str, str, str, str, str] | None = None
    window: str = "1"
    saves: tuple[str, ...] | Callable[[Attributes, str], tuple[str, ...]] = ()
    weighted: bool = False
    view: bool = False
    fusible: bool = False
    names: Names = _NAMELESS

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise unknown(GraphError, "kind of work", self.kind, KINDS)

    def check_formulas(self) -> None:
        """Read every formula.

        Raises
        ------
        GraphError
            If one is no formula.

        """
        texts = (self.parameters, self.macs, self.operations, self.traffic, self.window)
        for text in (*texts, *(self.product or ())):
            if isinstance(text, str):
                formula(text)

    def complete(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """Return the attributes with defaults filled in.

        Raises
        ------
        GraphError
            If one is unknown or missing.

        """
        known = {a.name: a.default for a in self.attributes}
        for name in attributes:
            if name not in known:
                raise unknown(GraphError, f"attribute of {self.name!r}", name, known)
        full = {**known, **attributes}
        missing = [name for name, value in full.items() if value is ...]
        if missing:
            msg = f"Operator {self.name!r} needs the attribute {missing[0]!r}."
            raise GraphError(msg, remedy=f"Give {', '.join(missing)}.")
        return full

    def kept(self, attributes: Attributes, device: str) -> tuple[str, ...]:
        """Return what training keeps, as `saves` says."""
        return self.saves if isinstance(self.saves, tuple) else self.saves(attributes, device)

    def text(self, which: str, attributes: Attributes) -> str:
        """Return the text of a formula: ``"macs"``, ``"operations"``, ``"parameters"``, ..."""
        value = getattr(self, which)
        if value is None:
            value = self.macs
        return value if isinstance(value, str) else str(value(attributes))


_MODULES = (
    "products",
    "convolutions",
    "pooling",
    "normalization",
    "activations",
    "recurrent",
    "attention",
    "elementwise",
    "movement",
    "historic",
    "detection",
    "transforms",
)
_OPERATORS: dict[str, Operator] = {}


def register(operator: Operator) -> Operator:
    """Make an operator known; one of the same name must be the same.

    Raises
    ------
    GraphError
        If another operator has the name, or a formula cannot be read.

    """
    operator.check_formulas()
    return _keep(operator)


def _keep(operator: Operator) -> Operator:
    other = _OPERATORS.setdefault(operator.name, operator)
    if other is not operator and other != operator:
        msg = f"There is another operator named {operator.name!r}."
        raise GraphError(msg, remedy="Choose another name.")
    return operator


@functools.cache
def _load_all() -> None:
    """Register the package's own operators.

    Their formulas are read when they are used: reading all of them takes longer than counting
    a network. A test reads them.
    """
    for module in _MODULES:
        for row in importlib.import_module(f"tradespace.graph.operators.{module}").OPERATORS:
            _keep(row)


def operator(name: str) -> Operator:
    """Return the operator of a name.

    Raises
    ------
    GraphError
        If it is not registered.

    """
    found = _OPERATORS.get(name)
    if found is None:
        _load_all()
        found = _OPERATORS.get(name)
    if found is None:
        raise unknown(GraphError, "operator", name, _OPERATORS)
    return found


def operators() -> dict[str, Operator]:
    """Return every operator by name."""
    _load_all()
    return dict(sorted(_OPERATORS.items()))


def named(library: str) -> dict[str, Operator]:
    """Return the operators that ``"onnx"``, ``"torch"`` or ``"keras"`` has too, by its names."""
    return {n: row for row in operators().values() for n in getattr(row.names, library).split()}


def same_shape(inputs: Shapes, attributes: Attributes) -> Shapes:
    """Return the shape of the first input: the rule of what works element by element."""
    return (inputs[0],)


def shape_or_same(inputs: Shapes, attributes: Attributes) -> Shapes:
    """Return the shape that the reader found, or that of the first input."""
    wanted = attributes["shape"]
    return (inputs[0],) if wanted is None else (tuple(wanted),)


def wrong_shape(*, operator: str, takes: str, got: object) -> GraphError:
    """Return the error of an operator that cannot take what it was given."""
    msg = f"Operator {operator!r} takes {takes}; got {got}."
    return GraphError(
        msg, remedy="Check the shape of the network's input and of the layers before."
    )
