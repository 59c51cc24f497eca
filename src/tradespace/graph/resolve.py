"""From what a person names to a network: the zoo, a file, a torch class, an object."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from tradespace.core.errors import GraphError
from tradespace.graph.network import Network

#: ``my_model.py:MyNet`` or ``package.module:MyNet``, with constructor arguments or without.
_CODE = re.compile(r"(?P<where>[^:]+\.py|[A-Za-z_][\w.]*):(?P<what>[A-Za-z_]\w*.*)", re.DOTALL)
_FILES = (".onnx", ".keras", ".pt", ".pth", ".bin", ".safetensors", ".h5", ".hdf5", ".tflite")


def resolve_network(
    what: Any,
    inputs: Any = None,
    *,
    batch: int | None = None,
    settings: Mapping[str, Any] | None = None,
    training: bool | None = None,
) -> Network:
    """Return the network that a person means.

    Parameters
    ----------
    what : str, path, Network or torch.nn.Module
        A name of the zoo (``"resnet50"``), a file (``"model.onnx"``, ``"model.keras"``), a
        class (``"my_model.py:MyNet(depth=3)"``), or the thing itself.
    inputs : optional
        Shapes of the inputs, where they are not known: ``(8, 3, 224, 224)``, ``"8x3x224x224"``,
        ``["ids=8x128:int64"]``, a mapping, tensors.
    batch : int, optional
        Samples in one pass; replaces the first dimension of every input.
    settings : Mapping, optional
        For a builder of the zoo or a constructor: sizes, lengths, widths.
    training : bool, optional
        Mode in which a torch module is traced.

    Raises
    ------
    GraphError
        If there is no such thing, or it cannot run on such inputs.

    Examples
    --------
    >>> resolve_network("mlp-784-300-100-10", batch=8).tensors[0].shape
    (8, 784)

    """
    settings = dict(settings or {})
    if isinstance(what, Network):
        return _network_itself(what, inputs, batch, settings)
    if isinstance(what, str | PathLike):
        text = str(what)
        code = _CODE.fullmatch(text)
        if code is not None and not _is_drive(text):
            return _from_code(text, inputs, batch, settings, training=training)
        if _is_file(text):
            return _from_file(Path(text), inputs, batch, settings)
        return _from_zoo(text, inputs, batch, settings)
    if _is_module(what):
        _no_settings(settings, "a torch module that is built already")
        return _read_module(what, inputs, batch, training=training, name="")
    msg = f"A {type(what).__name__} is no network."
    raise GraphError(
        msg, remedy="Give a torch module, a name of the zoo, a file or 'my_model.py:MyNet'."
    )


def with_batch(inputs: Any, batch: int | None) -> Any:
    """Return inputs with another first dimension; tensors become their shapes."""
    if batch is None or inputs is None:
        return inputs
    from tradespace.graph.readers.inputs import InputSpec, is_shape, parse_input

    def changed(item: Any) -> Any:
        if isinstance(item, InputSpec):
            return InputSpec((batch, *item.shape[1:]), item.format) if item.shape else item
        if isinstance(item, str):
            name, spec = parse_input(item)
            made = changed(spec)
            return {name: made} if name else made
        if hasattr(item, "shape") and hasattr(item, "dtype"):
            return item.new_empty((batch, *item.shape[1:])) if item.shape else item
        if is_shape(item):
            return (batch, *item[1:])
        if isinstance(item, Mapping):
            return {key: changed(value) for key, value in item.items()}
        if isinstance(item, Sequence):
            made_all = [changed(value) for value in item]
            if made_all and all(isinstance(m, dict) for m in made_all):
                return {key: value for m in made_all for key, value in m.items()}
            return made_all
        return item

    return changed(inputs)


def _is_drive(text: str) -> bool:
    return len(text) > 2 and text[1] == ":" and text[2] in "\\/"


def _is_file(text: str) -> bool:
    from tradespace.graph.zoo import networks

    named = text.lower().endswith(_FILES) or "/" in text or "\\" in text
    return named or (text not in networks() and Path(text).exists())


def _is_module(what: Any) -> bool:
    return any(c.__module__.startswith("torch.nn") for c in type(what).__mro__)


def _network_itself(
    network: Network, inputs: Any, batch: int | None, settings: dict[str, Any]
) -> Network:
    _no_settings(settings, "a network that is built already")
    if inputs is not None or (batch is not None and batch != network.batch):
        msg = f"The shapes of {network.name!r} are fixed (batch {network.batch})."
        raise GraphError(msg, remedy="Build the network again with the batch wanted.")
    return network


def _no_settings(settings: Mapping[str, Any], whose: str) -> None:
    if settings:
        msg = f"Settings ({', '.join(settings)}) cannot be given to {whose}."
        raise GraphError(msg, remedy="They are for networks of the zoo and for constructors.")


def _from_zoo(text: str, inputs: Any, batch: int | None, settings: dict[str, Any]) -> Network:
    from tradespace.graph.zoo import network, network_row

    try:
        row = network_row(text)
    except GraphError as error:
        remedy = (
            f"{error.remedy} 'tradespace list networks' prints all. Your own: model.onnx, "
            "model.keras or my_model.py:MyNet."
        )
        raise GraphError(error.message, remedy=remedy) from None
    if inputs is not None:
        msg = (
            f"The input of {row.name!r} follows from its settings; --input is for your own models."
        )
        raise GraphError(msg, remedy="Use --batch and --set, for example --set size=320.")
    return network(row.name, batch=1 if batch is None else batch, **settings)


def _from_file(path: Path, inputs: Any, batch: int | None, settings: dict[str, Any]) -> Network:
    from tradespace.graph.readers.files import read_model_file

    _no_settings(settings, "a model file")
    if path.is_file() and path.suffix == ".py":
        msg = f"{str(path)!r} is a program; say which class of it."
        raise GraphError(msg, remedy=f"Write {path}:MyNet, with the name of the module's class.")
    shapes = _shapes(with_batch(inputs, batch))
    network = read_model_file(path, shapes=shapes)
    if batch is not None and shapes is None and network.batch != batch:
        # The file leaves the batch open; its other sizes are known by now.
        found = zip(network.input_names, network.shapes_of(network.inputs), strict=False)
        shapes = {name: (batch, *shape[1:]) for name, shape in found if shape}
        network = read_model_file(path, shapes=shapes)
    return network


def _shapes(inputs: Any) -> Any:
    """Return shapes by name of the input; one without a name stands under the empty name."""
    if inputs is None:
        return None
    from tradespace.graph.readers.inputs import as_specs

    positional, named = as_specs(inputs, is_tensor=lambda x: hasattr(x, "dtype"))
    found = {
        (str(i) if i else ""): tuple(getattr(item, "shape", ()))
        for i, item in enumerate(positional)
    }
    return found | {key: tuple(item.shape) for key, item in named.items()}


def _from_code(
    text: str, inputs: Any, batch: int | None, settings: dict[str, Any], *, training: bool | None
) -> Network:
    from tradespace.graph.readers.sources import load_torch

    notes: list[str] = []
    module = load_torch(text, settings, notes=notes)
    network = _read_module(module, inputs, batch, training=training, name=type(module).__name__)
    return replace(network, notes=(*network.notes, *notes))


def _read_module(
    module: Any, inputs: Any, batch: int | None, *, training: bool | None, name: str
) -> Network:
    from tradespace.graph.readers.torch.read import read_torch

    if inputs is None:
        from tradespace.graph.readers.inputs import guess_input

        inputs = guess_input(module, batch=batch or 1)
    return read_torch(module, with_batch(inputs, batch), name=name, training=training)
