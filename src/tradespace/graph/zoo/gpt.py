"""GPT-2 and GPT-3: decoders with learned positions, norms before the blocks."""

from __future__ import annotations

from tradespace.graph.builder import Builder, Value
from tradespace.graph.network import Network
from tradespace.graph.zoo.transformer import (
    attend,
    cache_note,
    check_heads,
    check_past,
    check_positions,
    feed_forward,
    looked_up,
    maybe_dropout,
    split_heads,
)


def gpt(
    *,
    name: str = "gpt",
    batch: int = 1,
    length: int | None = None,
    past: int = 0,
    layers: int = 12,
    width: int = 768,
    heads: int = 12,
    hidden: int | None = None,
    vocabulary: int = 50257,
    positions: int = 1024,
    head: bool = True,
    dropout: float = 0.1,
) -> Network:
    """Return a decoder in the manner of GPT-2.

    Parameters
    ----------
    name : str
        Of the network.
    batch : int
        Sequences in one pass.
    length : int, optional
        Tokens of each in this pass. If not given, as many as the network knows positions; one
        where there is a past.
    past : int
        Earlier tokens, whose keys and values are inputs: with it a pass is a decoding step.
    layers, width, heads : int
        Of the decoder.
    hidden : int, optional
        Neurons between the two feed-forward layers; four times the width if not given.
    vocabulary, positions : int
        Rows of the two tables; the first is also the output matrix.
    head : bool
        Whether every position is given the scores of all tokens.
    dropout : float
        Of embeddings, scores and blocks.

    Examples
    --------
    >>> from tradespace.graph.counts import forward_macs, parameters
    >>> parameters(gpt()), forward_macs(gpt(length=1024))
    (124439808, 145824153600)

    """
    head_width = check_heads(name, width, heads)
    check_past(name, past)
    length = length or (1 if past else positions)
    check_positions(name, past + length, positions)
    b = Builder(name, batch=batch)
    tokens = b.input((length,), format="int64", name="input_ids")
    with b.scope("transformer"):
        x, table = b.embedding(tokens, vocabulary, width, name="wte")
        with b.scope("wpe"):
            places = b.parameter("weight", (positions, width), "position")
        order = b.apply("fill", name="positions", shape=(length,), function="range", format="int64")
        x = b.add(x, looked_up(b, order, places, name="wpe"), name="add_positions")
        x = maybe_dropout(b, x, dropout, name="drop")
        for i in range(layers):
            with b.scope(f"h.{i}"):
                h = _attention(b, b.layer_norm(x, name="ln_1"), heads, dropout, past)
                h = maybe_dropout(b, h, dropout, name="attn.resid_dropout")
                x = b.add(h, x, name="add_1")
                h = feed_forward(
                    b,
                    b.layer_norm(x, name="ln_2"),
                    hidden or 4 * width,
                    activation="gelu_tanh",
                    names=("mlp.c_fc", "mlp.c_proj"),
                )
                h = maybe_dropout(b, h, dropout, name="mlp.dropout")
                x = b.add(x, h, name="add_2")
        x = b.layer_norm(x, name="ln_f")
    if head:
        x = b.dense(x, vocabulary, bias=False, name="lm_head", weight=table)
    note = cache_note(
        layers=layers, batch=batch, heads=heads, head_width=head_width, positions=past + length
    )
    return b.build(x, notes=(note,))


def _attention(b: Builder, x: Value, heads: int, dropout: float, past: int) -> Value:
    """Add an attention whose three projections are one layer."""
    width = x.shape[-1]
    joint = b.dense(x, 3 * width, name="attn.c_attn")
    parts = b.slices(joint, [x.shape] * 3, name="attn.chunks")
    names = ("attn.query", "attn.key", "attn.value")
    query, key, value = (
        split_heads(b, part, heads, name=part_name)
        for part, part_name in zip(parts, names, strict=True)
    )
    mixed = attend(b, query, key, value, name="attn", causal=True, dropout=dropout, past=past)
    return b.dense(mixed, width, name="attn.c_proj")
