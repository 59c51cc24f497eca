"""Rows of the zoo: sequence networks.

Where a name stands for several sizes, the row gives the numbers that set it apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tradespace.graph.zoo._catalogue import NetworkRow

_VASWANI = "A. Vaswani et al., Attention is all you need, 2017, tables 2 and 3"
_DEVLIN = "J. Devlin et al., BERT: pre-training of deep bidirectional transformers, 2019"
_LIU = "Y. Liu et al., RoBERTa: a robustly optimized BERT pretraining approach, 2019"
_SANH = "V. Sanh et al., DistilBERT, a distilled version of BERT, 2019"
_GPT2 = "A. Radford et al., Language models are unsupervised multitask learners, 2019"
_GPT3 = "T. Brown et al., Language models are few-shot learners, 2020, table 2.1 and appendix D"


def _transformer(
    size: str, settings: Mapping[str, Any], facts: Mapping[str, Any], aliases: tuple[str, ...] = ()
) -> NetworkRow:
    return NetworkRow(
        name=f"transformer-{size}",
        path="transformer:transformer",
        settings=settings,
        title=f"Transformer {size}",
        family="transformer",
        year=2017,
        task="translation, English to German",
        input="128 tokens to 128 tokens",
        source=_VASWANI,
        facts=facts,
        aliases=aliases,
    )


def _encoder(
    name: str,
    title: str,
    year: int,
    source: str,
    settings: Mapping[str, Any],
    aliases: tuple[str, ...] = (),
    *,
    glue: float | None = None,
) -> NetworkRow:
    return NetworkRow(
        name=name,
        path="bert:bert",
        settings=settings,
        title=title,
        family="bert",
        year=year,
        task="language model, masked tokens",
        input="128 tokens",
        source=source,
        facts={} if glue is None else {"glue_average": glue},
        aliases=aliases,
    )


def _gpt2(
    size: str, layers: int, width: int, heads: int, perplexity: float, aliases: tuple[str, ...]
) -> NetworkRow:
    name = "gpt-2" if size == "small" else f"gpt-2-{size}"
    return NetworkRow(
        name=name,
        path="gpt:gpt",
        settings={"layers": layers, "width": width, "heads": heads},
        title=f"GPT-2 {size}",
        family="gpt",
        year=2019,
        task="language model",
        input="1024 tokens",
        source=_GPT2,
        # Without training on it; table 3.
        facts={"wikitext2_perplexity": perplexity},
        aliases=aliases,
    )


def _gpt3(size: str, layers: int, width: int, heads: int, training_flop: float) -> NetworkRow:
    largest = size == "175b"
    return NetworkRow(
        name="gpt-3" if largest else f"gpt-3-{size}",
        path="gpt:gpt",
        settings={
            "layers": layers,
            "width": width,
            "heads": heads,
            "positions": 2048,
            "dropout": 0.0,
        },
        title=f"GPT-3 {size.upper() if size[0].isdigit() else size}",
        family="gpt",
        year=2020,
        task="language model",
        input="2048 tokens",
        source=_GPT3,
        facts={"training_flop": training_flop, "training_tokens": 300e9},
        aliases=("gpt3", "gpt-3-175b", "gpt3-175b") if largest else (f"gpt3-{size}",),
    )


_BASE = {"layers": 12, "width": 768, "heads": 12}
_LARGE = {"layers": 24, "width": 1024, "heads": 16}
_ROBERTA = {"vocabulary": 50265, "positions": 514, "reserved": 2, "token_types": 1}

ROWS: tuple[NetworkRow, ...] = (
    _transformer(
        "base",
        {"layers": 6, "width": 512, "heads": 8, "hidden": 2048},
        {"bleu_en_de": 27.3, "bleu_en_fr": 38.1, "training_flop": 3.3e18},
        ("transformer",),
    ),
    _transformer(
        "big",
        {"layers": 6, "width": 1024, "heads": 16, "hidden": 4096, "dropout": 0.3},
        {"bleu_en_de": 28.4, "bleu_en_fr": 41.8, "training_flop": 2.3e19},
    ),
    _encoder(
        "bert-base",
        "BERT base, uncased",
        2018,
        _DEVLIN,
        _BASE,
        ("bert", "bert-base-uncased"),
        glue=79.6,
    ),
    _encoder("bert-base-cased", "BERT base, cased", 2018, _DEVLIN, {**_BASE, "vocabulary": 28996}),
    _encoder(
        "bert-large",
        "BERT large, uncased",
        2018,
        _DEVLIN,
        _LARGE,
        ("bert-large-uncased",),
        glue=82.1,
    ),
    _encoder(
        "bert-large-cased", "BERT large, cased", 2018, _DEVLIN, {**_LARGE, "vocabulary": 28996}
    ),
    _encoder(
        "distilbert",
        "DistilBERT base, uncased",
        2019,
        _SANH,
        {**_BASE, "layers": 6, "token_types": 0, "pooler": False, "distilled": True},
        ("distilbert-base", "distilbert-base-uncased"),
        glue=77.0,
    ),
    _encoder("roberta-base", "RoBERTa base", 2019, _LIU, {**_BASE, **_ROBERTA}, ("roberta",)),
    _encoder("roberta-large", "RoBERTa large", 2019, _LIU, {**_LARGE, **_ROBERTA}),
    _gpt2("small", 12, 768, 12, 29.41, ("gpt2", "gpt2-small", "gpt-2-small")),
    _gpt2("medium", 24, 1024, 16, 22.76, ("gpt2-medium",)),
    _gpt2("large", 36, 1280, 20, 19.93, ("gpt2-large",)),
    _gpt2("xl", 48, 1600, 25, 18.34, ("gpt2-xl",)),
    _gpt3("small", 12, 768, 12, 2.25e20),
    _gpt3("medium", 24, 1024, 16, 6.41e20),
    _gpt3("large", 24, 1536, 16, 1.37e21),
    # The paper gives 24 heads of 128, which do not make up the width of 2048; 16 do.
    _gpt3("xl", 24, 2048, 16, 2.38e21),
    _gpt3("2.7b", 32, 2560, 32, 4.77e21),
    _gpt3("6.7b", 32, 4096, 32, 1.20e22),
    # The paper prints a width of 5140; 40 heads of 128 make 5120.
    _gpt3("13b", 40, 5120, 40, 2.31e22),
    _gpt3("175b", 96, 12288, 96, 3.14e23),
)
