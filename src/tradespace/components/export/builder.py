"""Joining two ONNX graphs; the builder of graphs is that of `tradespace.graph.writers`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import onnx

from tradespace.core.errors import ExportError
from tradespace.graph.writers.graph_builder import BOOL as BOOL
from tradespace.graph.writers.graph_builder import DOUBLE as DOUBLE
from tradespace.graph.writers.graph_builder import FLOAT as FLOAT
from tradespace.graph.writers.graph_builder import INT64 as INT64
from tradespace.graph.writers.graph_builder import IR_VERSION as IR_VERSION
from tradespace.graph.writers.graph_builder import OPSETS as OPSETS
from tradespace.graph.writers.graph_builder import STRING as STRING
from tradespace.graph.writers.graph_builder import GraphBuilder as GraphBuilder

_LEAST_OPSET = 18
#: What the encoder writes needs; of the other operators older versions mean the same.
_LEAST_ML_OPSET = 3


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
            if domain and opset.version < _LEAST_ML_OPSET:
                if any(node.op_type == "LabelEncoder" for node in graph.node):
                    msg = f"The model uses LabelEncoder of version {opset.version} of {domain}."
                    raise ExportError(msg)
                builder.opsets[domain] = _LEAST_ML_OPSET
                continue
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
