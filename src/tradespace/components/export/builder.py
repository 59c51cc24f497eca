"""Small tools to write ONNX graphs: a builder with fresh names, and joining two graphs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tradespace.core.errors import ExportError

if TYPE_CHECKING:
    import numpy.typing as npt

#: Versions of the operator sets that our own graphs use.
OPSETS: Mapping[str, int] = {"": 21, "ai.onnx.ml": 5}
_LEAST_OPSET = 18
#: Version of the file format; read by every ONNX Runtime since 1.19.
IR_VERSION = 10

FLOAT, DOUBLE, STRING, INT64, BOOL = (
    TensorProto.FLOAT,
    TensorProto.DOUBLE,
    TensorProto.STRING,
    TensorProto.INT64,
    TensorProto.BOOL,
)


class GraphBuilder:
    """A graph in the making: every `add` returns the name of what the node gives.

    Examples
    --------
    >>> graph = GraphBuilder()
    >>> total = graph.add("Add", "X", graph.constant(np.float32(1)))
    >>> model = graph.model(
    ...     inputs=[("X", FLOAT, ["N", 2])], outputs=[(total, "score", FLOAT, ["N", 2])]
    ... )
    >>> [node.op_type for node in model.graph.node]
    ['Add', 'Identity']

    """

    def __init__(self, prefix: str = "t") -> None:
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self.domains: set[str] = {""}
        self.opsets: dict[str, int] = dict(OPSETS)
        self._prefix = prefix
        self._count = 0

    def fresh(self) -> str:
        """Return a name that no other tensor of this graph has."""
        self._count += 1
        return f"{self._prefix}{self._count}"

    def constant(self, value: npt.ArrayLike) -> str:
        """Return the name of a new constant with this value; its type is kept."""
        name = self.fresh()
        array = np.asarray(value)
        self.initializers.append(
            numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name)
        )
        return name

    @overload
    def add(
        self, op: str, *inputs: str, domain: str = ..., n: Literal[1] = ..., **attributes: Any
    ) -> str: ...
    @overload
    def add(
        self, op: str, *inputs: str, domain: str = ..., n: int, **attributes: Any
    ) -> list[str]: ...
    def add(
        self, op: str, *inputs: str, domain: str = "", n: int = 1, **attributes: Any
    ) -> str | list[str]:
        """Add a node with `n` outputs and return the name, or names, of what it gives."""
        outputs = [self.fresh() for _ in range(n)]
        self.nodes.append(helper.make_node(op, list(inputs), outputs, domain=domain, **attributes))
        self.domains.add(domain)
        return outputs[0] if n == 1 else outputs

    def model(
        self,
        *,
        inputs: Sequence[tuple[str, int, Sequence[Any]]],
        outputs: Sequence[tuple[str, str, int, Sequence[Any]]],
    ) -> Any:
        """Return the graph as a model; an output is (tensor, public name, type, shape)."""
        for tensor, public, _, _ in outputs:
            self.nodes.append(helper.make_node("Identity", [tensor], [public]))
        graph = helper.make_graph(
            self.nodes,
            "component",
            [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in inputs],
            [helper.make_tensor_value_info(name, kind, shape) for _, name, kind, shape in outputs],
            initializer=self.initializers,
        )
        opsets = [helper.make_opsetid(d, self.opsets.get(d, 1)) for d in sorted(self.domains)]
        model = helper.make_model(graph, opset_imports=opsets, producer_name="tradespace")
        model.ir_version = IR_VERSION
        return model


def append_model(builder: GraphBuilder, model: Any, *, inputs: Mapping[str, str]) -> str:
    """Add the nodes of a finished model to a builder; return the name of its first output.

    Parameters
    ----------
    builder : GraphBuilder
        Gets the nodes, under new names.
    model : onnx.ModelProto
        Its versions of the operator sets become the builder's: what the encoder uses means
        the same in all versions from 18.
    inputs : Mapping
        For each input of the model, the tensor of the builder that it becomes.

    Raises
    ------
    ExportError
        If the model has functions, an unexpected input or operators that are too old.

    """
    graph = model.graph
    if model.functions:
        msg = "The model to be joined holds local functions, which cannot be joined."
        raise ExportError(msg)
    for opset in model.opset_import:
        domain = "" if opset.domain == "ai.onnx" else opset.domain
        if domain in OPSETS and OPSETS[domain] != opset.version and _uses(graph, domain):
            if domain == "" and opset.version < _LEAST_OPSET:
                msg = (
                    f"The model uses version {opset.version} of the operators of ONNX; "
                    f"wanted at least {_LEAST_OPSET}."
                )
                raise ExportError(msg)
            builder.opsets[domain] = opset.version
    names = dict(inputs)
    names[""] = ""
    for value in graph.input:
        if value.name not in names and value.name not in {i.name for i in graph.initializer}:
            msg = f"The model wants an input {value.name!r}; there are {sorted(inputs)}."
            raise ExportError(msg)

    def renamed(name: str) -> str:
        if name not in names:
            names[name] = builder.fresh()
        return names[name]

    for initializer in graph.initializer:
        copy = onnx.TensorProto()
        copy.CopyFrom(initializer)
        copy.name = renamed(initializer.name)
        builder.initializers.append(copy)
    for node in graph.node:
        if any(attribute.HasField("g") for attribute in node.attribute):
            msg = f"The node {node.op_type!r} holds a graph of its own, which cannot be joined."
            raise ExportError(msg)
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        copy.ClearField("name")
        copy.input[:] = [renamed(name) for name in node.input]
        copy.output[:] = [renamed(name) for name in node.output]
        builder.nodes.append(copy)
        builder.domains.add("" if node.domain == "ai.onnx" else node.domain)
    return names[graph.output[0].name]


def _uses(graph: Any, domain: str) -> bool:
    return any(("" if node.domain == "ai.onnx" else node.domain) == domain for node in graph.node)
