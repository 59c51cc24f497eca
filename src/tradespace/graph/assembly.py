"""A network while it is put together: tensors, parameters and operators, in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from tradespace.core.errors import GraphError
from tradespace.graph.formats import FLOATS
from tradespace.graph.network import Network, Node, Parameter, Shape, Tensor
from tradespace.graph.operators import operator


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor of a network that is being built: its position and shape."""

    position: int
    shape: Shape


@dataclass(frozen=True, slots=True)
class Weight:
    """A parameter of a network that is being built; give it to two layers to tie them."""

    position: int
    shape: Shape


class Assembly:
    """Collects operators in the order in which they run.

    Parameters
    ----------
    name : str
        Of the network.
    batch : int
        Put in front of the shape of every input.
    format : str
        Number format of inputs and parameters.

    """

    def __init__(self, name: str, *, batch: int = 1, format: str = "fp32") -> None:  # noqa: A002 - the word of the field
        self.name = name
        self.batch = batch
        self.format = format
        self._tensors: list[Tensor] = []
        self._parameters: list[Parameter] = []
        self._nodes: list[Node] = []
        self._inputs: list[int] = []
        self._input_names: list[str] = []
        self._path: list[str] = []
        self._used: dict[str, int] = {}
        self.notes: list[str] = []

    # ------------------------------------------------------------------ structure

    @contextmanager
    def scope(self, name: str) -> Iterator[None]:
        """Put what is built inside under a path."""
        self._path.append(name)
        try:
            yield
        finally:
            self._path.pop()

    def path(self, name: str) -> str:
        """Return a name under the current path; one that starts with a colon is no part of it."""
        return ".".join((*self._path, name) if name else self._path).replace(".:", ":")

    def _unique(self, name: str) -> str:
        count = self._used.get(name, 0)
        self._used[name] = count + 1
        return name if not count else f"{name}_{count}"

    def input(self, shape: Sequence[int], *, format: str = "", name: str = "input") -> Value:  # noqa: A002 - the word of the field
        """Add an input; the batch is put in front of its shape."""
        return self.tensor_input((self.batch, *shape), format=format, name=name)

    def tensor_input(self, shape: Sequence[int], *, format: str = "", name: str = "input") -> Value:  # noqa: A002 - the word of the field
        """Add an input of exactly this shape."""
        value = self._tensor(tuple(int(n) for n in shape), format or self.format)
        self._inputs.append(value.position)
        self._input_names.append(name)
        return value

    def _tensor(self, shape: Shape, fmt: str) -> Value:
        if any(n < 0 for n in shape):
            msg = f"A tensor of {self.name!r} would have the shape {shape}."
            raise GraphError(msg, remedy="Give an input that is large enough.")
        self._tensors.append(Tensor(shape, fmt))
        return Value(len(self._tensors) - 1, shape)

    def parameter(
        self,
        name: str,
        shape: Sequence[int],
        role: str = "weight",
        *,
        trainable: bool = True,
        format: str = "",  # noqa: A002 - the word of the field
        absolute: bool = False,
    ) -> Weight:
        """Add a parameter; it counts even if no operator uses it."""
        full = name if absolute else self.path(name).replace(":", ".")
        fixed = role in ("statistic", "constant")
        made = Parameter(
            self._unique(full),
            tuple(int(n) for n in shape),
            role,
            trainable=trainable and not fixed,
            format=format or self.format,
        )
        self._parameters.append(made)
        return Weight(len(self._parameters) - 1, made.shape)

    def set_role(self, weight: Weight, role: str) -> None:
        """Say what a parameter does, found out when it is used."""
        held = self._parameters[weight.position]
        if held.role in ("weight", "constant"):
            self._parameters[weight.position] = replace(held, role=role)

    def apply(self, op: str, *inputs: Value, name: str = "", **more: Any) -> Value:
        """Add an operator under the current path; return its first output.

        `more` are parameters, number format and whether it works in place, as `record` takes
        them, and the attributes of the operator.
        """
        return self.record(op, *inputs, name=self.path(name or op), **more)[0]

    def record(
        self,
        op: str,
        *inputs: Value,
        name: str,
        parameters: Sequence[Weight] = (),
        inplace: bool = False,
        format: str = "",  # noqa: A002 - the word of the field
        shapes: Sequence[Shape] | None = None,
        **attributes: Any,
    ) -> tuple[Value, ...]:
        """Add an operator under a full name and return its outputs.

        `shapes` are those of the outputs where a reader knows them; else the operator's rule
        finds them.
        """
        rule = operator(op)
        full = rule.complete(attributes)
        if shapes is None:
            try:
                shapes = rule.shapes(tuple(v.shape for v in inputs), full)
            except GraphError as error:
                msg = f"At {name!r} of {self.name!r}: {error.message}"
                raise GraphError(msg, remedy=error.remedy) from None
        fmt = format or self._format_of(inputs)
        outputs = tuple(self._tensor(tuple(shape), fmt) for shape in shapes)
        node = Node(
            self._unique(name),
            op,
            tuple(v.position for v in inputs),
            tuple(v.position for v in outputs),
            tuple(w.position for w in parameters),
            full,
            inplace=inplace,
        )
        self._nodes.append(node)
        return outputs

    def _format_of(self, inputs: Sequence[Value]) -> str:
        for value in inputs:
            fmt = self._tensors[value.position].format
            if fmt in FLOATS:
                return fmt
        return self.format

    def build(
        self,
        *outputs: Value,
        notes: Sequence[str] = (),
        source: str = "",
        facts: Mapping[str, Any] | None = None,
    ) -> Network:
        """Return the network."""
        return Network(
            name=self.name,
            tensors=tuple(self._tensors),
            parameters=tuple(self._parameters),
            nodes=tuple(self._nodes),
            inputs=tuple(self._inputs),
            outputs=tuple(v.position for v in outputs),
            input_names=tuple(self._input_names),
            batch=self.batch,
            notes=(*self.notes, *notes),
            source=source,
            facts=dict(facts or {}),
        )
