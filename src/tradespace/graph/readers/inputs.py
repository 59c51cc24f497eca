"""Inputs as people write them: ``8x3x224x224``, ``ids=8x128:int64``."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from tradespace.core.errors import GraphError
from tradespace.core.suggest import unknown
from tradespace.graph.formats import BITS
from tradespace.graph.network import Shape

_SPEC = re.compile(
    r"(?:(?P<name>[A-Za-z_]\w*)=)?(?P<shape>[0-9]+(?:[x,*][0-9]+)*)(?::(?P<fmt>\w+))?"
)


@dataclass(frozen=True, slots=True)
class InputSpec:
    """The shape and number format of an input."""

    shape: tuple[int, ...]
    format: str = "fp32"


def parse_input(text: str) -> tuple[str, InputSpec]:
    """Return the name (empty if none) and the specification of an input.

    Raises
    ------
    GraphError
        If it cannot be read.

    Examples
    --------
    >>> parse_input("8x3x224x224")
    ('', InputSpec(shape=(8, 3, 224, 224), format='fp32'))
    >>> parse_input("input_ids=8x128:int64")
    ('input_ids', InputSpec(shape=(8, 128), format='int64'))

    """
    matched = _SPEC.fullmatch(text.strip())
    if not matched:
        msg = f"Input {text!r} cannot be read."
        remedy = "Write sizes joined by x, batch first: 8x3x224x224, or ids=8x128:int64."
        raise GraphError(msg, remedy=remedy)
    shape = tuple(int(n) for n in re.split("[x,*]", matched["shape"]))
    if any(n < 1 for n in shape):
        msg = f"Input {text!r} has a size below 1."
        raise GraphError(msg, remedy="Give sizes from 1, batch first.")
    fmt = matched["fmt"] or "fp32"
    if fmt not in BITS:
        raise unknown(GraphError, "number format", fmt, BITS)
    return matched["name"] or "", InputSpec(shape, fmt)


#: Shapes as people give them, by name of input; an empty name is the only input.
Shapes: TypeAlias = Mapping[str, Sequence[int] | InputSpec]


def shape_text(shape: Iterable[object]) -> str:
    """Return a shape as people write it."""
    return "x".join(str(n) for n in shape)


def given_shapes(shapes: Shapes | None, names: Sequence[str]) -> dict[str, Shape]:
    """Return the shapes that a person gave for the inputs of a model file, by name.

    Raises
    ------
    GraphError
        If the model has no such input, or several where none is named.

    """
    given: dict[str, Shape] = {}
    for name, spec in (shapes or {}).items():
        shape = tuple(int(n) for n in (spec.shape if isinstance(spec, InputSpec) else spec))
        if not name and len(names) != 1:
            msg = f"The model has {len(names)} inputs: {', '.join(names)}."
            first = next(iter(names), "input")
            raise GraphError(msg, remedy=f"Name each: --input {first}={shape_text(shape)}.")
        if name and name not in names:
            raise unknown(GraphError, "input of the model", name, names)
        given[name or names[0]] = shape
    return given


def as_specs(inputs: Any, *, is_tensor: Callable[[Any], bool]) -> tuple[list[Any], dict[str, Any]]:
    """Return positional and named inputs, shapes turned into specifications.

    Raises
    ------
    GraphError
        If something is neither a tensor, a shape, text nor a collection of them.

    """
    if isinstance(inputs, Mapping):
        return [], {str(k): _one(v, is_tensor) for k, v in inputs.items()}
    if is_shape(inputs) or is_tensor(inputs) or isinstance(inputs, InputSpec | str):
        named = parse_input(inputs) if isinstance(inputs, str) else ("", inputs)
        return ([], {named[0]: named[1]}) if named[0] else ([_one(named[1], is_tensor)], {})
    if isinstance(inputs, Sequence):
        positional, keywords = [], {}
        for item in inputs:
            name, spec = parse_input(item) if isinstance(item, str) else ("", item)
            if name:
                keywords[name] = spec
            else:
                positional.append(_one(spec, is_tensor))
        return positional, keywords
    msg = f"An input is a tensor, a shape or a collection of them; got {type(inputs).__name__}."
    raise GraphError(msg, remedy="Give (8, 3, 224, 224), for example.")


def is_shape(item: Any) -> bool:
    """Return whether something is a shape: whole numbers in a row."""
    return (
        isinstance(item, Sequence)
        and not isinstance(item, str)
        and len(item) > 0
        and all(isinstance(n, int) and not isinstance(n, bool) for n in item)
    )


def _one(item: Any, is_tensor: Callable[[Any], bool]) -> Any:
    if isinstance(item, str):
        return parse_input(item)[1]
    if is_shape(item) and not is_tensor(item):
        return InputSpec(tuple(item))
    if isinstance(item, Mapping):
        return {k: _one(v, is_tensor) for k, v in item.items()}
    if isinstance(item, list | tuple):
        return type(item)(_one(v, is_tensor) for v in item)
    return item


def guess_input(module: Any, *, batch: int = 1) -> InputSpec:
    """Return the input that a torch module's first layer tells, when none was given.

    Raises
    ------
    GraphError
        If the layer does not tell the whole shape; it says what to write.

    Examples
    --------
    >>> import torch
    >>> guess_input(torch.nn.Sequential(torch.nn.Linear(784, 10)), batch=8)
    InputSpec(shape=(8, 784), format='fp32')

    """
    name = type(module).__name__
    needed = [
        p.name
        for p in inspect.signature(module.forward).parameters.values()
        if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    if len(needed) > 1:
        shown = " ".join(f"--input {n}={batch}x..." for n in needed)
        msg = f"{name} takes {len(needed)} inputs: {', '.join(needed)}."
        raise GraphError(msg, remedy=f"Give the shape of each: {shown}.")
    layer = next((m for m in module.modules() if not any(True for _ in m.children())), module)
    kind = type(layer).__name__
    if kind in ("Linear", "NonDynamicallyQuantizableLinear"):
        return InputSpec((batch, int(layer.in_features)))
    example, why = f"{batch}x3x224x224", "its first layer does not tell the shape"
    if kind.startswith(("Conv", "ConvTranspose")) and hasattr(layer, "in_channels"):
        rank = len(layer.kernel_size)
        sizes = {1: "16000", 2: "224x224", 3: "16x112x112"}[rank]
        example = f"{batch}x{layer.in_channels}x{sizes}"
        why = f"its first layer takes {layer.in_channels} channels of any size"
    elif kind in ("Embedding", "EmbeddingBag"):
        example, why = f"{batch}x128:int64", "its first layer looks up sequences of any length"
    elif kind in ("LSTM", "GRU", "RNN"):
        lead = f"{batch}x100" if layer.batch_first else f"100x{batch}"
        example = f"{lead}x{layer.input_size}"
        why = f"its first layer takes sequences of any length, {layer.input_size} numbers a step"
    msg = f"{name} needs the shape of its input: {why}."
    raise GraphError(msg, remedy=f"Write for example --input {example}.")
