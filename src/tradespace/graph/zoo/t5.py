"""T5: an encoder and a decoder whose scores know the distance of two tokens."""

from __future__ import annotations

from tradespace.graph.builder import Builder, Value, Weight
from tradespace.graph.network import Network
from tradespace.graph.zoo.transformer import (
    Projections,
    attention,
    cache_note,
    check_past,
    feed_forward,
    looked_up,
    maybe_dropout,
    with_idle,
)


def t5(
    *,
    name: str = "t5",
    batch: int = 1,
    length: int = 512,
    target_length: int | None = None,
    past: int = 0,
    layers: int = 6,
    width: int = 512,
    heads: int = 8,
    head_width: int = 64,
    hidden: int = 2048,
    vocabulary: int = 32128,
    buckets: int = 32,
    dropout: float = 0.1,
) -> Network:
    """Return an encoder and a decoder in the manner of T5.

    Parameters
    ----------
    name : str
        Of the network.
    batch : int
        Pairs of sequences in one pass.
    length, target_length : int
        Tokens of the source and of the target; 114 of the latter, as in its training, unless
        given.
    past : int
        Target tokens decoded before. Then one more is decoded unless `target_length` says
        otherwise, the encoder is not run, and all earlier keys and values are inputs.
    layers, width, heads : int
        Of the encoder and of the decoder.
    head_width : int
        Of each head; all together need not be as wide as the network.
    hidden : int
        Neurons between the two feed-forward layers.
    vocabulary : int
        Rows of the one table that source, target and output share.
    buckets : int
        Classes of distances, each with a learned number for each head.
    dropout : float
        Of embeddings, scores, hidden layers and blocks.

    Examples
    --------
    >>> from tradespace.graph.counts import parameters
    >>> parameters(t5())
    60506624

    """
    check_past(name, past)
    b = Builder(name, batch=batch)
    steps = target_length or (1 if past else 114)
    inner = heads * head_width
    table: Weight | None = None
    memory: Value | None = None

    def block(scope: str, x: Value, distances: Value, *, decoder: bool) -> Value:
        with b.scope(scope):
            h = attention(
                b,
                b.rms_norm(x, name="layer.0.layer_norm"),
                _names("layer.0.SelfAttention"),
                heads=heads,
                inner=inner,
                name="layer.0.SelfAttention",
                mask=distances,
                causal=decoder,
                dropout=dropout,
                past=past if decoder else 0,
            )
            x = _joined(b, x, h, dropout, "layer.0")
            if decoder:
                h = attention(
                    b,
                    b.rms_norm(x, name="layer.1.layer_norm"),
                    _names("layer.1.EncDecAttention"),
                    heads=heads,
                    inner=inner,
                    name="layer.1.EncDecAttention",
                    memory=memory,
                    dropout=dropout,
                    cached=length if past else 0,
                )
                x = _joined(b, x, h, dropout, "layer.1")
            last = "layer.2" if decoder else "layer.1"
            h = feed_forward(
                b,
                b.rms_norm(x, name=f"{last}.layer_norm"),
                hidden,
                activation="relu",
                names=(f"{last}.DenseReluDense.wi", f"{last}.DenseReluDense.wo"),
                bias=False,
                dropout=dropout,
            )
            return _joined(b, x, h, dropout, last)

    if not past:
        tokens = b.input((length,), format="int64", name="input_ids")
        x, table = b.embedding(tokens, vocabulary, width, name="shared")
        x = maybe_dropout(b, x, dropout, name="encoder.embedded.dropout")
        distances = _distances(b, "encoder", length, length, heads, buckets)
        for i in range(layers):
            x = block(f"encoder.block.{i}", x, distances, decoder=False)
        x = b.rms_norm(x, name="encoder.final_layer_norm")
        memory = maybe_dropout(b, x, dropout, name="encoder.dropout")
    tokens = b.input((steps,), format="int64", name="decoder_input_ids")
    if table is None:
        x, table = b.embedding(tokens, vocabulary, width, name="shared")
    else:
        x = looked_up(b, tokens, table, name="shared")
    x = maybe_dropout(b, x, dropout, name="decoder.embedded.dropout")
    distances = _distances(b, "decoder", steps, past + steps, heads, buckets)
    for i in range(layers):
        x = block(f"decoder.block.{i}", x, distances, decoder=True)
    x = b.rms_norm(x, name="decoder.final_layer_norm")
    x = maybe_dropout(b, x, dropout, name="decoder.dropout")
    x = b.apply("multiply", x, name="scale")
    scores = b.dense(x, vocabulary, bias=False, name="lm_head", weight=table)
    note = cache_note(
        layers=layers,
        batch=batch,
        heads=heads,
        head_width=head_width,
        positions=past + steps + length,
    )
    made = b.build(scores, notes=(note,))
    if not past:
        return made
    whole = t5(
        length=1,
        target_length=1,
        layers=layers,
        width=width,
        heads=heads,
        head_width=head_width,
        hidden=hidden,
        vocabulary=vocabulary,
        buckets=buckets,
    )
    return with_idle(made, whole)


def _names(scope: str) -> Projections:
    return Projections(
        query=f"{scope}.q", key=f"{scope}.k", value=f"{scope}.v", output=f"{scope}.o", biased=""
    )


def _distances(b: Builder, stack: str, queries: int, keys: int, heads: int, buckets: int) -> Value:
    """Look up what is added to the scores: a number for each head and class of distance."""
    with b.scope(f"{stack}.block.0.layer.0.SelfAttention"):
        name = "relative_attention_bias"
        with b.scope(name):
            table = b.parameter("weight", (buckets, heads), "position")
        classes = b.apply(
            "fill", name="distances", shape=(queries, keys), function="buckets", format="int64"
        )
        found = looked_up(b, classes, table, name=name)
        found = b.transpose(found, (2, 0, 1), name=f"{name}.transpose")
        return b.reshape(found, (1, heads, queries, keys), name=f"{name}.reshape")


def _joined(b: Builder, x: Value, h: Value, dropout: float, name: str) -> Value:
    return b.add(x, maybe_dropout(b, h, dropout, name=f"{name}.dropout"), name=f"{name}.add")
