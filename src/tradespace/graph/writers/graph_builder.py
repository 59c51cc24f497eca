"""A builder of ONNX graphs with fresh names, for networks and for trained components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    import numpy.typing as npt

#: Versions of the operator sets that our own graphs use.
OPSETS: Mapping[str, int] = {"": 21, "ai.onnx.ml": 5}
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
        self.ir_version = IR_VERSION
        self._prefix = prefix
        self._count = 0

    def fresh(self) -> str:
        """Return a name that no other tensor of this graph has."""
        self._count += 1
        return f"{self._prefix}{self._count}"

    def label(self) -> str | None:
        """Return the name of the next node; here nodes have none."""
        return None

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
        self.nodes.append(
            helper.make_node(op, inputs, outputs, domain=domain, name=self.label(), **attributes)
        )
        self.domains.add(domain)
        return outputs[0] if n == 1 else outputs

    def output(self, tensor: str, public: str) -> None:
        """Give a tensor the name of an output."""
        self.nodes.append(helper.make_node("Identity", [tensor], [public], name=self.label()))

    def model(
        self,
        *,
        inputs: Sequence[tuple[str, int, Sequence[Any]]],
        outputs: Sequence[tuple[str, str, int, Sequence[Any]]],
        name: str = "component",
    ) -> Any:
        """Return the graph as a model; an output is (tensor, public name, type, shape)."""
        for tensor, public, _, _ in outputs:
            self.output(tensor, public)
        graph = helper.make_graph(
            self.nodes,
            name,
            [helper.make_tensor_value_info(given, kind, shape) for given, kind, shape in inputs],
            [
                helper.make_tensor_value_info(given, kind, shape)
                for _, given, kind, shape in outputs
            ],
            initializer=self.initializers,
        )
        opsets = [helper.make_opsetid(d, self.opsets.get(d, 1)) for d in sorted(self.domains)]
        return helper.make_model(
            graph, opset_imports=opsets, ir_version=self.ir_version, producer_name="tradespace"
        )
