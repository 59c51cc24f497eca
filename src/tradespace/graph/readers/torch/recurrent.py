"""Recurrent layers and cells."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils import _pytree as pytree

from tradespace.graph.readers.torch.calls import bound, first
from tradespace.graph.readers.torch.handlers import HANDLERS, Handler, Recording


def _recurrent(cell: str) -> Handler:
    def handle(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
        a = bound(func, args, kwargs)
        x: Any = a.get("input", a.get("data"))
        weights = list(a["params"])
        layers, directions = int(a["num_layers"]), 2 if a["bidirectional"] else 1
        per_cell = len(weights) // (layers * directions)
        # weight_ih, weight_hh, then two biases, then a projection, as far as they are there.
        biases = 2 if a["has_biases"] else 0
        projected = per_cell - 2 - biases == 1
        hidden = weights[0].shape[0] // {"rnn": 1, "gru": 3, "lstm": 4}[cell]
        roles = ("", "", *("bias",) * biases, *("",) * projected) * (layers * directions)
        packed = x.ndim == 2
        steps_first = not packed and not a.get("batch_first", False)
        if packed or steps_first:
            shape = (1, *x.shape) if packed else (x.shape[1], x.shape[0], x.shape[2])
            x = r.seen_as(x, shape)
        r.add(
            cell,
            [x],
            first(result),
            weights=weights,
            roles=roles,
            hidden=hidden,
            layers=layers,
            bidirectional=bool(a["bidirectional"]),
            biases=biases,
            projection=weights[4].shape[0] if projected and biases else 0,
        )
        source = r.value(first(result))
        for state in pytree.tree_leaves(result)[1:]:
            shape = tuple(state.shape)
            name = r.name("view")
            r.bind(
                state, *r.builder.record("view", source, name=name, shape=shape, function="state")
            )

    return handle


HANDLERS["aten.lstm"] = _recurrent("lstm")
HANDLERS["aten.gru"] = _recurrent("gru")
HANDLERS["aten.rnn_tanh"] = _recurrent("rnn")
HANDLERS["aten.rnn_relu"] = _recurrent("rnn")


def _cell(cell: str) -> Handler:
    def handle(r: Recording, func: Any, args: Any, kwargs: Any, result: Any) -> None:
        a = bound(func, args, kwargs)
        x = a["input"]
        step = r.seen_as(x, (x.shape[0], 1, x.shape[1]))
        held = [a["w_ih"], a["w_hh"], a["b_ih"], a["b_hh"]]
        out = first(result)
        wide = torch.empty((x.shape[0], 1, out.shape[-1]), dtype=out.dtype, device="meta")
        r.add(
            cell,
            [step],
            wide,
            weights=held,
            roles=("", "", "bias", "bias"),
            hidden=out.shape[-1],
            biases=2 if a["b_ih"] is not None else 0,
        )
        for state in pytree.tree_leaves(result):
            r.add("view", [wide], state, shape=tuple(state.shape), function="state")

    return handle


HANDLERS["aten.lstm_cell"] = _cell("lstm")
HANDLERS["aten.gru_cell"] = _cell("gru")
HANDLERS["aten.rnn_tanh_cell"] = _cell("rnn")
HANDLERS["aten.rnn_relu_cell"] = _cell("rnn")
