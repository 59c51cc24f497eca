"""wav2vec 2.0: raw sound through convolutions into an encoder."""

from __future__ import annotations

from tradespace.core.errors import GraphError
from tradespace.graph.builder import Builder, Value
from tradespace.graph.network import Network
from tradespace.graph.zoo.transformer import (
    attention,
    check_heads,
    feed_forward,
    maybe_dropout,
    projections,
)

#: Kernel and stride of the convolutions that hear the sound.
_CONVOLUTIONS = ((10, 5), (3, 2), (3, 2), (3, 2), (3, 2), (2, 2), (2, 2))
#: Positions that the convolution of places sees, and its groups.
_PLACES, _GROUPS = 128, 16
#: Samples of one position of the encoder.
SHORTEST = 400


def wav2vec2(
    *,
    name: str = "wav2vec2",
    batch: int = 1,
    length: int = 160_000,
    layers: int = 12,
    width: int = 768,
    heads: int = 12,
    hidden: int | None = None,
    channels: int = 512,
    dropout: float = 0.1,
) -> Network:
    """Return an encoder of sound in the manner of wav2vec 2.0, without a head.

    Parameters
    ----------
    name : str
        Of the network.
    batch : int
        Recordings in one pass.
    length : int
        Samples of a recording, 16,000 a second; 320 make a position of the encoder.
    layers, width, heads : int
        Of the encoder; the width is a multiple of 16.
    hidden : int, optional
        Neurons between the two feed-forward layers; four times the width if not given.
    channels : int
        Of the convolutions that hear the sound.
    dropout : float
        Of embeddings, scores and blocks.

    Examples
    --------
    >>> from tradespace.graph.counts import parameters
    >>> parameters(wav2vec2())
    94371712

    """
    check_heads(name, width, heads)
    if length < SHORTEST:
        msg = f"{name!r} needs at least {SHORTEST} samples; got {length}."
        raise GraphError(msg, remedy="Give a longer recording: 16,000 samples make a second.")
    b = Builder(name, batch=batch)
    x = b.input((length,), name="input_values")
    x = b.reshape(x, (batch, 1, length), name="channel")
    # Takes the place of masked positions in pre-training; an encoder carries it.
    b.parameter("masked_spec_embed", (width,), "embedding")
    for i, (kernel, stride) in enumerate(_CONVOLUTIONS):
        with b.scope(f"feature_extractor.conv_layers.{i}"):
            x = b.conv(x, channels, kernel, stride=stride, bias=False)
            if i == 0:
                x = b.group_norm(x, channels, name="layer_norm")
            x = b.activation(x, "gelu", name="activation")
    x = b.transpose(x, (0, 2, 1), name="transpose")
    with b.scope("feature_projection"):
        x = b.dense(b.layer_norm(x, name="layer_norm"), width, name="projection")
        x = maybe_dropout(b, x, dropout)
    with b.scope("encoder"):
        with b.scope("pos_conv_embed"):
            places = _placed(b, x)
        x = b.layer_norm(b.add(x, places, name="add_positions"), name="layer_norm")
        x = maybe_dropout(b, x, dropout)
        for i in range(layers):
            with b.scope(f"layers.{i}"):
                h = attention(
                    b,
                    x,
                    projections("attention", "qkvo"),
                    heads=heads,
                    name="attention",
                    dropout=dropout,
                )
                h = maybe_dropout(b, h, dropout)
                x = b.layer_norm(b.add(x, h, name="add_1"), name="layer_norm")
                h = feed_forward(
                    b,
                    x,
                    hidden or 4 * width,
                    activation="gelu",
                    names=("feed_forward.intermediate_dense", "feed_forward.output_dense"),
                )
                h = maybe_dropout(b, h, dropout, name="feed_forward.output_dropout")
                x = b.layer_norm(b.add(x, h, name="add_2"), name="final_layer_norm")
    return b.build(x)


def _placed(b: Builder, x: Value) -> Value:
    """Add the convolution that tells positions apart; its weights are direction and length."""
    batch, length, width = x.shape
    if width % _GROUPS:
        msg = f"{b.name!r} needs a width that is a multiple of {_GROUPS}; got {width}."
        raise GraphError(msg, remedy="Give a width such as 768.")
    x = b.transpose(x, (0, 2, 1), name="transpose")
    with b.scope("conv"):
        held = [
            b.parameter("weight_v", (width, width // _GROUPS, _PLACES)),
            b.parameter("weight_g", (1, 1, _PLACES)),
            b.parameter("bias", (width,), "bias"),
        ]
    x = b.apply(
        "convolution1d",
        x,
        name="conv",
        parameters=held,
        out_channels=width,
        kernel=(_PLACES,),
        padding=_PLACES // 2,
        groups=_GROUPS,
    )
    (x,) = b.slices(x, [(batch, width, length)], name="padding")
    x = b.activation(x, "gelu", name="activation")
    return b.transpose(x, (0, 2, 1), name="transpose_back")
