"""Recurrent networks: language models, a classifier of reviews, single layers."""

from __future__ import annotations

from tradespace.graph.builder import Builder
from tradespace.graph.network import Network
from tradespace.graph.zoo.transformer import maybe_dropout


def language_model(
    *,
    name: str = "lstm",
    batch: int = 1,
    length: int = 20,
    cell: str = "lstm",
    layers: int = 2,
    width: int = 200,
    vocabulary: int = 10_000,
    biases: int = 1,
    tied: bool = False,
    dropout: float = 0.0,
) -> Network:
    """Return a recurrent language model: a table, recurrent layers, the scores of all words.

    Parameters
    ----------
    name : str
        Of the network.
    batch, length : int
        Sequences in one pass, and words of each.
    cell : str
        ``"lstm"``, ``"gru"`` or ``"rnn"``.
    layers, width : int
        Of the recurrent part.
    vocabulary : int
        Words.
    biases : int
        Vectors of biases of each gate: 1 in the paper and in Keras, 2 in torch.
    tied : bool
        Whether the table is also the output matrix.
    dropout : float
        Of the signals between layers, not of those between steps.

    Examples
    --------
    >>> from tradespace.graph.counts import parameters
    >>> parameters(language_model())
    4651600

    """
    b = Builder(name, batch=batch)
    words = b.input((length,), format="int64", name="words")
    x, table = b.embedding(words, vocabulary, width)
    x = maybe_dropout(b, x, dropout)
    for i in range(layers):
        x = b.recurrent(cell, x, width, biases=biases, name=f"{cell}{i + 1}")
        x = maybe_dropout(b, x, dropout)
    scores = b.dense(x, vocabulary, name="output", weight=table if tied else None)
    return b.build(scores)


def classifier(
    *,
    name: str = "lstm-imdb",
    batch: int = 1,
    length: int = 80,
    cell: str = "lstm",
    width: int = 128,
    vocabulary: int = 20_000,
    biases: int = 1,
    dropout: float = 0.2,
) -> Network:
    """Return a classifier of texts: a table, a recurrent layer, one neuron on its last state.

    Parameters
    ----------
    name : str
        Of the network.
    batch, length : int
        Texts in one pass, and words of each.
    cell : str
        ``"lstm"``, ``"gru"`` or ``"rnn"``.
    width, vocabulary : int
        Of the table and of the recurrent layer; words.
    biases : int
        Vectors of biases of each gate.
    dropout : float
        Of the recurrent layer's input.

    Examples
    --------
    >>> from tradespace.graph.counts import parameters
    >>> parameters(classifier())
    2691713

    """
    b = Builder(name, batch=batch)
    words = b.input((length,), format="int64", name="words")
    x, _ = b.embedding(words, vocabulary, width)
    x = maybe_dropout(b, x, dropout)
    x = b.recurrent(cell, x, width, biases=biases, sequences=False)
    return b.build(b.activation(b.dense(x, 1, name="output"), "sigmoid"))


def layer(
    *,
    name: str = "layer",
    batch: int = 1,
    length: int = 1,
    cell: str = "lstm",
    inputs: int = 28,
    width: int = 128,
    biases: int = 1,
    bidirectional: bool = False,
) -> Network:
    """Return a single recurrent layer.

    Parameters
    ----------
    name : str
        Of the network.
    batch, length : int
        Sequences in one pass, and steps of each; counts of one step unless given.
    cell : str
        ``"lstm"``, ``"gru"`` or ``"rnn"``.
    inputs, width : int
        Of a step.
    biases : int
        Vectors of biases of each gate: 1 in Keras, 2 in torch.
    bidirectional : bool
        Whether another layer reads from the end.

    Examples
    --------
    >>> from tradespace.graph.counts import forward_macs, parameters
    >>> parameters(layer()), forward_macs(layer())
    (80384, 79872)

    """
    b = Builder(name, batch=batch)
    x = b.input((length, inputs))
    return b.build(b.recurrent(cell, x, width, biases=biases, bidirectional=bidirectional))
