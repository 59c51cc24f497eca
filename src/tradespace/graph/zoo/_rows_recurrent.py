"""Rows of the zoo: recurrent networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tradespace.graph.zoo._catalogue import NetworkRow

_ZAREMBA = "W. Zaremba et al., Recurrent neural network regularization, 2014, table 1"
_HOCHREITER = "S. Hochreiter and J. Schmidhuber, Long short-term memory, 1997"
_CHO = "K. Cho et al., Learning phrase representations using RNN encoder-decoder, 2014"
_ELMAN = "J. Elman, Finding structure in time, 1990"
_KERAS = "Keras layer documentation"


def _layer(
    name: str,
    title: str,
    year: int,
    source: str,
    *,
    aliases: tuple[str, ...] = (),
    **settings: Any,
) -> NetworkRow:
    return NetworkRow(
        name=name,
        path="recurrent:layer",
        settings=settings,
        title=title,
        family="recurrent",
        year=year,
        task="sequence, counted for one step",
        input=f"1 step of {settings['inputs']}",
        source=source,
        aliases=aliases,
    )


def _zaremba(size: str, width: int, perplexity: float, settings: Mapping[str, Any]) -> NetworkRow:
    return NetworkRow(
        name=f"lstm-zaremba-{size}",
        path="recurrent:language_model",
        settings={"width": width, **settings},
        title=f"Two LSTM layers of {width}, Penn Treebank",
        family="recurrent",
        year=2014,
        task="language model, 10,000 words",
        input=f"{settings['length']} words",
        source=_ZAREMBA,
        facts={"ptb_perplexity": perplexity},
        aliases=(f"lstm-ptb-{size}",),
    )


ROWS: tuple[NetworkRow, ...] = (
    _layer(
        "lstm-keras-28-128",
        "LSTM 28 to 128, one bias vector",
        1997,
        f"{_HOCHREITER}; {_KERAS}",
        inputs=28,
        width=128,
    ),
    _layer(
        "lstm-keras-128-128",
        "LSTM 128 to 128, one bias vector",
        1997,
        f"{_HOCHREITER}; {_KERAS}",
        inputs=128,
        width=128,
    ),
    _layer(
        "lstm-torch-28-128",
        "LSTM 28 to 128, two bias vectors",
        1997,
        f"{_HOCHREITER}; torch.nn.LSTM documentation",
        inputs=28,
        width=128,
        biases=2,
    ),
    _layer(
        "gru-28-128", "GRU 28 to 128, one bias vector", 2014, _CHO, inputs=28, width=128, cell="gru"
    ),
    _layer(
        "gru-keras-28-128",
        "GRU 28 to 128, two bias vectors (reset after the product)",
        2014,
        f"{_CHO}; {_KERAS}",
        aliases=("gru-torch-28-128",),
        inputs=28,
        width=128,
        cell="gru",
        biases=2,
    ),
    _layer(
        "rnn-32-64",
        "Plain recurrent layer 32 to 64",
        1990,
        f"{_ELMAN}; {_KERAS}",
        inputs=32,
        width=64,
        cell="rnn",
    ),
    NetworkRow(
        name="lstm-imdb",
        path="recurrent:classifier",
        title="Embedding 20,000 x 128, LSTM 128, one neuron",
        family="recurrent",
        year=2015,
        task="sentiment of film reviews",
        input="80 words",
        source=f"{_HOCHREITER}; Keras example of the IMDB reviews",
    ),
    _zaremba("small", 200, 114.5, {"length": 20}),
    _zaremba("medium", 650, 82.7, {"length": 35, "dropout": 0.5}),
    _zaremba("large", 1500, 78.4, {"length": 35, "dropout": 0.65}),
)
