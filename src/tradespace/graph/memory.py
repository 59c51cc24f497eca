"""Memory that a network takes, without running or allocating anything.

Inference: the weights and the largest sum of activations that live at one time. Training: the
weights, their gradients, the optimizer's state, master copies under mixed formats, and what the
backward pass needs of the forward pass, each memory counted once however often it is kept.

The step is walked through operator by operator: forward with what is kept, backward with the
gradients of activations as they come and go.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field

from tradespace.core.errors import GraphError
from tradespace.core.suggest import unknown
from tradespace.graph.counts import needs_gradient, node_symbols
from tradespace.graph.formats import FLOATS, check_format
from tradespace.graph.formulas import formula
from tradespace.graph.liveness import Walk, storage_sizes, storages
from tradespace.graph.network import Network, Node
from tradespace.graph.operators import operator

#: optimizer -> fp32 numbers that it keeps for each trainable parameter.
OPTIMIZERS = {
    "none": 0,
    "sgd": 0,
    "momentum": 1,
    "adagrad": 1,
    "rmsprop": 1,
    "adadelta": 2,
    "adamax": 2,
    "adam": 2,
    "adamw": 2,
    "nadam": 2,
    "radam": 2,
    "adafactor": 0,  # a row and a column for each matrix: see `optimizer_numbers`
}


def optimizer_numbers(network: Network, optimizer: str) -> int:
    """Return how many fp32 numbers an optimizer keeps for the trainable parameters.

    Examples
    --------
    >>> from tradespace.graph.zoo import network
    >>> net = network("mlp-784-300-100-10")
    >>> optimizer_numbers(net, "momentum"), optimizer_numbers(net, "adafactor")
    (266610, 2004)

    """
    if optimizer not in OPTIMIZERS:
        raise unknown(GraphError, "optimizer", optimizer, OPTIMIZERS)
    trainable = [p for p in network.parameters if p.trainable]
    if optimizer != "adafactor":
        return OPTIMIZERS[optimizer] * sum(p.elements for p in trainable)
    total = 0
    for p in trainable:
        if len(p.shape) < 2:
            total += p.elements
        else:
            total += p.elements // p.shape[-1] + p.elements // p.shape[-2]
    return total


@dataclass(frozen=True, slots=True)
class InferenceMemory:
    """Bytes of a forward pass in service.

    Parameters
    ----------
    weights_bytes : int
        Parameters and statistics.
    activations_bytes : int
        The largest sum of activations that live at one time.
    peak_bytes : int
        Their sum.
    at : str
        Node at which the peak is reached.
    all_activations_bytes : int
        What keeping every activation would take: the sum that naive counters print.

    """

    weights_bytes: int
    activations_bytes: int
    peak_bytes: int
    at: str
    all_activations_bytes: int


@dataclass(frozen=True, slots=True)
class TrainingMemory:
    """Bytes of a training step.

    Parameters
    ----------
    weights_bytes, gradients_bytes, optimizer_bytes, master_bytes : int
        Parameters with statistics; gradients of trainable ones; the optimizer's state; fp32
        copies of weights that are held in a shorter format.
    saved_bytes : int
        Activations kept for the backward pass, each once.
    peak_bytes : int
        The most that lives at one time in the step.
    at : str
        Where: ``"forward: layer"`` or ``"backward: layer"``.
    saved_by_node : Mapping
        Name of a node -> bytes that were kept first for it.
    notes : tuple of str
        What was assumed.

    """

    weights_bytes: int
    gradients_bytes: int
    optimizer_bytes: int
    master_bytes: int
    saved_bytes: int
    peak_bytes: int
    at: str
    saved_by_node: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def state_bytes(self) -> int:
        """Bytes that live through the whole step."""
        return self.weights_bytes + self.gradients_bytes + self.optimizer_bytes + self.master_bytes


def weights_bytes(network: Network) -> int:
    """Return the bytes of all parameters and statistics, tied ones once."""
    return sum(p.size_bytes for p in network.parameters)


def inference_memory(network: Network) -> InferenceMemory:
    """Return the memory of a forward pass whose activations are freed after their last use.

    Outputs that overwrite their input (in place) and views take nothing. The network's inputs
    count as long as they are needed, its outputs until the end.

    Examples
    --------
    >>> from tradespace.graph.zoo import network
    >>> memory = inference_memory(network("mlp-784-300-100-10"))
    >>> memory.weights_bytes, memory.activations_bytes  # 784 inputs and 300 hidden, 4 B each
    (1066440, 4336)

    """
    owner = storages(network, service=True)
    size = storage_sizes(network, owner)
    last: dict[int, int] = {}
    for step, node in enumerate(network.nodes):
        for i in (*node.inputs, *node.outputs):
            last[owner[i]] = step
    for i in network.outputs:
        last[owner[i]] = len(network.nodes)
    ends: dict[int, list[int]] = {}
    for root, step in last.items():
        ends.setdefault(step, []).append(root)
    live = {owner[i] for i in network.inputs}
    now = sum(size[root] for root in live)
    most, at = now, "input"
    for step, node in enumerate(network.nodes):
        for i in node.outputs:
            if owner[i] not in live:
                live.add(owner[i])
                now += size[owner[i]]
        if now > most:
            most, at = now, node.name
        for root in ends.get(step, ()):
            if root in live:
                live.remove(root)
                now -= size[root]
    held = weights_bytes(network)
    whole = sum(size.values())
    return InferenceMemory(held, most, held + most, at, whole)


def saved_items(
    network: Network, node: Node, wanted: list[bool], *, device: str
) -> tuple[list[int], int]:
    """Return the tensors that a node keeps for its backward pass, and bytes of its own."""
    op = operator(node.operator)
    learned = any(network.parameters[i].trainable for i in node.parameters)
    if not learned and not any(wanted[i] for i in node.inputs):
        return [], 0
    mask = (
        1
        if device == "cuda"
        else network.tensors[node.outputs[0]].size_bytes
        // max(1, network.tensors[node.outputs[0]].elements)
    )
    symbols = {**node_symbols(network, node, op), "mask": mask}
    kept: list[int] = []
    extra = 0
    for rule in op.kept(node.attributes, device):
        what, _, condition = rule.partition("@")
        if condition == "parameters" and not _learned_weight(network, node):
            continue
        if condition.startswith("input"):
            other = int(condition.removeprefix("input"))
            if other >= len(node.inputs) or not wanted[node.inputs[other]]:
                continue
        if what.startswith("="):
            extra += formula(what[1:])(symbols)
        elif what == "inputs":
            kept += node.inputs
        elif what.startswith("input"):
            kept += node.inputs[int(what.removeprefix("input")) :][:1]
        else:
            kept += node.outputs[int(what.removeprefix("output")) :][:1]
    return kept, extra


def _learned_weight(network: Network, node: Node) -> bool:
    held = [network.parameters[i] for i in node.parameters]
    return any(p.trainable and p.role != "bias" for p in held) or (not held)


@dataclass(frozen=True, slots=True)
class _Step:
    """What the forward pass keeps, by node."""

    kept: list[list[int]]  # roots
    extra: list[int]


def training_memory(
    network: Network,
    *,
    optimizer: str = "adam",
    format: str = "fp32",  # noqa: A002 - the word of the field
    device: str = "cuda",
    checkpoint: int | None = None,
) -> TrainingMemory:
    """Return the memory of a training step.

    Parameters
    ----------
    network : Network
        With the batch of training; frozen parameters get neither gradient nor state.
    optimizer : str
        One of `OPTIMIZERS`; its state is in fp32.
    format : str
        Number format of activations, gradients and working weights. A format shorter than fp32
        adds a master copy of the weights in fp32.
    device : str
        ``"cuda"`` keeps the masks of dropout in one byte, ``"cpu"`` in a number.
    checkpoint : int, optional
        Keep only the signals between that many segments and compute each segment but the last
        again when its turn comes in the backward pass.

    Raises
    ------
    GraphError
        If the optimizer, format or number of segments is not known.

    Examples
    --------
    >>> from tradespace.graph.zoo import network
    >>> memory = training_memory(network("mlp-784-300-100-10", batch=32), optimizer="adam")
    >>> memory.gradients_bytes, memory.optimizer_bytes
    (1066440, 2132880)

    """
    numbers = optimizer_numbers(network, optimizer)
    if check_format(format) not in FLOATS or format == "fp8":
        msg = f"Training in {format} is not modelled."
        raise GraphError(msg, remedy="Choose fp32, tf32, bf16, fp16 or fp64.")
    cast = network.with_format(format)
    trainable = [p for p in cast.parameters if p.trainable]
    count = sum(p.elements for p in trainable)
    gradients = sum(p.size_bytes for p in trainable)
    state = 4 * numbers
    short = format in ("bf16", "fp16")
    master = 4 * count if short else 0
    held = weights_bytes(cast)
    fixed = held + state + master
    wanted = needs_gradient(cast)
    step = _forward(cast, wanted, device)
    notes = []
    if checkpoint is not None:
        saved, by_node = _checkpoints(cast, checkpoint)
        notes.append(f"{checkpoint} segments, all but the last computed again going backward")
    else:
        saved, by_node = _saved(cast, step)
    peak, at = _walk(cast, step, wanted, fixed, checkpoint or 1)
    return TrainingMemory(
        weights_bytes=held,
        gradients_bytes=gradients,
        optimizer_bytes=state,
        master_bytes=master,
        saved_bytes=saved,
        peak_bytes=peak,
        at=at,
        saved_by_node=by_node,
        notes=tuple(notes),
    )


def _forward(network: Network, wanted: list[bool], device: str) -> _Step:
    owner = storages(network)
    kept, extra = [], []
    for node in network.nodes:
        tensors, more = saved_items(network, node, wanted, device=device)
        kept.append([owner[i] for i in tensors])
        extra.append(more)
    return _Step(kept, extra)


def saved_activations(network: Network, *, device: str = "cuda") -> int:
    """Return the bytes that a forward pass keeps for the backward pass, each memory once."""
    return _saved(network, _forward(network, needs_gradient(network), device))[0]


def _saved(network: Network, step: _Step) -> tuple[int, dict[str, int]]:
    size = storage_sizes(network, storages(network))
    seen: set[int] = set()
    total = 0
    by_node: dict[str, int] = {}
    for node, roots, extra in zip(network.nodes, step.kept, step.extra, strict=True):
        new = [r for r in dict.fromkeys(roots) if r not in seen]
        seen.update(new)
        amount = sum(size[r] for r in new) + extra
        if amount:
            by_node[node.name] = amount
        total += amount
    return total, by_node


def _walk(
    network: Network, step: _Step, wanted: list[bool], fixed: int, parts: int
) -> tuple[int, str]:
    """Return the peak of a step and where it is reached.

    With more than one part, all but the last are run without keeping anything, and run again
    when their turn comes in the backward pass.
    """
    walk = Walk(network, step.kept, step.extra, wanted, fixed)
    segments = _segments(len(network.nodes), parts)
    needed = [_needed(network, walk.owner, *segment) for segment in segments]
    for roots in needed[1:]:
        walk.pin(roots)
    for segment in segments[:-1]:
        walk.forward(*segment, keep=parts == 1)
    walk.forward(*segments[-1], keep=True)
    walk.begin_backward()
    for i in range(len(segments) - 1, -1, -1):
        if i < len(segments) - 1:
            walk.forward(*segments[i], keep=True)
        walk.backward(*segments[i])
        if i:
            walk.unpin(needed[i])
    return walk.most, walk.at


def _segments(count: int, parts: int) -> list[tuple[int, int]]:
    ends = [round(count * k / parts) for k in range(parts + 1)]
    return [(a, b) for a, b in itertools.pairwise(ends) if b > a]


def _needed(network: Network, owner: list[int], start: int, end: int) -> set[int]:
    """Return the roots that a segment takes from before it."""
    nodes = network.nodes[start:end]
    made = {owner[t] for n in nodes for t in n.outputs if owner[t] == t}
    return {owner[t] for n in nodes for t in n.inputs} - made


def _checkpoints(network: Network, parts: int) -> tuple[int, dict[str, int]]:
    """Return the bytes kept between segments, and at which node each begins to be kept."""
    if not 1 <= parts <= len(network.nodes):
        msg = f"Checkpointing in {parts} segments does not fit {len(network.nodes)} operators."
        raise GraphError(msg, remedy=f"Choose 1 to {len(network.nodes)} segments.")
    owner = storages(network)
    size = storage_sizes(network, owner)
    between: set[int] = set()
    by_node: dict[str, int] = {}
    for start, end in _segments(len(network.nodes), parts):
        new = _needed(network, owner, start, end) - between
        if new:
            name = network.nodes[start].name
            by_node[name] = by_node.get(name, 0) + sum(size[r] for r in new)
        between |= new
    return sum(size[r] for r in between), by_node
