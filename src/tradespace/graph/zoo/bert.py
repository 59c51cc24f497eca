"""BERT and its relatives: encoders with learned positions, norms after the sums."""

from __future__ import annotations

from tradespace.graph.builder import Builder, Value
from tradespace.graph.network import Network
from tradespace.graph.zoo.transformer import (
    Projections,
    attention,
    check_heads,
    check_positions,
    feed_forward,
    learned_positions,
    looked_up,
    maybe_dropout,
)

_BERT = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attention": "attention.self",
    "output": "attention.output.dense",
    "norm1": "attention.output.LayerNorm",
    "hidden": "intermediate.dense",
    "back": "output.dense",
    "norm2": "output.LayerNorm",
    "layer": "encoder.layer",
}
_DISTILBERT = {
    "query": "attention.q_lin",
    "key": "attention.k_lin",
    "value": "attention.v_lin",
    "attention": "attention",
    "output": "attention.out_lin",
    "norm1": "sa_layer_norm",
    "hidden": "ffn.lin1",
    "back": "ffn.lin2",
    "norm2": "output_layer_norm",
    "layer": "transformer.layer",
}


def bert(
    *,
    name: str = "bert",
    batch: int = 1,
    length: int = 128,
    layers: int = 12,
    width: int = 768,
    heads: int = 12,
    hidden: int | None = None,
    vocabulary: int = 30522,
    positions: int = 512,
    reserved: int = 0,
    token_types: int = 2,
    pooler: bool = True,
    mask: bool = True,
    dropout: float = 0.1,
    attention_dropout: float = 0.1,
    distilled: bool = False,
) -> Network:
    """Return an encoder in the manner of BERT.

    Parameters
    ----------
    name : str
        Of the network.
    batch, length : int
        Sequences in one pass, and tokens of each.
    layers, width, heads : int
        Of the encoder.
    hidden : int, optional
        Neurons between the two feed-forward layers; four times the width if not given.
    vocabulary, positions, token_types : int
        Rows of the three tables; no table of types if zero.
    reserved : int
        Rows of the table of positions that no token can have (2 for RoBERTa).
    pooler : bool
        Whether the first token goes through another dense layer. Published counts have its
        parameters, but often not its products.
    mask : bool
        Whether padding is masked; then the mask is an input.
    dropout, attention_dropout : float
        Of embeddings and blocks, and of the scores.
    distilled : bool
        Whether layers are named as in DistilBERT.

    Examples
    --------
    >>> from tradespace.graph.counts import forward_macs, parameters
    >>> parameters(bert()), forward_macs(bert(pooler=False))
    (109482240, 11173625856)

    """
    check_heads(name, width, heads)
    check_positions(name, length, positions - reserved)
    b = Builder(name, batch=batch)
    names = _DISTILBERT if distilled else _BERT
    tokens = b.input((length,), format="int64", name="input_ids")
    allowed: Value | None = None
    if mask:
        given = b.input((length,), format="int64", name="attention_mask")
        allowed = b.apply("compare", given, name="mask", format="bool")
        shape = (batch, 1, length, length)
        (allowed,) = b.slices(allowed, [shape], name="mask.expand")
    with b.scope("embeddings"):
        x = _embedded(b, tokens, vocabulary, positions, token_types, width, dropout)
    layer_names = Projections(
        query=names["query"], key=names["key"], value=names["value"], output=names["output"]
    )
    for i in range(layers):
        with b.scope(f"{names['layer']}.{i}"):
            h = attention(
                b,
                x,
                layer_names,
                heads=heads,
                name=names["attention"],
                mask=allowed,
                dropout=attention_dropout,
            )
            x = _joined(b, x, h, dropout, names["norm1"])
            h = feed_forward(
                b,
                x,
                hidden or 4 * width,
                activation="gelu",
                names=(names["hidden"], names["back"]),
            )
            x = _joined(b, x, h, dropout, names["norm2"])
    if not pooler:
        return b.build(x)
    (first,) = b.slices(x, [(batch, width)], name="pooler.first")
    pooled = b.activation(b.dense(first, width, name="pooler.dense"), "tanh", name="pooler.tanh")
    return b.build(x, pooled)


def _embedded(
    b: Builder,
    tokens: Value,
    vocabulary: int,
    positions: int,
    token_types: int,
    width: int,
    dropout: float,
) -> Value:
    length = tokens.shape[-1]
    x, _ = b.embedding(tokens, vocabulary, width, name="word_embeddings")
    if token_types:
        if token_types > 1:
            types = b.input((length,), format="int64", name="token_type_ids")
        else:
            shape = tokens.shape
            types = b.apply("fill", name="types", shape=shape, function="zeros", format="int64")
        with b.scope("token_type_embeddings"):
            table = b.parameter("weight", (token_types, width), "embedding")
        x = b.add(x, looked_up(b, types, table, name="token_type_embeddings"), name="add_types")
    place = learned_positions(b, length, positions, width, name="position_embeddings")
    x = b.layer_norm(b.add(x, place, name="add_positions"), name="LayerNorm")
    return maybe_dropout(b, x, dropout)


def _joined(b: Builder, x: Value, h: Value, dropout: float, norm: str) -> Value:
    h = maybe_dropout(b, h, dropout, name=f"{norm}.dropout")
    return b.layer_norm(b.add(h, x, name=f"{norm}.add"), name=norm)
