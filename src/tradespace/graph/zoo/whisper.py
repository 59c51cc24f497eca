"""Whisper: speech to text; spectra go through convolutions into an encoder, text comes out."""

from __future__ import annotations

from tradespace.core.errors import GraphError
from tradespace.graph.builder import Builder, Value
from tradespace.graph.network import Network
from tradespace.graph.zoo.transformer import (
    attention,
    cache_note,
    check_heads,
    check_past,
    check_positions,
    feed_forward,
    learned_positions,
    projections,
    with_idle,
)


def whisper(
    *,
    name: str = "whisper",
    batch: int = 1,
    length: int = 3000,
    target_length: int | None = None,
    past: int = 0,
    layers: int = 4,
    decoder_layers: int | None = None,
    width: int = 384,
    heads: int = 6,
    mels: int = 80,
    vocabulary: int = 51865,
    source_positions: int = 1500,
    positions: int = 448,
) -> Network:
    """Return an encoder and a decoder in the manner of Whisper.

    Parameters
    ----------
    name : str
        Of the network.
    batch : int
        Recordings in one pass.
    length : int
        Spectra of a recording, 100 a second; two make a position of the encoder.
    target_length : int, optional
        Tokens; as many as the decoder knows positions if not given, one where there is a past.
    past : int
        Tokens decoded before. Then the encoder is not run, and all earlier keys and values are
        inputs.
    layers, width, heads : int
        Of the encoder and of the decoder.
    decoder_layers : int, optional
        Of the decoder alone; as many as the encoder has if not given.
    mels : int
        Bands of a spectrum.
    vocabulary, positions : int
        Rows of the decoder's tables; the first is also the output matrix.
    source_positions : int
        Rows of the encoder's table of sines; it is kept, but not trained.

    Examples
    --------
    >>> from tradespace.graph.counts import parameters
    >>> parameters(whisper(), "all"), parameters(whisper())
    (37760640, 37184640)

    """
    check_heads(name, width, heads)
    check_past(name, past)
    steps = target_length or (1 if past else positions)
    check_positions(name, past + steps, positions)
    if not 1 <= length <= 2 * source_positions:
        msg = f"{name!r} hears 1 to {2 * source_positions} spectra; got {length}."
        raise GraphError(msg, remedy="Give a shorter length: 100 spectra make a second.")
    above = decoder_layers or layers
    b = Builder(name, batch=batch)
    memory: Value | None = None
    if not past:
        spectra = b.input((mels, length), name="input_features")
        with b.scope("model.encoder"):
            memory = _encoded(b, spectra, layers, width, heads, source_positions)
    tokens = b.input((steps,), format="int64", name="decoder_input_ids")
    heard = -(-length // 2)
    with b.scope("model.decoder"):
        x, table = b.embedding(tokens, vocabulary, width, name="embed_tokens")
        places = learned_positions(b, steps, positions, width, name="embed_positions")
        x = b.add(x, places, name="add_positions")
        for i in range(above):
            with b.scope(f"layers.{i}"):
                h = b.layer_norm(x, name="self_attn_layer_norm")
                h = attention(
                    b,
                    h,
                    projections("self_attn", "qvo"),
                    heads=heads,
                    name="self_attn",
                    causal=True,
                    past=past,
                )
                x = b.add(x, h, name="add_1")
                h = b.layer_norm(x, name="encoder_attn_layer_norm")
                h = attention(
                    b,
                    h,
                    projections("encoder_attn", "qvo"),
                    heads=heads,
                    name="encoder_attn",
                    memory=memory,
                    cached=heard if past else 0,
                )
                x = b.add(x, h, name="add_2")
                x = _block(b, x)
        x = b.layer_norm(x, name="layer_norm")
    scores = b.dense(x, vocabulary, bias=False, name="proj_out", weight=table)
    note = cache_note(
        layers=above,
        batch=batch,
        heads=heads,
        head_width=width // heads,
        positions=past + steps + heard,
    )
    made = b.build(scores, notes=(note,))
    if not past:
        return made
    whole = whisper(
        target_length=1,
        layers=layers,
        decoder_layers=above,
        width=width,
        heads=heads,
        mels=mels,
        vocabulary=vocabulary,
        source_positions=source_positions,
        positions=positions,
        length=1,
    )
    return with_idle(made, whole)


def _encoded(b: Builder, x: Value, layers: int, width: int, heads: int, positions: int) -> Value:
    for i, stride in enumerate((1, 2), start=1):
        x = b.conv(x, width, 3, stride=stride, padding=1, name=f"conv{i}")
        x = b.activation(x, "gelu", name=f"gelu{i}")
    x = b.transpose(x, (0, 2, 1), name="permute")
    with b.scope("embed_positions"):
        table = b.parameter("weight", (positions, width), "position", trainable=False)
    x = b.apply("add", x, parameters=[table], name="add_positions")
    for i in range(layers):
        with b.scope(f"layers.{i}"):
            h = b.layer_norm(x, name="self_attn_layer_norm")
            h = attention(b, h, projections("self_attn", "qvo"), heads=heads, name="self_attn")
            x = _block(b, b.add(x, h, name="add_1"))
    return b.layer_norm(x, name="layer_norm")


def _block(b: Builder, x: Value) -> Value:
    """Add the feed-forward block."""
    h = b.layer_norm(x, name="final_layer_norm")
    h = feed_forward(b, h, 4 * x.shape[-1], activation="gelu", names=("fc1", "fc2"))
    return b.add(x, h, name="add_3")
