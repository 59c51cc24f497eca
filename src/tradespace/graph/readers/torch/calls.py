"""What is known of an operator of torch, looked up once, and the table of its counterparts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils import _pytree as pytree

FORMATS = {
    torch.float64: "fp64",
    torch.float32: "fp32",
    torch.float16: "fp16",
    torch.bfloat16: "bf16",
    torch.complex64: "complex64",
    torch.complex128: "complex128",
    torch.int64: "int64",
    torch.int32: "int32",
    torch.int16: "int16",
    torch.int8: "int8",
    torch.uint8: "uint8",
    torch.bool: "bool",
}


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


class Use:
    """One use of an operator: what it was called with, and what it gave."""

    __slots__ = ("_bound", "args", "call", "func", "kwargs", "result")

    def __init__(
        self, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any], result: Any = None
    ) -> None:
        self.func = func
        self.call = call_of(func)
        self.args = args
        self.kwargs = kwargs
        self.result = result
        self._bound: dict[str, Any] | None = None

    def get(self, name: str, default: Any = None) -> Any:
        """Return an argument by name, the operator's default where it was not given."""
        if self._bound is None:
            self._bound = dict(self.call.arguments)
            given = zip(self.call.arguments, self.args, strict=False)
            self._bound.update({name: value for (name, _), value in given})
            self._bound.update(self.kwargs)
        return self._bound.get(name, default)

    def __getitem__(self, name: str) -> Any:
        return self.get(name)

    @property
    def operands(self) -> list[torch.Tensor]:
        """All tensors that it takes."""
        return operands(self.args, self.kwargs)

    @property
    def results(self) -> list[torch.Tensor]:
        """All tensors that it gives."""
        return [self.result] if isinstance(self.result, torch.Tensor) else tensors_in([self.result])

    @property
    def first(self) -> torch.Tensor:
        """The first tensor that it gives."""
        if isinstance(self.result, torch.Tensor):
            return self.result
        found: torch.Tensor = pytree.tree_leaves(self.result)[0]
        return found

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the first tensor that it gives."""
        return tuple(self.first.shape)


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


def format_of(tensor: torch.Tensor) -> str:
    """Return the number format of a tensor."""
    return FORMATS.get(tensor.dtype, "fp8" if tensor.dtype.itemsize == 1 else "fp32")


def spread(values: Sequence[int], rank: int) -> tuple[int, ...]:
    """Return a setting for each dimension; one value stands for all."""
    found = tuple(int(v) for v in values)
    return found * rank if len(found) == 1 else found
