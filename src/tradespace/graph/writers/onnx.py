"""Networks as ONNX models with random weights, so that a runtime can be timed on them.

The file has the operators, shapes and parameters of the network. Numbers are random: weights
are drawn, and where the record of a network does not say which part of a signal is taken (a
slice, a look-up), the first is.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from tradespace.core.errors import GraphError
from tradespace.graph.network import Network
from tradespace.graph.writers import (
    onnx_layers,
    onnx_movement,
    onnx_pointwise,
    onnx_sequence,
    onnx_special,
)
from tradespace.graph.writers.onnx_emitter import DTYPES, HANDLERS, Emitter, code_of

if TYPE_CHECKING:
    import onnx
    from numpy.typing import NDArray

#: Runtimes lack some operators of newer sets; only RMS normalization needs one.
OPSET_OF_RMS_NORM = 23
# They register what writes each operator.
del onnx_layers, onnx_movement, onnx_pointwise, onnx_sequence, onnx_special
#: What protobuf can hold, less room for what is no weight.
_MOST_BYTES = 2**31 - 2**22


def to_onnx(network: Network, *, seed: int = 0, fold: bool = False) -> onnx.ModelProto:
    """Return a network as an ONNX model with random weights.

    Parameters
    ----------
    network : Network
        In fp64, fp32, fp16 or bf16; its batch is the batch of the file.
    seed : int
        Of the weights.
    fold : bool
        Merge a batch normalization into the convolution or dense layer before it, as most
        exports do: its parameters are gone and the layer has a bias.

    Raises
    ------
    GraphError
        If the weights do not fit into one file (2 GiB), or an operator is not known.

    Examples
    --------
    >>> from tradespace.graph.zoo import network
    >>> model = to_onnx(network("mlp-784-300-100-10"))
    >>> [node.op_type for node in model.graph.node][:3]
    ['MatMul', 'Add', 'Relu']

    """
    _check(network)
    emitter = Emitter(network, rng=np.random.default_rng(seed), fold=fold)
    inputs = []
    for name, position in zip(_input_names(network), network.inputs, strict=True):
        tensor = network.tensors[position]
        emitter.bind(position, emitter.declare(name, tensor.shape, tensor.format))
        inputs.append((name, code_of(tensor.format), tensor.shape))
    for node in network.nodes:
        handler = HANDLERS.get(node.operator)
        if handler is None:
            what = node.attributes.get("function") or node.operator
            msg = f"{node.name!r} of {network.name!r} is {what!r}, which cannot be written as ONNX."
            raise GraphError(msg, remedy="Register and write it, or export the model with its own.")
        emitter.begin(node)
        handler(emitter, node)
        emitter.check(node)
    emitter.rest_of_parameters()
    if any(node.operator == "rms_norm" for node in network.nodes):
        emitter.opsets[""] = OPSET_OF_RMS_NORM
        emitter.ir_version += 1
    names = (f"output{i or ''}" for i in range(len(network.outputs)))
    outputs = map(emitter.named_output, network.outputs, names)
    return emitter.model(inputs=inputs, outputs=list(outputs), name=network.name)


def sample_inputs(network: Network, *, seed: int = 0) -> dict[str, NDArray[Any]]:
    """Return inputs on which the written network can run, by name.

    Indices stay within the smallest table that they are looked up in.
    """
    rng = np.random.default_rng(seed)
    made: dict[str, NDArray[Any]] = {}
    for name, position in zip(_input_names(network), network.inputs, strict=True):
        tensor = network.tensors[position]
        dtype = DTYPES[tensor.format]()
        if tensor.format in ("int64", "int32", "int16", "uint8", "bool"):
            rows = [
                int(n.attributes["rows"])
                for n in network.nodes
                if n.operator == "embedding" and position in n.inputs
            ]
            made[name] = rng.integers(0, min(rows, default=2), tensor.shape).astype(dtype)
        else:
            made[name] = rng.random(tensor.shape, dtype=np.float32).astype(dtype)
    return made


def _input_names(network: Network) -> list[str]:
    names: list[str] = []
    for i, position in enumerate(network.inputs):
        del position
        wanted = network.input_names[i] if i < len(network.input_names) else "input"
        names.append(wanted if wanted not in names else f"{wanted}{i}")
    return names


def _check(network: Network) -> None:
    held = {t.format for t in network.tensors} | {p.format for p in network.parameters}
    for fmt in sorted(held):
        if fmt not in DTYPES:
            msg = f"{network.name!r} holds numbers in {fmt}, which cannot be written."
            raise GraphError(msg, remedy="Write it in fp32, fp64, fp16 or bf16.")
    total = sum(p.size_bytes for p in network.parameters)
    if total > _MOST_BYTES:
        msg = (
            f"The weights of {network.name!r} take {total / 2**30:.1f} GiB; one ONNX file holds "
            f"at most {math.floor(_MOST_BYTES / 2**20)} MiB."
        )
        remedy = "Write a smaller variant, or use a format with fewer bytes (fp16, bf16)."
        raise GraphError(msg, remedy=remedy)
