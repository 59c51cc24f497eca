"""Vision Transformers."""

from __future__ import annotations

from tradespace.core.errors import GraphError
from tradespace.graph.builder import Builder, Value
from tradespace.graph.network import Network
from tradespace.graph.zoo._blocks import learned


def vit(
    *,
    name: str = "vit",
    batch: int = 1,
    patch: int = 16,
    layers: int = 12,
    heads: int = 12,
    width: int = 768,
    hidden: int = 3072,
    dropout: float = 0.0,
    size: int = 224,
    classes: int = 1000,
) -> Network:
    """Return a Vision Transformer.

    Parameters
    ----------
    name : str
        Of the network.
    batch : int
        Samples in one pass.
    patch : int
        Height and width of the squares that pictures are cut into.
    layers, heads, width, hidden : int
        Of the Transformer; `hidden` is the width inside its feed-forward layers.
    dropout : float
        Share of activations that training zeroes.
    size, classes : int
        Height and width of the pictures; outputs.

    Examples
    --------
    >>> from tradespace.graph.counts import parameters
    >>> parameters(vit()), parameters(vit(patch=32))
    (86567656, 88224232)

    """
    if size % patch or width % heads:
        msg = f"Pictures of {size} pixels cannot be cut by {patch}, or {width} by {heads} heads."
        raise GraphError(msg, remedy="Give a size and a width that can be divided evenly.")
    b = Builder(name, batch=batch)
    x = b.conv(b.input((3, size, size)), width, patch, stride=patch, name="conv_proj")
    x = b.transpose(
        b.reshape(x, (batch, width, -1), name="conv_proj:flat"), (0, 2, 1), name="conv_proj:turn"
    )
    token = learned(b, (1, 1, width), name="class_token")
    token = b.apply(
        "view", token, name="class_token:stretch", shape=(batch, 1, width), function="expand"
    )
    x = b.concatenate((token, x), name="class_token:join")
    with b.scope("encoder"):
        places = learned(b, (1, *x.shape[1:]), name="pos_embedding", role="position")
        x = b.dropout(b.add(x, places, name="positions"), dropout, name="dropout")
        for i in range(layers):
            with b.scope(f"layers.{i}"):
                x = _layer(b, x, heads, hidden, dropout)
        x = b.layer_norm(x, name="ln")
    x = b.slices(x, ((batch, width),), name="encoder:class")[0]
    return b.build(b.dense(x, classes, name="heads.head"))


def _layer(b: Builder, x: Value, heads: int, hidden: int, dropout: float) -> Value:
    h = _attention(b, b.layer_norm(x, name="ln_1"), heads, dropout)
    x = b.add(b.dropout(h, dropout, name="dropout"), x)
    h = b.layer_norm(x, name="ln_2")
    h = b.activation(b.dense(h, hidden, name="mlp.0"), "gelu", name="mlp.1")
    h = b.dense(b.dropout(h, dropout, name="mlp.2"), x.shape[-1], name="mlp.3")
    return b.add(x, b.dropout(h, dropout, name="mlp.4"))


def _attention(b: Builder, x: Value, heads: int, dropout: float) -> Value:
    batch, length, width = x.shape
    each = (batch, heads, length, width // heads)
    with b.scope("self_attention"):
        h = b.dense(x, 3 * width, name=":in_proj")
        h = b.reshape(h, (batch, length, 3, heads, width // heads), name=":heads")
        h = b.transpose(h, (2, 0, 3, 1, 4), name=":turn")
        q, k, v = b.slices(h, (each, each, each), name=":split")
        h = b.attention(q, k, v, dropout=dropout, name=":attention")
        h = b.transpose(h, (0, 2, 1, 3), name=":back")
        h = b.apply("copy", h, name=":merge", shape=x.shape, function="contiguous")
        return b.dense(h, width, name=":out_proj")
