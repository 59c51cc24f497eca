"""The Transformer of 2017, and the blocks that its descendants share.

Blocks are written as the usual implementations run them: projections, heads made by a change
of shape, one fused attention, an output projection. A mask saves no work, as every published
count has it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tradespace.core.errors import GraphError
from tradespace.graph.builder import Builder, Value, Weight
from tradespace.graph.network import Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Projections:
    """The layers of an attention: their names, and which of them have a bias."""

    query: str
    key: str
    value: str
    output: str
    biased: str = "qkvo"


def check_heads(name: str, width: int, heads: int) -> int:
    """Return the width of a head.

    Raises
    ------
    GraphError
        If the width cannot be divided among the heads.

    """
    if heads < 1 or width % heads:
        msg = f"{name!r} has {heads} heads, which do not divide its width {width}."
        raise GraphError(msg, remedy="Give a width that is a multiple of the number of heads.")
    return width // heads


def check_positions(name: str, wanted: int, positions: int) -> None:
    """Check that a table of positions is long enough.

    Raises
    ------
    GraphError
        If it is not.

    """
    if wanted > positions:
        msg = f"{name!r} knows {positions} positions; got a sequence of {wanted}."
        raise GraphError(msg, remedy="Give a shorter length, or more positions.")


def check_past(name: str, past: int) -> None:
    """Check the number of positions that came before.

    Raises
    ------
    GraphError
        If it is negative.

    """
    if past < 0:
        msg = f"{name!r} cannot have {past} positions before the first."
        raise GraphError(msg, remedy="Give past=0 or more.")


def cache_note(*, layers: int, batch: int, heads: int, head_width: int, positions: int) -> str:
    """Return what the keys and values of some positions take."""
    elements = 2 * layers * batch * heads * head_width * positions
    return (
        f"Keys and values kept for {positions:,} positions: {4 * elements:,} bytes in fp32, "
        f"{2 * elements:,} in 16 bits."
    )


def maybe_dropout(b: Builder, x: Value, rate: float, *, name: str = "dropout") -> Value:
    """Add a dropout if there is one."""
    return b.dropout(x, rate, name=name) if rate > 0 else x


def split_heads(b: Builder, x: Value, heads: int, *, name: str) -> Value:
    """Return (batch, heads, positions, width of a head) of (batch, positions, width)."""
    batch, length, width = x.shape
    apart = b.reshape(x, (batch, length, heads, width // heads), name=f"{name}.split")
    return b.transpose(apart, (0, 2, 1, 3), name=f"{name}.transpose")


def attend(
    b: Builder,
    query: Value,
    key: Value,
    value: Value,
    *,
    name: str,
    mask: Value | None = None,
    causal: bool = False,
    dropout: float = 0.0,
    past: int = 0,
) -> Value:
    """Return the attention of (batch, heads, positions, width), the heads joined again.

    With `past`, keys and values of that many earlier positions are inputs of the network, in
    stores with room for the new ones.
    """
    if past:
        key = remembered(b, key, past, name=f"{name}.past_key")
        value = remembered(b, value, past, name=f"{name}.past_value")
    more = () if mask is None else (mask,)
    mixed = b.apply(
        "attention", query, key, value, *more, name=name, causal=causal, dropout=dropout
    )
    batch, heads, length, width = mixed.shape
    mixed = b.transpose(mixed, (0, 2, 1, 3), name=f"{name}.transpose")
    return b.reshape(mixed, (batch, length, heads * width), name=f"{name}.join")


def remembered(b: Builder, new: Value, past: int, *, name: str) -> Value:
    """Write new keys or values after those of earlier positions."""
    batch, heads, length, width = new.shape
    store = b.tensor_input((batch, heads, past + length, width), name=b.path(name))
    return b.apply("append", store, new, name=name, inplace=True)


def attention(
    b: Builder,
    x: Value,
    layers: Projections,
    *,
    heads: int,
    name: str,
    memory: Value | None = None,
    inner: int | None = None,
    mask: Value | None = None,
    causal: bool = False,
    dropout: float = 0.0,
    past: int = 0,
    cached: int = 0,
) -> Value:
    """Add an attention with its projections.

    Parameters
    ----------
    b : Builder
        Of the network.
    x : Value
        Queries come from it, of shape (batch, positions, width).
    layers : Projections
        Names and biases of the projections.
    heads : int
        Number of heads.
    name : str
        Of the attention itself.
    memory : Value, optional
        Where keys and values come from; `x` if not given.
    inner : int, optional
        Width of all heads together; that of `x` if not given.
    mask : Value, optional
        Added to the scores.
    causal : bool
        Whether a position sees only those before it.
    dropout : float
        Share of scores dropped in training.
    past : int
        Earlier positions whose keys and values are kept.
    cached : int
        Positions of a memory whose keys and values are kept, so that they are not projected.

    """
    width = x.shape[-1]
    inner = inner or width
    source = x if memory is None else memory
    query = b.dense(x, inner, bias="q" in layers.biased, name=layers.query)
    query = split_heads(b, query, heads, name=layers.query)
    if cached:
        shape = (x.shape[0], heads, cached, inner // heads)
        key = b.tensor_input(shape, name=b.path(f"{name}.memory_key"))
        value = b.tensor_input(shape, name=b.path(f"{name}.memory_value"))
    else:
        key = b.dense(source, inner, bias="k" in layers.biased, name=layers.key)
        key = split_heads(b, key, heads, name=layers.key)
        value = b.dense(source, inner, bias="v" in layers.biased, name=layers.value)
        value = split_heads(b, value, heads, name=layers.value)
    mixed = attend(
        b, query, key, value, name=name, mask=mask, causal=causal, dropout=dropout, past=past
    )
    return b.dense(mixed, width, bias="o" in layers.biased, name=layers.output)


def feed_forward(
    b: Builder,
    x: Value,
    hidden: int,
    *,
    activation: str,
    names: tuple[str, str],
    bias: bool = True,
    dropout: float = 0.0,
) -> Value:
    """Add two dense layers with an activation, and perhaps a dropout, between them."""
    first, second = names
    h = b.dense(x, hidden, bias=bias, name=first)
    h = b.activation(h, activation, name=f"{first}.{activation}")
    h = maybe_dropout(b, h, dropout, name=f"{first}.dropout")
    return b.dense(h, x.shape[-1], bias=bias, name=second)


def learned_positions(b: Builder, length: int, rows: int, width: int, *, name: str) -> Value:
    """Look up a learned vector for each position."""
    with b.scope(name):
        table = b.parameter("weight", (rows, width), "position")
    indices = b.apply(
        "fill", name=f"{name}.indices", shape=(length,), function="range", format="int64"
    )
    return looked_up(b, indices, table, name=name)


def looked_up(b: Builder, indices: Value, table: Weight, *, name: str) -> Value:
    """Look up vectors in a table that is there already."""
    rows, width = table.shape
    return b.apply(
        "embedding", indices, name=name, parameters=[table], rows=rows, width=width, format=b.format
    )


def with_idle(step: Network, whole: Network) -> Network:
    """Return a decoding step with the parameters of the whole network that it does not use."""
    used = {p.name for p in step.parameters}
    idle = tuple(p for p in whole.parameters if p.name not in used)
    note = "A decoding step: the encoder is not run, its weights stay in memory."
    return replace(step, parameters=(*step.parameters, *idle), notes=(*step.notes, note))


def fixed_positions(b: Builder, length: int, width: int, *, name: str) -> Value:
    """Make the sines and cosines of the positions; they are not learned."""
    return b.apply("fill", name=name, shape=(length, width), function="sinusoids")


def transformer(
    *,
    name: str = "transformer",
    batch: int = 1,
    length: int = 128,
    target_length: int | None = None,
    past: int = 0,
    layers: int = 6,
    width: int = 512,
    heads: int = 8,
    hidden: int | None = None,
    vocabulary: int = 37000,
    attention_bias: bool = False,
    dropout: float = 0.1,
) -> Network:
    """Return the Transformer for translation: an encoder and a decoder, norms after the sums.

    Parameters
    ----------
    name : str
        Of the network.
    batch : int
        Pairs of sequences in one pass.
    length, target_length : int
        Positions of the source and of the target; as long as the source if not given.
    past : int
        Target positions decoded before. Then one more is decoded unless `target_length` says
        otherwise, the encoder is not run, and all earlier keys and values are inputs.
    layers, width, heads : int
        Of the encoder and of the decoder.
    hidden : int, optional
        Neurons between the two feed-forward layers; four times the width if not given.
    vocabulary : int
        Rows of the one table that source, target and output share.
    attention_bias : bool
        Whether the projections have biases; those of the paper have none.
    dropout : float
        Of the output of every block and of the embeddings.

    Examples
    --------
    >>> from tradespace.graph.counts import parameters
    >>> parameters(transformer())
    63045632

    """
    check_heads(name, width, heads)
    check_past(name, past)
    b = Builder(name, batch=batch)
    hidden = hidden or 4 * width
    steps = target_length or (1 if past else length)
    biased = "qkvo" if attention_bias else ""
    table: Weight | None = None
    memory: Value | None = None
    if not past:
        x, table = _embedded(b, "source", length, vocabulary, width, dropout, None)
        for i in range(layers):
            with b.scope(f"encoder.layers.{i}"):
                h = attention(b, x, projections("self_attn", biased), heads=heads, name="self_attn")
                x = _joined(b, x, h, dropout, "norm1")
                h = feed_forward(b, x, hidden, activation="relu", names=("linear1", "linear2"))
                x = _joined(b, x, h, dropout, "norm2")
        memory = x
    x, table = _embedded(b, "target", steps, vocabulary, width, dropout, table)
    for i in range(layers):
        with b.scope(f"decoder.layers.{i}"):
            h = attention(
                b,
                x,
                projections("self_attn", biased),
                heads=heads,
                name="self_attn",
                causal=True,
                past=past,
            )
            x = _joined(b, x, h, dropout, "norm1")
            h = attention(
                b,
                x,
                projections("multihead_attn", biased),
                heads=heads,
                name="multihead_attn",
                memory=memory,
                cached=length if past else 0,
            )
            x = _joined(b, x, h, dropout, "norm2")
            h = feed_forward(b, x, hidden, activation="relu", names=("linear1", "linear2"))
            x = _joined(b, x, h, dropout, "norm3")
    scores = b.dense(x, vocabulary, bias=False, name="output", weight=table)
    note = cache_note(
        layers=layers,
        batch=batch,
        heads=heads,
        head_width=width // heads,
        positions=past + steps + length,
    )
    made = b.build(scores, notes=(note,))
    if not past:
        return made
    whole = transformer(
        name=name,
        length=1,
        layers=layers,
        width=width,
        heads=heads,
        hidden=hidden,
        vocabulary=vocabulary,
        attention_bias=attention_bias,
    )
    return with_idle(made, whole)


def _embedded(
    b: Builder,
    name: str,
    length: int,
    vocabulary: int,
    width: int,
    dropout: float,
    table: Weight | None,
) -> tuple[Value, Weight]:
    """Look up tokens, times the root of the width, with their positions."""
    tokens = b.input((length,), format="int64", name=f"{name}_ids")
    if table is None:
        x, table = b.embedding(tokens, vocabulary, width, name="shared")
    else:
        x = looked_up(b, tokens, table, name="shared")
    x = b.apply("multiply", x, name=f"{name}_scale")
    x = b.add(x, fixed_positions(b, length, width, name=f"{name}_positions"), name=f"{name}_add")
    return maybe_dropout(b, x, dropout, name=f"{name}_dropout"), table


def _joined(b: Builder, x: Value, h: Value, dropout: float, norm: str) -> Value:
    """Add a block's output to its input and normalize the sum."""
    h = maybe_dropout(b, h, dropout, name=f"{norm}.dropout")
    return b.layer_norm(b.add(x, h, name=f"{norm}.add"), name=norm)


def projections(scope: str, biased: str) -> Projections:
    """Return the names of the projections of an attention, as torch and its users have them."""
    return Projections(
        query=f"{scope}.q_proj",
        key=f"{scope}.k_proj",
        value=f"{scope}.v_proj",
        output=f"{scope}.out_proj",
        biased=biased,
    )
