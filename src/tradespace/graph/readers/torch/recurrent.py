"""Recurrent layers and cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from tradespace.graph.readers.torch.calls import Use
from tradespace.graph.readers.torch.handlers import handles

if TYPE_CHECKING:
    from tradespace.graph.readers.torch.recorder import Recorder


@handles("lstm", "gru", "rnn_tanh", "rnn_relu")
def _recurrent(r: Recorder, u: Use) -> None:
    cell = u.call.plain.partition("_")[0]
    x: Any = u.get("input", u.get("data"))
    weights = list(u["params"])
    layers, directions = int(u["num_layers"]), 2 if u["bidirectional"] else 1
    per_cell = len(weights) // (layers * directions)
    # weight_ih, weight_hh, then two biases, then a projection, as far as they are there.
    biases = 2 if u["has_biases"] else 0
    projected = per_cell - 2 - biases == 1
    hidden = weights[0].shape[0] // {"rnn": 1, "gru": 3, "lstm": 4}[cell]
    roles = ("", "", *("bias",) * biases, *("",) * projected) * (layers * directions)
    packed = x.ndim == 2
    steps_first = not packed and not u.get("batch_first", False)
    if packed or steps_first:
        shape = (1, *x.shape) if packed else (x.shape[1], x.shape[0], x.shape[2])
        x = r.seen_as(x, shape)
    r.add(
        cell,
        [x],
        u.first,
        weights=weights,
        roles=roles,
        hidden=hidden,
        layers=layers,
        bidirectional=bool(u["bidirectional"]),
        biases=biases,
        projection=weights[4].shape[0] if projected and biases else 0,
    )
    source = r.value(u.first)
    for state in u.results[1:]:
        shape = tuple(state.shape)
        name = r.name("view")
        r.bind(state, *r.builder.record("view", source, name=name, shape=shape, function="state"))


@handles("lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell")
def _cell(r: Recorder, u: Use) -> None:
    cell = u.call.plain.partition("_")[0]
    x = u["input"]
    step = r.seen_as(x, (x.shape[0], 1, x.shape[1]))
    held = [u["w_ih"], u["w_hh"], u["b_ih"], u["b_hh"]]
    out = u.first
    wide = torch.empty((x.shape[0], 1, out.shape[-1]), dtype=out.dtype, device="meta")
    r.add(
        cell,
        [step],
        wide,
        weights=held,
        roles=("", "", "bias", "bias"),
        hidden=out.shape[-1],
        biases=2 if u["b_ih"] is not None else 0,
    )
    for state in u.results:
        r.add("view", [wide], state, shape=tuple(state.shape), function="state")
