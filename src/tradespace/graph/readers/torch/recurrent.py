"""Recurrent layers and cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from tradespace.graph.readers.torch.calls import Use
from tradespace.graph.readers.torch.handlers import Handler, handles

if TYPE_CHECKING:
    from tradespace.graph.readers.torch.recorder import Recorder


def _recurrent(cell: str) -> Handler:
    def handle(r: Recorder, u: Use) -> None:
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
            r.bind(
                state, *r.builder.record("view", source, name=name, shape=shape, function="state")
            )

    return handle


handles("lstm")(_recurrent("lstm"))
handles("gru")(_recurrent("gru"))
handles("rnn_tanh")(_recurrent("rnn"))
handles("rnn_relu")(_recurrent("rnn"))


def _cell(cell: str) -> Handler:
    def handle(r: Recorder, u: Use) -> None:
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

    return handle


handles("lstm_cell")(_cell("lstm"))
handles("gru_cell")(_cell("gru"))
handles("rnn_tanh_cell")(_cell("rnn"))
handles("rnn_relu_cell")(_cell("rnn"))
