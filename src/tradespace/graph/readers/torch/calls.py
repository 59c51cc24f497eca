"""What is known of an operator of torch, looked up once, and the table of its counterparts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils import _pytree as pytree


@dataclass(frozen=True, slots=True)
class Call:
    """An operator of torch.

    Parameters
    ----------
    name, overload, plain : str
        ``"aten.add_"``, ``"Tensor"`` and ``"add"``.
    inplace : bool
        Whether it overwrites its first operand.
    arguments : tuple
        Name and default of each.
    written : tuple of int
        Positions of the arguments that it writes into.
    random, pointwise, view, decomposes, empty : bool
        What torch says of it.

    """

    name: str
    overload: str
    plain: str
    inplace: bool
    arguments: tuple[tuple[str, Any], ...]
    written: tuple[int, ...]
    random: bool
    pointwise: bool
    view: bool
    decomposes: bool
    empty: bool


_CALLS: dict[Any, Call] = {}


def call_of(func: Any) -> Call:
    """Return what is known of an operator."""
    found = _CALLS.get(func)
    if found is None:
        found = _CALLS[func] = _read(func)
    return found


def _read(func: Any) -> Call:
    name = str(func.overloadpacket)
    last = name.rpartition(".")[2]
    schema = func._schema  # noqa: SLF001 - the schema has no public name
    return Call(
        name=name,
        overload=str(func._overloadname),  # noqa: SLF001 - no public name
        plain=last.strip("_"),
        inplace=last.endswith("_") and not last.endswith("__"),
        arguments=tuple(
            (a.name, a.default_value if a.has_default_value() else None) for a in schema.arguments
        ),
        written=tuple(
            i
            for i, a in enumerate(schema.arguments)
            if a.alias_info is not None and a.alias_info.is_write
        ),
        random=torch.Tag.nondeterministic_seeded in func.tags,
        pointwise=torch.Tag.pointwise in func.tags,
        view=any(x.alias_info is not None and not x.alias_info.is_write for x in schema.returns),
        decomposes=func._can_decompose(),  # noqa: SLF001 - how torch takes operators apart
        empty=last.startswith(("empty", "new_empty")),
    )


def bound(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call by name, with defaults."""
    found = dict(call_of(func).arguments)
    for (name, _), value in zip(call_of(func).arguments, args, strict=False):
        found[name] = value
    found.update(kwargs)
    return found


def tensors_in(items: Iterable[Any]) -> list[torch.Tensor]:
    """Return the tensors in arguments, also those in lists."""
    found: list[torch.Tensor] = []
    for item in items:
        if isinstance(item, torch.Tensor):
            found.append(item)
        elif isinstance(item, list | tuple):
            found += tensors_in(item)
        elif isinstance(item, dict):
            found += tensors_in(item.values())
    return found


def operands(args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[torch.Tensor]:
    """Return all tensors that a call takes."""
    found = tensors_in(args)
    return found + tensors_in(kwargs.values()) if kwargs else found


def first(result: Any) -> torch.Tensor:
    """Return the first tensor of a result."""
    if isinstance(result, torch.Tensor):
        return result
    found: torch.Tensor = pytree.tree_leaves(result)[0]
    return found


def spread(values: Sequence[int], rank: int) -> tuple[int, ...]:
    """Return a setting for each dimension; one value stands for all."""
    found = tuple(int(v) for v in values)
    return found * rank if len(found) == 1 else found
