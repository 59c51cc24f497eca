"""Networks from ONNX files, without the weights that lie beside them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tradespace.core.errors import GraphError
from tradespace.graph.builder import Builder
from tradespace.graph.network import Network
from tradespace.graph.readers.inputs import Shapes
from tradespace.graph.readers.onnx.formats import format_of
from tradespace.graph.readers.onnx.model import input_shapes, load
from tradespace.graph.readers.onnx.reading import Reading
from tradespace.graph.readers.onnx.recorder import Item

if TYPE_CHECKING:
    import onnx

#: What numbers and names that make no sense lead to, beside the errors of this library.
DAMAGE = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


def read_onnx(
    source: str | Path | onnx.ModelProto,
    *,
    shapes: Shapes | None = None,
    name: str | None = None,
) -> Network:
    """Return the network of an ONNX model.

    Initializers are parameters; ONNX does not say which of them training changes, so all
    floating-point ones that layers use are taken to be, but for running statistics and masks.
    An operator that is not known is kept by its name; the counts are then lower bounds.

    Parameters
    ----------
    source : path or ModelProto
        Weights in files beside it are neither needed nor read.
    shapes : Mapping, optional
        Name of an input -> its shape, for inputs that the file leaves open.
    name : str, optional
        Of the network; that of the file or graph if not given.

    Raises
    ------
    GraphError
        If it is no ONNX model, a dimension is open, or a shape does not fit.

    Examples
    --------
    >>> from tradespace.graph.counts import forward_macs
    >>> from tradespace.graph.writers.onnx import to_onnx
    >>> from tradespace.graph.zoo import network
    >>> forward_macs(read_onnx(to_onnx(network("mlp-784-300-100-10"))))
    266200

    """
    model = load(source)
    title = name or (Path(source).stem if isinstance(source, str | Path) else model.graph.name)
    reading = Reading(model, Builder(title or "model"))
    try:
        return _read(reading, model, shapes, "file" if isinstance(source, str | Path) else "model")
    except GraphError:
        raise
    except DAMAGE as error:
        where = f"At node {reading.at!r}: it" if reading.at else "It"
        said = " ".join(str(error).split())[:200] or type(error).__name__
        msg = f"{where} cannot be read ({said.rstrip('.')})."
        remedy = "The file is damaged: check it with onnx.checker, export it again."
        raise GraphError(msg, remedy=remedy) from error


def _read(reading: Reading, model: onnx.ModelProto, shapes: Shapes | None, what: str) -> Network:
    graph, recorder = model.graph, reading.recorder
    found, notes, forced = input_shapes(model, shapes)
    first = next((s for s in found.values() if s), (1,))
    recorder.builder.batch = max(1, first[0])
    for item in graph.input:
        if item.name in found:
            fmt = format_of(item.type.tensor_type.elem_type)
            value = recorder.builder.tensor_input(found[item.name], format=fmt, name=item.name)
            recorder.items[item.name] = Item(value.shape, fmt, value)
            recorder.inputs.add(item.name)
    try:
        reading.run(graph)
    except GraphError as error:
        raise (forced or error) from None
    if forced and recorder.uncertain:
        raise forced
    outputs = []
    for output in graph.output:
        made = recorder.items.get(output.name)
        if made is None:
            msg = f"Nothing makes the output {output.name!r}."
            raise GraphError(msg, remedy="Export the model again; this file is damaged.")
        if made.value is not None:
            outputs.append(made.value)
    reading.rest_of_parameters()
    notes += [*dict.fromkeys(recorder.notes), *reading.closing_notes(graph)]
    return recorder.builder.build(*outputs, notes=notes, source=f"ONNX {what}")
