"""Keras layers of sequences: recurrence, wrappers, attention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tradespace.core.errors import GraphError
from tradespace.graph.builder import Value, Weight
from tradespace.graph.network import Shape
from tradespace.graph.readers.keras.layers import dense, handles, only
from tradespace.graph.readers.keras.reading import (
    Layer,
    Made,
    Reading,
    Signal,
    signals_in,
)

# ------------------------------------------------------------------------------- recurrent

_CELLS = {"SimpleRNN": ("rnn", 1), "GRU": ("gru", 3), "LSTM": ("lstm", 4)}


def _cell_weights(k: Reading, layer: Layer, c: Mapping[str, Any], kind: str, width: int) -> tuple[
    list[Weight], int
]:  # fmt: skip
    gates, units = _CELLS[kind][1], int(c["units"])
    weights = [
        k.weight(layer, "kernel", (width, gates * units)),
        k.weight(layer, "recurrent_kernel", (units, gates * units)),
    ]
    biases = 0
    if c["use_bias"]:
        biases = 2 if kind == "GRU" and c.get("reset_after", True) else 1
        shape: Shape = (biases, gates * units) if biases > 1 else (gates * units,)
        weights.append(k.weight(layer, "bias", shape, "bias"))
    return weights, biases


@handles("SimpleRNN", "GRU", "LSTM")
def _recurrent(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    return _run(k, layer, layer.config, layer.kind, only(args))


def _run(k: Reading, layer: Layer, c: Mapping[str, Any], kind: str, given: Signal) -> Made:
    x = k.logical(given)
    weights, biases = _cell_weights(k, layer, c, kind, x.shape[-1])
    sequences = bool(c.get("return_sequences"))
    made = k.apply(
        _CELLS[kind][0],
        x,
        layer=layer,
        weights=weights,
        hidden=int(c["units"]),
        biases=biases,
        sequences=sequences,
    )
    if not c.get("return_state"):
        return Signal(made)
    state = (x.shape[0], int(c["units"]))
    count = 2 if kind == "LSTM" else 1
    states = [
        k.apply("view", made, layer=layer, suffix="state", shape=state, function="state")
        for _ in range(count)
    ]
    return [Signal(made), *(Signal(s) for s in states)]


@handles("RNN")
def _cells(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    cell = layer.inner("cell")
    entries = cell.config.get("cells") if cell.kind == "StackedRNNCells" else None
    kinds = {"SimpleRNNCell": "SimpleRNN", "GRUCell": "GRU", "LSTMCell": "LSTM"}
    steps = [(e["class_name"], e["config"]) for e in entries or ()] or [(cell.kind, cell.config)]
    if any(name not in kinds for name, _ in steps) or layer.config.get("return_state"):
        return k.unknown(layer, args)
    made: Made = only(args)
    for i, (name, config) in enumerate(steps):
        last = i == len(steps) - 1
        whole = not last or bool(layer.config.get("return_sequences"))
        part = Layer(name, name, layer.config, f"{layer.path}.{i}", frozen=layer.frozen)
        settings = {**config, "return_sequences": whole}
        made = _run(k, part if entries else layer, settings, kinds[name], only([made]))
    return made


@handles("Bidirectional")
def _bidirectional(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    forward, backward = layer.inner("layer", "forward"), layer.inner("layer", "backward")
    if "backward_layer" in layer.config:
        backward = layer.inner("backward_layer", "backward")
    c = forward.config
    same = forward.kind in _CELLS and c.get("units") == backward.config.get("units")
    mode = layer.config.get("merge_mode")
    if not same or c.get("return_state") or mode is None:
        return k.unknown(layer, args)
    x = k.logical(only(args))
    weights: list[Weight] = []
    biases = 0
    for part in (forward, backward):
        own, biases = _cell_weights(k, part, c, forward.kind, x.shape[-1])
        weights += own
    made = k.apply(
        _CELLS[forward.kind][0],
        x,
        layer=layer,
        weights=weights,
        hidden=int(c["units"]),
        bidirectional=True,
        biases=biases,
        sequences=bool(c.get("return_sequences")),
    )
    if mode == "concat":
        return Signal(made)
    half = (*made.shape[:-1], made.shape[-1] // 2)
    both = k.builder.slices(made, (half, half), name=f"{layer.path}.directions")
    merged = k.apply("multiply" if mode == "mul" else "add", *both, layer=layer, suffix=str(mode))
    return Signal(k.apply("divide", merged, layer=layer) if mode == "ave" else merged)


@handles("TimeDistributed")
def _each_step(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    x = k.logical(only(args))
    batch, steps = x.shape[:2]
    flat = k.apply("reshape", x, layer=layer, suffix="steps", shape=(batch * steps, *x.shape[2:]))
    made = k.call(layer.inner("layer"), [Signal(flat)], {})
    if isinstance(made, list):
        return k.unknown(layer, args)
    value = k.logical(made)
    shape = (batch, steps, *value.shape[1:])
    return Signal(k.apply("reshape", value, layer=layer, suffix="sequence", shape=shape))


@handles("SpectralNormalization")
def _spectral(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    inner = layer.inner("layer")
    made = k.call(inner, args, kwargs)
    units = inner.config.get("filters", inner.config.get("units", inner.config.get("output_dim")))
    if units is None:
        return k.unknown(layer, args)
    k.weight(layer, "vector_u", (1, int(units)), "statistic")
    return made


# ------------------------------------------------------------------------------- attention


def _by_heads(k: Reading, x: Value, heads: int, layer: Layer) -> Value:
    batch, steps, width = x.shape
    apart = k.apply(
        "reshape", x, layer=layer, suffix="heads", shape=(batch, steps, heads, width // heads)
    )
    return k.apply("transpose", apart, layer=layer, suffix="heads", order=(0, 2, 1, 3))


def _attend(
    k: Reading,
    layer: Layer,
    tensors: Sequence[Value],
    heads: tuple[int, int],
    widths: tuple[int, int],
    out: int,
    *,
    causal: bool,
) -> Value:
    bias = bool(layer.config.get("use_bias", True))
    names = ("query", "key", "value")
    counts, sizes = (heads[0], heads[1], heads[1]), (widths[0], widths[0], widths[1])
    parts = [
        _by_heads(k, dense(k, t, n * w, layer, name=name, bias=bias), n, layer)
        for t, n, w, name in zip(tensors, counts, sizes, names, strict=True)
    ]
    rate = float(layer.config.get("dropout", 0.0))
    made = k.apply(
        "attention", *parts, layer=layer, suffix="attention", causal=causal, dropout=rate
    )
    batch, count, steps, width = made.shape
    back = k.apply("transpose", made, layer=layer, suffix="heads", order=(0, 2, 1, 3))
    whole = k.apply(
        "reshape", back, layer=layer, suffix="heads", shape=(batch, steps, count * width)
    )
    return dense(k, whole, out, layer, name="output", bias=bias)


def _query_value_key(
    k: Reading, layer: Layer, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> list[Value]:
    """Return query, key and value; Keras gives the value before the key."""
    named = [kwargs.get("query"), kwargs.get("value"), kwargs.get("key")]
    given = [*args, *named[len(args) :]]
    query, value = given[0], given[1]
    key = given[2] if len(given) > 2 and given[2] is not None else value
    if not all(isinstance(t, Signal) for t in (query, key, value)):
        msg = f"Layer {layer.path!r} ({layer.kind}) lacks a query or a value."
        raise GraphError(msg, remedy="Save the model again; its configuration is damaged.")
    return [k.logical(t) for t in (query, key, value)]


@handles("MultiHeadAttention", "GroupQueryAttention", "GroupedQueryAttention")
def _multi_head(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    c = layer.config
    tensors = _query_value_key(k, layer, args, kwargs)
    if any(len(t.shape) != 3 for t in tensors) or c.get("use_gate"):
        return k.unknown(layer, [*args, *kwargs.values()])
    if layer.kind == "MultiHeadAttention":
        heads = (int(c["num_heads"]), int(c["num_heads"]))
        widths = (int(c["key_dim"]), int(c.get("value_dim") or c["key_dim"]))
    else:
        heads = (int(c["num_query_heads"]), int(c["num_key_value_heads"]))
        widths = (int(c["head_dim"]), int(c["head_dim"]))
    given = c.get("output_shape")
    out = (given if isinstance(given, int) else given[-1]) if given else tensors[0].shape[-1]
    causal = bool(kwargs.get("use_causal_mask"))
    made = _attend(k, layer, tensors, heads, widths, int(out), causal=causal)
    if not kwargs.get("return_attention_scores"):
        return Signal(made)
    shape = (made.shape[0], heads[0], tensors[0].shape[1], tensors[1].shape[1])
    scores = k.apply("view", made, layer=layer, suffix="scores", shape=shape, function="scores")
    return [Signal(made), Signal(scores)]


@handles("Attention", "AdditiveAttention")
def _plain_attention(k: Reading, layer: Layer, args: list[Any], kwargs: Mapping[str, Any]) -> Made:
    c = layer.config
    tensors = [k.logical(t) for t in signals_in(args[0] if args else kwargs.get("inputs"))]
    query, value = tensors[:2]
    key = tensors[2] if len(tensors) > 2 else value
    if layer.kind == "Attention" and c.get("score_mode", "dot") == "dot":
        weights = [k.weight(layer, "scale", ())] if c.get("use_scale") else []
        rate = float(c.get("dropout", 0.0))
        made = k.apply("attention", query, key, value, layer=layer, weights=weights, dropout=rate)
        return Signal(made)
    batch, rows, width = query.shape
    columns = key.shape[1]
    q = k.apply("reshape", query, layer=layer, suffix="query", shape=(batch, rows, 1, width))
    s = k.apply("reshape", key, layer=layer, suffix="key", shape=(batch, 1, columns, width))
    total = k.apply("tanh", k.apply("add", q, s, layer=layer, suffix="add"), layer=layer)
    weights = []
    if layer.kind == "Attention":
        weights.append(k.weight(layer, "concat_score_weight", ()))
    if c.get("use_scale", layer.kind == "AdditiveAttention"):
        shape: Shape = (width,) if layer.kind == "AdditiveAttention" else ()
        weights.append(k.weight(layer, "scale", shape))
    scaled = k.apply("multiply", total, layer=layer, suffix="scale", weights=weights)
    scores = k.apply("sum", scaled, layer=layer, suffix="scores", axes=-1)
    share = k.apply("softmax", scores, layer=layer, suffix="softmax")
    return Signal(k.apply("matmul", share, value, layer=layer, suffix="attend"))
