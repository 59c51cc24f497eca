"""Inputs as people write them: ``8x3x224x224``, ``ids=8x128:int64``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tradespace.core.errors import GraphError
from tradespace.core.suggest import unknown_name
from tradespace.graph.formats import BITS

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
        message, remedy = unknown_name("number format", fmt, BITS)
        raise GraphError(message, remedy=remedy)
    return matched["name"] or "", InputSpec(shape, fmt)


def as_specs(inputs: Any, *, is_tensor: Callable[[Any], bool]) -> tuple[list[Any], dict[str, Any]]:
    """Return positional and named inputs, shapes turned into specifications.

    Raises
    ------
    GraphError
        If something is neither a tensor, a shape, text nor a collection of them.

    """
    if isinstance(inputs, Mapping):
        return [], {str(k): _one(v, is_tensor) for k, v in inputs.items()}
    if _is_shape(inputs) or is_tensor(inputs) or isinstance(inputs, InputSpec | str):
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


def _is_shape(item: Any) -> bool:
    return (
        isinstance(item, Sequence)
        and not isinstance(item, str)
        and len(item) > 0
        and all(isinstance(n, int) and not isinstance(n, bool) for n in item)
    )


def _one(item: Any, is_tensor: Callable[[Any], bool]) -> Any:
    if isinstance(item, str):
        return parse_input(item)[1]
    if _is_shape(item) and not is_tensor(item):
        return InputSpec(tuple(item))
    if isinstance(item, Mapping):
        return {k: _one(v, is_tensor) for k, v in item.items()}
    if isinstance(item, list | tuple):
        return type(item)(_one(v, is_tensor) for v in item)
    return item
