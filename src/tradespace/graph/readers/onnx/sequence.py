"""ONNX operators of sequences: recurrent layers and attention in every spelling."""

from __future__ import annotations

import math

from tradespace.graph.network import Shape
from tradespace.graph.readers.onnx.layers import dense, handles
from tradespace.graph.readers.onnx.recorder import Call, Item, Recorder, UndeterminedError

# ------------------------------------------------------------------------------- recurrent


@handles("LSTM", "GRU", "RNN")
def _recurrent(r: Recorder, call: Call) -> None:
    x, w, rec, b = call.item(0), call.item(1), call.item(2), call.optional(3)
    gates = {"RNN": 1, "GRU": 3, "LSTM": 4}[call.op]
    directions, hidden = w.shape[0], rec.shape[-1]
    batch_first = bool(call.attributes.get("layout", 0))
    if not batch_first:
        if call.node.input[0] in r.inputs:
            r.builder.batch = max(1, x.shape[1])  # steps stand first, the batch second
        x = r.transpose(x, (1, 0, 2), call)
    used = [bool(n) and (n in r.readers or n in r.outputs) for n in call.outputs]
    sequences = bool(used) and used[0]
    held = 0
    if b is not None and b.value is None:
        held = r.elements_of(b) // max(1, directions * gates * hidden)
    made = r.add(
        call,
        call.op.lower(),
        [x],
        weights=[(w, "weight"), (rec, "weight"), (b if held else None, "bias")],
        bind=False,
        hidden=hidden,
        bidirectional=directions == 2,
        biases=min(held, 2),
        sequences=sequences,
    )[0]
    steps, batch = x.shape[1], x.shape[0]
    whole = (steps, directions, batch, hidden)
    state: Shape = (directions, batch, hidden)
    if batch_first:
        whole, state = (batch, steps, directions, hidden), (batch, directions, hidden)
    for name, shape, kind in zip(call.outputs, (whole, state, state), ("", "state", "state")):  # noqa: B905 - outputs may be left out
        if name and (name in r.readers or name in r.outputs):
            r.items[name] = r.view(made, shape, call, function=kind or "transpose")


# ------------------------------------------------------------------------------- attention


@handles("Attention")
def _attention(r: Recorder, call: Call) -> None:
    q, k, v = (call.item(i) for i in range(3))
    a = call.attributes
    flat = len(q.shape) == 3
    heads = int(a.get("q_num_heads", 1)), int(a.get("kv_num_heads", a.get("q_num_heads", 1)))
    if flat:
        q, k, v = (
            heads_apart(r, call, t, n) for t, n in ((q, heads[0]), (k, heads[1]), (v, heads[1]))
        )
    k, v = _with_past(r, call, k, call.optional(4)), _with_past(r, call, v, call.optional(5))
    mask = call.optional(3)
    made = r.add(
        call,
        "attention",
        [q, k, v, mask if r.is_signal(mask) else None],
        bind=False,
        causal=bool(a.get("is_causal", 0)),
    )[0]
    if flat:
        made = heads_together(r, call, made)
    results = [made, k, v]
    for name, item in zip(call.outputs, results, strict=False):
        r.items[name] = item
    if len(call.outputs) > 3 and call.outputs[3]:
        scores = (*q.shape[:3], k.shape[2])
        r.items[call.outputs[3]] = r.view(made, scores, call, function="scores")


def heads_apart(r: Recorder, call: Call, item: Item, heads: int) -> Item:
    """Return (batch, positions, width) as (batch, heads, positions, width of a head)."""
    batch, positions, width = item.shape
    apart = r.view(item, (batch, positions, heads, width // heads), call, function="reshape")
    return r.transpose(apart, (0, 2, 1, 3), call)


def heads_together(r: Recorder, call: Call, item: Item) -> Item:
    """Return (batch, heads, positions, width of a head) as (batch, positions, width)."""
    batch, heads, positions, width = item.shape
    back = r.transpose(item, (0, 2, 1, 3), call)
    return r.view(back, (batch, positions, heads * width), call, function="reshape")


def _with_past(r: Recorder, call: Call, new: Item, past: Item | None) -> Item:
    if past is None or not math.prod(past.shape):
        return new
    name = f"{call.name}.past"
    return r.add(call, "concatenate", [past, new], name=name, bind=False, axis=2)[0]


@handles("ms.Attention")
def _attention_fused(r: Recorder, call: Call) -> None:
    """Read the operator that projects queries, keys and values itself."""
    x, weight, bias = call.item(0), call.item(1), call.optional(2)
    heads = int(call.attributes["num_heads"])
    made = dense(r, call, x, weight, bias, bind=False)
    sizes = [int(n) for n in call.attributes.get("qkv_hidden_sizes", [weight.shape[1] // 3] * 3)]
    parts = [
        heads_apart(r, call, r.view(made, (*x.shape[:2], n), call, function="slice"), heads)
        for n in sizes
    ]
    done = r.add(
        call,
        "attention",
        parts,
        name=f"{call.name}.attention",
        bind=False,
        causal=bool(call.attributes.get("unidirectional", 0)),
    )[0]
    r.bind(call, [heads_together(r, call, done)])


@handles("ms.MultiHeadAttention", "ms.GroupQueryAttention")
def _attention_of_heads(r: Recorder, call: Call) -> None:
    q, k, v = call.item(0), call.optional(1), call.optional(2)
    heads = int(call.attributes["num_heads"])
    shared = int(call.attributes.get("kv_num_heads", heads))
    if k is None or v is None or len(q.shape) != 3 or len(k.shape) != 3:
        msg = f"{call.name!r} packs queries, keys and values"
        raise UndeterminedError(msg)
    grouped = call.op == "GroupQueryAttention"
    parts = [heads_apart(r, call, t, n) for t, n in ((q, heads), (k, shared), (v, shared))]
    past = (3, 4) if grouped else (6, 7)
    parts[1] = _with_past(r, call, parts[1], call.optional(past[0]))
    parts[2] = _with_past(r, call, parts[2], call.optional(past[1]))
    causal = grouped or bool(call.attributes.get("unidirectional", 0))
    made = r.add(call, "attention", parts, bind=False, causal=causal)[0]
    results = [heads_together(r, call, made), parts[1], parts[2]]
    for name, item in zip(call.outputs, results, strict=False):
        r.items[name] = item


@handles("RotaryEmbedding", "ms.RotaryEmbedding")
def _rotary(r: Recorder, call: Call) -> None:
    tables = (2, 3) if call.attributes.get("domain") == "ms" else (1, 2)
    r.add(call, "rotary", [call.item(0), *(call.item(i) for i in tables)])
