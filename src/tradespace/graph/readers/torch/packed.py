"""Packed sequences: batches of different lengths, whose lengths are known as numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import torch

from tradespace.core.errors import GraphError
from tradespace.graph.readers.torch.calls import Use
from tradespace.graph.readers.torch.handlers import handles
from tradespace.graph.readers.torch.results import META

if TYPE_CHECKING:
    from tradespace.graph.readers.torch.recorder import Recorder

Finder: TypeAlias = "Callable[[Recorder, Use], Any]"
#: Name of an operator -> what finds its result from known lengths.
FINDERS: dict[str, Finder] = {}


def _known(r: Recorder, tensor: torch.Tensor, what: str) -> torch.Tensor:
    value = r.known(tensor)
    if value is None:
        msg = f"The {what} of a packed sequence depend on the data."
        raise GraphError(msg, remedy="Give the lengths as a tensor with its values.")
    return value


def _pack(r: Recorder, u: Use) -> Any:
    x, lengths = u["input"], _known(r, u["lengths"], "lengths").tolist()
    steps = x.shape[1 if u["batch_first"] else 0]
    if not lengths or max(lengths) > steps or min(lengths) < 1:
        msg = f"Lengths of a packed sequence are from 1 to {steps}; got {lengths[:8]}."
        raise GraphError(msg, remedy="Check the lengths against the input's shape.")
    sizes = [sum(n > step for n in lengths) for step in range(max(lengths))]
    data = torch.empty((sum(lengths), *x.shape[2:]), dtype=x.dtype, device=META)
    # PackedSequence insists on a tensor on the CPU.
    return data, torch.tensor(sizes)


def _unpack(r: Recorder, u: Use) -> Any:
    data, sizes = u["data"], _known(r, u["batch_sizes"], "sizes").tolist()
    steps, batch = max(len(sizes), int(u["total_length"] or 0)), sizes[0]
    lead = (batch, steps) if u["batch_first"] else (steps, batch)
    lengths = torch.tensor([sum(size > i for size in sizes) for i in range(batch)])
    return torch.empty((*lead, *data.shape[1:]), dtype=data.dtype, device=META), lengths


def _run(r: Recorder, u: Use) -> Any:
    """Return outputs of all steps of a recurrent layer over packed data, and its last states."""
    data, states = u["data"], u["hx"]
    states = [states] if isinstance(states, torch.Tensor) else list(states)
    width = states[0].shape[-1] * (2 if u["bidirectional"] else 1)
    out = torch.empty((data.shape[0], width), dtype=data.dtype, device=META)
    return out, *(torch.empty(s.shape, dtype=s.dtype, device=META) for s in states)


FINDERS["aten._pack_padded_sequence"] = _pack
FINDERS["aten._pad_packed_sequence"] = _unpack
for _name in ("lstm", "gru", "rnn_tanh", "rnn_relu"):
    FINDERS[f"aten.{_name}.data"] = _run


@handles("_pack_padded_sequence", "_pad_packed_sequence")
def _moved(r: Recorder, u: Use) -> None:
    r.add("copy", [u.args[0]], u.result[0], shape=tuple(u.result[0].shape), function="pack")
