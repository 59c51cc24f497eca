"""Which activations live when: through a forward pass, and through a step of training.

A tensor that is a view or is computed in place shares the memory of another, its root. Sizes
and lifetimes are those of roots.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tradespace.graph.network import Network
from tradespace.graph.operators import operator


def storages(network: Network, *, service: bool = False) -> list[int]:
    """Return, for each tensor, the tensor whose memory it is in.

    In service dropout does nothing, and its output is its input.
    """
    owner = list(range(len(network.tensors)))
    for node in network.nodes:
        if not node.inputs:
            continue
        idle = service and node.operator == "dropout"
        if operator(node.operator).view or node.inplace or idle:
            for i in node.outputs:
                owner[i] = owner[node.inputs[0]]
    return owner


def storage_sizes(network: Network, owner: Sequence[int]) -> dict[int, int]:
    """Return the bytes of every root."""
    return {root: network.tensors[i].size_bytes for i, root in enumerate(owner) if i == root}


@dataclass(slots=True)
class Walk:
    """Bytes that live while a step of training is walked through, operator by operator.

    Parameters
    ----------
    network : Network
        With the batch of training.
    kept : list of list of int
        Roots that each node keeps for its backward pass.
    extra : list of int
        Bytes of its own that each node keeps.
    wanted : list of bool
        Whether a gradient flows into each tensor.
    now : int
        Bytes that live before the step: weights, state of the optimizer.

    """

    network: Network
    kept: list[list[int]]
    extra: list[int]
    wanted: list[bool]
    now: int
    most: int = 0
    at: str = "forward: input"
    owner: list[int] = field(init=False)
    _size: dict[int, int] = field(init=False)
    _live: set[int] = field(init=False, default_factory=set)
    _keeps: Counter[int] = field(init=False, default_factory=Counter)
    _pins: Counter[int] = field(init=False, default_factory=Counter)
    _gradients: dict[int, int] = field(init=False, default_factory=dict)
    _learned: set[int] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self.owner = storages(self.network)
        self._size = storage_sizes(self.network, self.owner)
        # The caller holds the batch through the whole step, and the result.
        self.pin(self.owner[i] for i in (*self.network.inputs, *self.network.outputs))
        for i in self.network.inputs:
            self._make(self.owner[i])
        self._peak("forward: input")

    def pin(self, roots: Iterable[int]) -> None:
        """Hold some roots."""
        self._pins.update(roots)

    def unpin(self, roots: Iterable[int]) -> None:
        """Hold some roots no longer."""
        for root in roots:
            self._pins[root] -= 1
            self._drop(root)

    def _make(self, root: int) -> None:
        if root not in self._live:
            self._live.add(root)
            self.now += self._size[root]

    def _drop(self, root: int) -> None:
        if root in self._live and not self._keeps[root] and self._pins[root] <= 0:
            self._live.remove(root)
            self.now -= self._size[root]

    def _peak(self, at: str) -> None:
        if self.now > self.most:
            self.most, self.at = self.now, at

    def forward(self, start: int, end: int, *, keep: bool) -> None:
        """Run some nodes forward, keeping what they need for the backward pass or not."""
        nodes = self.network.nodes
        last: dict[int, int] = {}
        for i in range(start, end):
            for t in (*nodes[i].inputs, *nodes[i].outputs):
                last[self.owner[t]] = i
            if keep:
                self._keeps.update(self.kept[i])
        for i in range(start, end):
            node = nodes[i]
            for t in node.outputs:
                self._make(self.owner[t])
            if keep:
                self.now += self.extra[i]
            self._peak(f"forward: {node.name}")
            for root in {self.owner[t] for t in (*node.inputs, *node.outputs)}:
                if last[root] == i:
                    self._drop(root)

    def begin_backward(self) -> None:
        """Make the gradients of the network's outputs."""
        for t in self.network.outputs:
            self._gradients[t] = self.network.tensors[t].size_bytes
            self.now += self._gradients[t]

    def backward(self, start: int, end: int) -> None:
        """Run some nodes backward; what they kept is freed."""
        for i in range(end - 1, start - 1, -1):
            self._back(i)

    def _back(self, i: int) -> None:
        network, gradients = self.network, self._gradients
        node = network.nodes[i]
        coming = [t for t in node.inputs if self.wanted[t] and t not in gradients]
        view = operator(node.operator).view
        through = view or node.inplace or node.operator in ("add", "identity")
        passed = [t for t in node.outputs if t in gradients]
        for t in dict.fromkeys(coming):
            # A sum hands its gradient on; a view looks at the same memory.
            gradients[t] = 0 if through and passed else network.tensors[t].size_bytes
            self.now += gradients[t]
        for p in node.parameters:
            if network.parameters[p].trainable and p not in self._learned:
                self._learned.add(p)
                self.now += network.parameters[p].size_bytes
        self._peak(f"backward: {node.name}")
        if through and passed and coming:
            gradients[coming[0]] += sum(gradients.pop(t) for t in passed)
        else:
            self.now -= sum(gradients.pop(t) for t in passed)
        self.now -= self.extra[i]
        for root in self.kept[i]:
            self._keeps[root] -= 1
            self._drop(root)
