"""A network: operators over tensors, edges kept. Weights are shapes; no number is held."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tradespace.graph.formats import FLOATS, check_format, size_bytes

Shape = tuple[int, ...]
Attributes = Mapping[str, Any]

#: What a parameter does in its layer.
ROLES = (
    "weight",
    "bias",
    "norm_scale",
    "norm_offset",
    "embedding",
    "position",
    "statistic",  # running mean and variance: kept, not trained
    "constant",  # fixed numbers that a model carries
)


class _Sized:
    """What a shape and a number format tell."""

    __slots__ = ()
    shape: Shape
    format: str

    @property
    def elements(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def size_bytes(self) -> int:
        """Bytes it takes."""
        return size_bytes(self.elements, self.format)


@dataclass(frozen=True, slots=True)
class Tensor(_Sized):
    """An activation: a shape and a number format."""

    shape: Shape
    format: str = "fp32"


@dataclass(frozen=True, slots=True)
class Parameter(_Sized):
    """A tensor that belongs to the network.

    Parameters
    ----------
    name : str
        Unique in the network, for example ``"layer1.0.conv1.weight"``.
    shape : tuple of int
        As the reader found it.
    role : str
        One of `ROLES`.
    trainable : bool
        Whether training changes it through a gradient.
    format : str
        Number format.

    """

    name: str
    shape: Shape
    role: str = "weight"
    trainable: bool = True
    format: str = "fp32"


@dataclass(frozen=True, slots=True)
class Node:
    """One use of an operator.

    Parameters
    ----------
    name : str
        Path of the module or layer that it belongs to.
    operator : str
        Name in the registry of operators.
    inputs, outputs : tuple of int
        Positions in `Network.tensors`.
    parameters : tuple of int
        Positions in `Network.parameters`.
    attributes : Mapping
        Settings of the operator, complete with defaults.
    inplace : bool
        Whether the output overwrites the first input.

    """

    name: str
    operator: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    parameters: tuple[int, ...] = ()
    attributes: Attributes = field(default_factory=dict)
    inplace: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A network in the order in which it runs.

    Parameters
    ----------
    name : str
        For people.
    tensors : tuple of Tensor
        All activations, inputs first.
    parameters : tuple of Parameter
        All parameters; those that no node uses are counted all the same.
    nodes : tuple of Node
        In an order in which they can run.
    inputs, outputs : tuple of int
        Positions in `tensors`.
    input_names : tuple of str
        For people.
    batch : int
        Samples in one pass; counts for one sample are for batch 1.
    notes : tuple of str
        What a reader of the counts has to know (batch norms folded at export, ...).
    source : str
        Where it comes from: the publication, the file.
    facts : Mapping
        Published figures: accuracy, year, task.

    """

    name: str
    tensors: tuple[Tensor, ...]
    parameters: tuple[Parameter, ...]
    nodes: tuple[Node, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    input_names: tuple[str, ...] = ()
    batch: int = 1
    notes: tuple[str, ...] = ()
    source: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def shapes_of(self, positions: tuple[int, ...]) -> tuple[Shape, ...]:
        """Return the shapes of some tensors."""
        return tuple(self.tensors[i].shape for i in positions)

    def with_format(self, fmt: str) -> Network:
        """Return the same network with its signals and weights in another number format.

        Indices and masks stay as they are; so do running statistics, which frameworks keep in
        fp32.
        """
        check_format(fmt)
        tensors = tuple(replace(t, format=fmt) if t.format in FLOATS else t for t in self.tensors)
        parameters = tuple(
            replace(p, format=fmt) if p.format in FLOATS and p.role != "statistic" else p
            for p in self.parameters
        )
        return replace(self, tensors=tensors, parameters=parameters)

    def frozen(self, *prefixes: str) -> Network:
        """Return the network with the parameters under some paths not trained.

        With no prefix everything is frozen.

        Raises
        ------
        GraphError
            If no parameter stands under a prefix.

        """
        from tradespace.core.errors import GraphError
        from tradespace.core.suggest import unknown

        for prefix in prefixes:
            if not any(_under(p.name, prefix) for p in self.parameters):
                heads = sorted({p.name.split(".")[0] for p in self.parameters})
                raise unknown(GraphError, "part of the network", prefix, heads)
        kept = tuple(
            replace(p, trainable=False)
            if not prefixes or any(_under(p.name, x) for x in prefixes)
            else p
            for p in self.parameters
        )
        return replace(self, parameters=kept)


def _under(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + ".")
