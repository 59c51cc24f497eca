"""LLaMA: decoders with rotary positions, gated feed-forward layers, keys shared among queries."""

from __future__ import annotations

from tradespace.core.errors import GraphError
from tradespace.graph.builder import Builder, Value
from tradespace.graph.network import Network
from tradespace.graph.zoo.transformer import (
    attend,
    cache_note,
    check_heads,
    check_past,
    split_heads,
)


def llama(
    *,
    name: str = "llama",
    batch: int = 1,
    length: int | None = None,
    past: int = 0,
    layers: int = 32,
    width: int = 4096,
    heads: int = 32,
    kv_heads: int | None = None,
    hidden: int = 11008,
    vocabulary: int = 32000,
    context: int = 2048,
    head: bool = True,
) -> Network:
    """Return a decoder in the manner of LLaMA.

    Parameters
    ----------
    name : str
        Of the network.
    batch : int
        Sequences in one pass.
    length : int, optional
        Tokens of each in this pass. If not given, `context` of them; one where there is a past.
    past : int
        Earlier tokens, whose keys and values are inputs: with it a pass is a decoding step.
    layers, width, heads : int
        Of the decoder.
    kv_heads : int, optional
        Heads of keys and values; each serves as many heads of queries. As many if not given.
    hidden : int
        Neurons between the feed-forward layers.
    vocabulary : int
        Tokens; the table and the output matrix are two.
    context : int
        Positions that it was trained on. A longer sequence can be priced: no table ends there.
    head : bool
        Whether every position is given the scores of all tokens.

    Examples
    --------
    >>> from tradespace.graph.counts import parameters
    >>> parameters(llama())
    6738415616

    """
    head_width = check_heads(name, width, heads)
    check_past(name, past)
    kv_heads = kv_heads or heads
    if heads % kv_heads:
        msg = f"{name!r} has {heads} heads of queries, which {kv_heads} of keys cannot share."
        raise GraphError(msg, remedy="Give a number of kv_heads that divides the heads.")
    length = length or (1 if past else context)
    b = Builder(name, batch=batch)
    tokens = b.input((length,), format="int64", name="input_ids")
    with b.scope("model"):
        x, _ = b.embedding(tokens, vocabulary, width, name="embed_tokens")
        with b.scope("rotary_emb"):
            angles = b.apply("fill", name="angles", shape=(length, head_width), function="angles")
            turns = b.apply("cosine", angles), b.apply("sine", angles)
        for i in range(layers):
            with b.scope(f"layers.{i}"):
                h = b.rms_norm(x, name="input_layernorm")
                with b.scope("self_attn"):
                    h = _attention(b, h, heads, kv_heads, turns, past)
                x = b.add(x, h, name="add_1")
                h = b.rms_norm(x, name="post_attention_layernorm")
                with b.scope("mlp"):
                    h = _gated(b, h, hidden)
                x = b.add(x, h, name="add_2")
        x = b.rms_norm(x, name="norm")
    if head:
        x = b.dense(x, vocabulary, bias=False, name="lm_head")
    note = cache_note(
        layers=layers, batch=batch, heads=kv_heads, head_width=head_width, positions=past + length
    )
    return b.build(x, notes=(note,))


def _attention(
    b: Builder, x: Value, heads: int, kv_heads: int, turns: tuple[Value, Value], past: int
) -> Value:
    width = x.shape[-1]
    each = width // heads

    def projected(count: int, name: str) -> Value:
        made = b.dense(x, count * each, bias=False, name=name)
        return split_heads(b, made, count, name=name)

    query = b.apply("rotary", projected(heads, "q_proj"), *turns, name="q_rotary")
    key = b.apply("rotary", projected(kv_heads, "k_proj"), *turns, name="k_rotary")
    value = projected(kv_heads, "v_proj")
    mixed = attend(b, query, key, value, name="attention", causal=True, past=past)
    return b.dense(mixed, width, bias=False, name="o_proj")


def _gated(b: Builder, x: Value, hidden: int) -> Value:
    """Add a feed-forward block in which one layer opens and closes the other."""
    gate = b.activation(b.dense(x, hidden, bias=False, name="gate_proj"), "silu", name="act_fn")
    up = b.dense(x, hidden, bias=False, name="up_proj")
    return b.dense(b.multiply(gate, up), x.shape[-1], bias=False, name="down_proj")
