"""Networks from Keras 3 files, read from their configuration; Keras is not needed."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tradespace.core.errors import GraphError
from tradespace.graph.builder import Builder
from tradespace.graph.network import Network, Shape
from tradespace.graph.readers.inputs import Shapes, given_shapes, shape_text
from tradespace.graph.readers.keras.reading import (
    Layer,
    Reading,
    Signal,
    histories,
    is_model,
    layer_of,
    signals_in,
)

_REMEDY = "Save the model in the format of Keras 3: model.save('model.keras')."
#: More than any configuration needs; what is larger is no configuration.
_MOST_BYTES = 1 << 28


def read_keras(
    source: str | Path, *, shapes: Shapes | None = None, name: str | None = None
) -> Network:
    """Return the network of a ``.keras`` file.

    Only the configuration is read, neither weights nor code: layers of a class of one's own are
    kept by name and not counted, so that the counts are lower bounds.

    Parameters
    ----------
    source : path
        As `model.save` of Keras 3 wrote it.
    shapes : Mapping, optional
        Name of an input -> its shape with the batch, as Keras has it; needed for sizes that the
        model leaves open. An empty name is the only input.
    name : str, optional
        Of the network; that of the file if not given.

    Raises
    ------
    GraphError
        If it is no such file, a size is left open, or a shape does not fit.

    """
    path = Path(source)
    return network_of(_configuration(path), shapes=shapes, name=name or path.stem)


def network_of(
    configuration: Mapping[str, Any], *, shapes: Shapes | None = None, name: str = "model"
) -> Network:
    """Return the network of a configuration, as `json.loads(model.to_json())` gives it.

    Raises
    ------
    GraphError
        As `read_keras` does.

    Examples
    --------
    >>> from tradespace.graph.counts import forward_macs
    >>> dense = {"class_name": "Dense", "module": "keras.layers",
    ...          "config": {"name": "dense", "units": 10, "use_bias": True}}
    >>> inputs = {"class_name": "InputLayer", "module": "keras.layers",
    ...           "config": {"name": "pixels", "batch_shape": [None, 784]}}
    >>> model = {"class_name": "Sequential", "config": {"layers": [inputs, dense]}}
    >>> forward_macs(network_of(model))
    7840

    """
    at: list[str] = []
    try:
        return _network(configuration, shapes, name, at)
    except GraphError:
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        where = f"At layer {at[-1]!r}: its" if at else "Its"
        said = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        msg = f"{where} configuration cannot be read ({said.rstrip('.')})."
        raise GraphError(msg, remedy="Save the model again with Keras 3.") from error


def _network(
    configuration: Mapping[str, Any], shapes: Shapes | None, name: str, at: list[str]
) -> Network:
    """Return the network; `at` is told the layers that are read."""
    from tradespace.graph.readers.keras import movement as movement
    from tradespace.graph.readers.keras import plain as plain
    from tradespace.graph.readers.keras import sequence as sequence
    from tradespace.graph.readers.keras.layers import HANDLERS

    del movement, plain, sequence  # they add their handlers
    model = layer_of(configuration, "", frozen=False)
    model.path = ""
    if not is_model(model):
        what = str(configuration.get("registered_name") or model.kind or "unknown")
        msg = f"{name!r} is a model of its own class ({what}); its layers are not in the file."
        remedy = "Save it as a functional or Sequential model of Keras."
        raise GraphError(msg, remedy=remedy)
    inputs = _inputs(model, name)
    found = _shapes(inputs, shapes)
    batch = max(1, next((s[0] for s in found.values() if s), 1))
    builder = Builder(name, batch=batch)
    reading = Reading(builder, HANDLERS, batch, at)
    signals = [
        Signal(builder.tensor_input(found[i.name], format=i.formats[0], name=i.name))
        for i in inputs
    ]
    outputs = [reading.logical(s) for s in signals_in(reading.model(model, signals))]
    return builder.build(*outputs, notes=_notes(reading), source="Keras file")


def _notes(reading: Reading) -> list[str]:
    notes = []
    if reading.uncertain:
        named = ", ".join(reading.uncertain[:3])
        notes.append(
            f"Shapes after {named} are guesses: that layer is not known and the file does not say "
            "what it gives."
        )
    if reading.unknowns:
        notes.append("Parameters of layers that are not known are not in the configuration.")
    return notes


def _configuration(path: Path) -> Mapping[str, Any]:
    """Return what `config.json` in the file says."""
    try:
        with zipfile.ZipFile(path) as archive:
            info = archive.getinfo("config.json")
            if info.file_size > _MOST_BYTES:
                msg = f"The configuration in {path.name!r} takes {info.file_size} bytes."
                raise GraphError(msg, remedy=_REMEDY)
            held = json.loads(archive.read(info))
    except FileNotFoundError:
        msg = f"There is no file {path.name!r}."
        raise GraphError(msg, remedy="Check the path.") from None
    except KeyError:
        msg = f"{path.name!r} is a zip file without a config.json: no model of Keras 3."
        raise GraphError(msg, remedy=_REMEDY) from None
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError) as error:
        msg = f"{path.name!r} is no whole Keras file: {error}."
        raise GraphError(msg, remedy="It may be cut short: copy or save it again.") from None
    if not isinstance(held, Mapping) or "class_name" not in held:
        msg = f"The config.json in {path.name!r} describes no model."
        raise GraphError(msg, remedy=_REMEDY)
    return held


def _inputs(model: Layer, name: str) -> list[Layer]:
    """Return the input layers, in the order in which the model takes them."""
    entries = model.config.get("layers") or []
    layers = [layer_of(entry, "", frozen=False) for entry in entries]
    if model.kind == "Sequential":
        if not layers:
            msg = f"{name!r} has no layers."
            raise GraphError(msg, remedy="Add layers and save the model again.")
        first = layers[0]
        if first.kind == "InputLayer":
            return [first]
        shape = model.config.get("build_input_shape") or first.build.get("input_shape")
        sizes = {"batch_shape": shape, "dtype": first.config.get("dtype")}
        return [Layer("InputLayer", "input", sizes, "input")]
    by_name = {layer.name: layer for layer in layers}
    wanted = [h[0] for h in histories(model.config.get("input_layers"))]
    missing = [w for w in wanted if w not in by_name]
    if missing or not wanted:
        msg = f"{name!r} lacks the input layer {missing[0] if missing else ''!r}."
        raise GraphError(msg, remedy="Save the model again; its configuration is damaged.")
    return [by_name[w] for w in wanted]


def _shapes(inputs: list[Layer], shapes: Shapes | None) -> dict[str, Shape]:
    given = given_shapes(shapes, [i.name for i in inputs])
    batch = next((s[0] for s in given.values() if s), 1)
    found = {}
    for layer in inputs:
        declared = layer.config.get("batch_shape")
        if declared is None and layer.name not in given:
            msg = f"Input {layer.name!r} has no shape in the file."
            remedy = f"Give it, batch first: --input {layer.name}=8x224x224x3."
            raise GraphError(msg, remedy=remedy)
        sizes = list(declared) if declared is not None else [None] * len(given[layer.name])
        found[layer.name] = _filled(layer.name, sizes, given.get(layer.name), batch)
    return found


def _filled(name: str, sizes: list[int | None], shape: Shape | None, batch: int) -> Shape:
    shown = "(" + ", ".join("?" if n is None else str(n) for n in sizes) + ")"
    if shape is None:
        open_at = next((i for i, n in enumerate(sizes) if i and n is None), None)
        if open_at is not None:
            example = [n or (8 if i == 0 else 128) for i, n in enumerate(sizes)]
            msg = f"Dimension {open_at} of input {name!r} is left open in the file {shown}."
            raise GraphError(msg, remedy=f"Give the shape: --input {name}={shape_text(example)}.")
        first = sizes[:1]
        return tuple(n if n is not None else batch for n in (*first, *sizes[1:]))
    if len(shape) != len(sizes):
        msg = f"Input {name!r} has {len(sizes)} dimensions {shown}; got {shape_text(shape)}."
        raise GraphError(msg, remedy=f"Give {len(sizes)} sizes joined by x, batch first.")
    for i, (wanted, got) in enumerate(zip(sizes, shape, strict=True)):
        if wanted is not None and wanted != got and i:
            example = [n if n is not None else g for n, g in zip(sizes, shape, strict=True)]
            msg = f"Dimension {i} of input {name!r} is {wanted} in the file {shown}; got {got}."
            raise GraphError(msg, remedy=f"Give {shape_text(example)}.")
    return shape
